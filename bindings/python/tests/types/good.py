"""Calls that a type checker must take."""

from __future__ import annotations

from datetime import datetime, timedelta

from typing_extensions import assert_type

import mpguard
import mpguard.aio


def hear(event: mpguard.Event) -> None:
    assert_type(event.kind, mpguard.EventKind)
    assert_type(event.license, mpguard.License)
    assert_type(event.time, datetime)


def use() -> None:
    with mpguard.init(
        product_code="3xmpl",
        pricing="hourly+usage",
        trusted_products=[{"code": "3xmpl", "public_keys": [{"version": 1, "pem": "…"}]}],
        dimensions=[{"name": "requests", "kind": "sum", "per_unit": 1000}],
        startup_timeout=timedelta(seconds=20),
        grace_ms=None,
        on_event=hear,
    ) as guard:
        assert_type(guard, mpguard.Guard)
        assert_type(guard.verdict(), mpguard.Verdict)
        assert_type(guard.meter("requests", {"Team": "red"}), mpguard.Meter)
        assert_type(guard.check_out("Seats", timeout=timedelta(seconds=1)), mpguard.Seat)
        guard.draw_down("Credits", 5, timeout=timedelta(seconds=1))
        assert_type(guard.next_event(), mpguard.Event | None)
        assert_type(guard.account(), list[mpguard.Account])
        assert_type(guard.subscribe(print), int)
        assert_type(guard.shutdown(), mpguard.ShutdownReport)
    report = mpguard.doctor(product_code="3xmpl", pricing="usage", grace=timedelta(hours=1))
    assert_type(report, mpguard.DoctorReport)
    assert_type(report.findings[0].status, mpguard.FindingStatus)
    assert_type(mpguard.doctor().exit_code, int)
    assert_type(mpguard.doctor_from_json("{}").status, mpguard.FindingStatus)
    config: mpguard.Config = {"product_code": "3xmpl", "pricing": "contract"}
    assert_type(mpguard.init(**config), mpguard.Guard)
    try:
        guard.require()
    except mpguard.NotEntitledError as error:
        assert_type(error.retryable, bool)
        assert_type(error.number, int)


async def use_async() -> None:
    async with await mpguard.aio.init(product_code="3xmpl", pricing="contract") as guard:
        async with await guard.check_out("Seats") as seat:
            assert_type(seat, mpguard.aio.Seat)
        await guard.draw_down("Credits", 5)
        assert_type(await mpguard.aio.doctor(product_code="3xmpl", pricing="usage"), mpguard.DoctorReport)
        async for event in guard.events():
            assert_type(event, mpguard.Event)
