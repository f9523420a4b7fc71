"""The asyncio twin: nothing that waits holds the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import mpguard
import mpguard.aio
import pytest
from conftest import Shop


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end, in debug mode and within a time."""

    async def within() -> None:
        await asyncio.wait_for(scene, 30)

    asyncio.run(within(), debug=True)


def test_a_product_lives_in_a_loop(shop: Shop) -> None:
    shop.sell("Basic")

    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("usage+contract")) as guard:
            assert guard.verdict() == guard.license().verdict == "licensed"
            guard.require()
            assert guard.has("Basic")
            assert repr(guard) == "<mpguard.aio.Guard: licensed>"
            guard.meter("requests").add(3)
            async with await guard.check_out("Seats") as seat:
                assert (seat.entitlement, seat.count, seat.held) == ("Seats", 1, True)
                assert seat.expires_ms > 0
            assert not seat.held
            [requests, *_] = await guard.account()
            assert requests.added == 3
            assert (await guard.flush(timedelta(seconds=5))).recorded == 0
            assert guard.stats().calls > 0
            assert (await guard.shutdown(timedelta(seconds=5))).recorded == 3
            with pytest.raises(mpguard.ShutDownError):
                await guard.shutdown()

    play(scene())


def test_leaving_the_block_shuts_down(shop: Shop) -> None:
    async def scene() -> None:
        with pytest.raises(ZeroDivisionError):
            async with await mpguard.aio.init(**shop.config("usage")) as guard:
                guard.meter("requests").add(3)
                1 / 0  # noqa: B018

    play(scene())
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"


def test_errors_are_the_same(offline_config: dict[str, Any]) -> None:
    async def scene() -> None:
        with pytest.raises(mpguard.InvalidConfigError):
            await mpguard.aio.init_from_json("{")
        with pytest.raises(mpguard.InvalidConfigError):
            await mpguard.aio.init(**{**offline_config, "colour": "red"})

    play(scene())


def test_every_iterator_hears_the_state_and_ends_with_the_guard(shop: Shop) -> None:
    async def scene() -> None:
        guard = await mpguard.aio.init(**shop.config("hourly"))

        async def hear() -> list[str]:
            return [event.license.verdict async for event in guard.events()]

        listeners = [asyncio.create_task(hear()) for _ in range(2)]
        await asyncio.sleep(0.2)
        await guard.shutdown()
        for heard in await asyncio.gather(*listeners):
            assert "licensed" in heard
        assert [event async for event in guard.events()] == []

    play(scene())


def test_an_iterator_that_is_left_hears_no_more(shop: Shop) -> None:
    async def scene() -> None:
        async with await mpguard.aio.init(**shop.config("hourly")) as guard:
            events = guard.events()
            async for event in events:
                assert event.kind == "verdict_changed"
                break
            await events.aclose()  # type: ignore[attr-defined]
            assert guard.sync._callbacks._callbacks == {}

    play(scene())


def test_the_loop_runs_while_a_guard_starts(offline_config: dict[str, Any]) -> None:
    async def scene() -> None:
        config = {**offline_config, "startup_timeout_ms": 300}
        start = asyncio.create_task(mpguard.aio.init(**config))
        ticks = 0
        while not start.done():
            await asyncio.sleep(0.005)
            ticks += 1
        assert ticks > 10
        await start.result().shutdown(timedelta(0))

    play(scene())


def test_a_loop_that_is_gone_breaks_nothing(shop: Shop) -> None:
    guard = mpguard.aio.Guard(shop.init("hourly"))
    events = guard.events()
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(anext(events)).kind == "verdict_changed"
    loop.close()  # with the iterator still open, as a product does that stops in a hurry
    guard.sync.shutdown()
    assert guard.stats().listener_failures == 0
