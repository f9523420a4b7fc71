"""The guard: how long it lives, what it tells, and that waiting never stops the interpreter."""

from __future__ import annotations

import dataclasses
import gc
import threading
import time
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import mpguard
import pytest
from conftest import Shop, end, eventually


def test_leaving_the_block_shuts_down(shop: Shop) -> None:
    with mpguard.init(**shop.config("usage")) as guard:
        guard.meter("requests").add(3)
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"
    with pytest.raises(mpguard.ShutDownError, match="already shut down"):
        guard.shutdown()


def test_an_error_leaves_the_block_as_it_is(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError), mpguard.init(**shop.config("usage")) as guard:
        guard.meter("requests").add(3)
        1 / 0  # noqa: B018
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"


def test_a_guard_may_be_shut_down_inside_its_block(shop: Shop) -> None:
    with mpguard.init(**shop.config("usage")) as guard:
        guard.shutdown()


def test_a_dropped_guard_is_shut_down(shop: Shop) -> None:
    guard = mpguard.init(**shop.config("usage"))
    guard.meter("requests").add(3)
    gone = weakref.ref(guard)
    del guard
    gc.collect()
    assert gone() is None
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"


def test_a_dropped_guard_takes_its_callback_thread_with_it(shop: Shop) -> None:
    guard = mpguard.init(**shop.config("usage", on_event=lambda event: None))
    threads = [thread for thread in threading.enumerate() if thread.name == "mpguard-events"]
    assert len(threads) == 1
    del guard
    gc.collect()
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_a_second_shutdown_is_an_error_and_changes_nothing(offline: mpguard.Guard) -> None:
    offline.meter("requests").add(2)
    offline.shutdown(timedelta(0))
    with pytest.raises(mpguard.ShutDownError, match="init a new guard"):
        offline.shutdown(timedelta(0))
    assert sum(each.added for each in offline.account()) == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda guard: guard.meter("requests"),
        lambda guard: guard.check_out("Seats"),
        lambda guard: guard.flush(),
        lambda guard: guard.subscribe(print),
        lambda guard: guard.shutdown(),
    ],
    ids=["meter", "check_out", "flush", "subscribe", "shutdown"],
)
def test_after_a_shutdown_calls_are_refused(offline: mpguard.Guard, call: Callable[[mpguard.Guard], Any]) -> None:
    offline.shutdown(timedelta(0))
    with pytest.raises(mpguard.ShutDownError):
        call(offline)


def test_after_a_shutdown_a_guard_still_tells_what_was(offline: mpguard.Guard) -> None:
    offline.meter("requests").add(2)
    report = offline.shutdown(timedelta(0))
    assert (report.pending, report.may_be_lost) == (2, True)
    assert offline.account() == list(report.accounts)
    assert not offline.has("Basic")
    assert offline.stats().storage == "memory"
    assert offline.verdict() == offline.license().verdict
    assert offline.next_event(timedelta(seconds=60)) is None


def test_two_guards_count_and_end_on_their_own(shop: Shop) -> None:
    one, two = shop.init("usage", "one"), shop.init("usage", "two")
    one.meter("requests").add(1)
    two.meter("requests").add(2)
    one.shutdown()
    two.meter("requests").add(20)
    two.shutdown()
    assert {record["task"]: record["quantity"] for record in shop.sandbox.bill()["records"]} == {"one": "1", "two": "22"}


def test_without_an_answer_init_waits_or_fails(offline_config: dict[str, Any]) -> None:
    config = {**offline_config, "startup_pending": "fail", "startup_timeout_ms": 50}
    with pytest.raises(mpguard.PendingError, match="50 ms"):
        mpguard.init(**config)
    guard = mpguard.init(**{**config, "startup_pending": "wait"})
    assert guard.verdict() == "pending"
    end(guard, timedelta(0))


def test_an_unreachable_sandbox_is_named(offline: mpguard.Guard) -> None:
    eventually(lambda: "127.0.0.1" in offline.license().text)
    assert offline.license().reason == "unreachable"


def test_a_throttled_start_is_licensed_later(shop: Shop) -> None:
    shop.sandbox.post("faults", {"operation": "RegisterUsage", "kind": "throttle", "times": 3})
    guard = shop.init("hourly", startup_timeout=timedelta(0))
    assert guard.verdict() == "pending"
    # From its first call on the guard follows the clock.
    eventually(lambda: shop.sandbox.get("requests?operation=RegisterUsage")["requests"])
    shop.sandbox.advance(timedelta(minutes=5), step=timedelta(seconds=10))
    assert guard.verdict() == "licensed"


def test_stats_count_calls(shop: Shop) -> None:
    guard = shop.init("hourly")
    stats = guard.stats()
    assert stats.calls >= 1
    assert stats.listener_failures == 0
    assert stats.storage in ("durable", "container", "memory")
    assert stats.sandbox is True


def test_what_a_sandbox_says_is_marked_wherever_it_is_logged(shop: Shop) -> None:
    # T77: the mark is in the text and in each value, so that no line of a log passes for the truth.
    heard: list[mpguard.Event] = []
    guard = shop.init("hourly", on_event=heard.append)
    license = guard.license()
    eventually(lambda: heard)
    for answer in (license, heard[0]):
        assert answer.sandbox is True
        assert answer.text.startswith("sandbox: ")
        assert "sandbox=True" in repr(answer) and "sandbox=True" in str(answer)
        assert answer.to_dict()["sandbox"] is True
    assert heard[0].old.text.startswith("sandbox: ")
    assert "sandbox=True" in repr(guard.stats())
    shop.sandbox.post("subscriptions", {"product_code": shop.config("hourly")["product_code"], "subscribed": False})
    with pytest.raises(mpguard.NotEntitledError) as refused:
        shop.init("hourly", task="another")
    assert str(refused.value).startswith("sandbox: ")


@pytest.mark.parametrize("answer", ["stats", "account", "flush", "shutdown"])
def test_answers_are_frozen_and_have_everything_that_the_core_tells(shop: Shop, answer: str) -> None:
    guard = shop.init("usage")
    guard.meter("requests").add(1)
    arguments = (timedelta(seconds=10),) if answer in ("flush", "shutdown") else ()
    raw = getattr(guard._native, answer)(*arguments)
    raw = raw[0] if answer == "account" else raw
    types: dict[str, Any] = {"stats": mpguard.Stats, "account": mpguard.Account}
    types |= {"flush": mpguard.FlushReport, "shutdown": mpguard.ShutdownReport}
    made = types[answer]._of(raw)
    assert made.to_dict() == raw
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, next(iter(raw)), 0)


@pytest.mark.parametrize("deadline", [5, 0.5, None, "5"])
def test_a_deadline_is_a_timedelta(offline: mpguard.Guard, deadline: Any) -> None:
    with pytest.raises(TypeError, match="`deadline` is a timedelta"):
        offline.shutdown(deadline)
    with pytest.raises(TypeError, match="`deadline` is a timedelta"):
        offline.flush(deadline)
    offline.meter("requests").add(1)  # it is still up


def test_a_negative_deadline_is_refused(offline: mpguard.Guard) -> None:
    with pytest.raises(mpguard.InvalidArgumentError, match="not negative"):
        offline.shutdown(timedelta(seconds=-1))
    offline.meter("requests").add(1)


def test_a_guard_is_made_by_init_alone() -> None:
    with pytest.raises(TypeError):
        mpguard.Guard()  # type: ignore[call-arg]


def ticks_during(call: Callable[[], object]) -> int:
    """How often another thread came to run while `call` waited."""
    ticks, over = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.wait(0.005):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    call()
    over.set()
    thread.join()
    return ticks


def test_other_threads_run_while_a_call_waits(shop: Shop, offline_config: dict[str, Any]) -> None:
    slow = timedelta(milliseconds=300)
    guards: list[mpguard.Guard] = []
    config = {**offline_config, "startup_timeout_ms": None, "startup_timeout": slow}
    assert ticks_during(lambda: guards.append(mpguard.init(**config))) > 10, "init"
    guard = guards.pop()
    while guard.next_event(timedelta(0)) is not None:
        pass
    assert ticks_during(lambda: guard.next_event(slow)) > 10, "next_event"
    guard.shutdown(timedelta(0))

    ending = shop.init("usage", task="ending")
    ending.meter("requests").add(1)
    shop.sandbox.post("faults", {"operation": "MeterUsage", "kind": "delay", "delay_ms": 5000})
    assert ticks_during(lambda: ending.shutdown(slow)) > 10, "shutdown"

    shop.sell("Basic")
    seller = shop.init("contract")
    fault = {"kind": "delay", "delay_ms": 300}
    shop.sandbox.post("faults", {"operation": "CheckoutLicense", **fault})
    assert ticks_during(lambda: seller.check_out("Seats")) > 10, "check_out"

    meter = shop.init("usage")
    meter.meter("requests").add(1)
    shop.sandbox.advance(timedelta(hours=1))
    shop.sandbox.post("faults", {"operation": "MeterUsage", **fault})
    assert ticks_during(lambda: meter.flush(timedelta(seconds=10))) > 10, "flush"


def test_a_drop_that_takes_time_lets_others_run(shop: Shop) -> None:
    # AWS answers too late, so the drop waits for its whole deadline of five seconds.
    guards = [mpguard.init(**shop.config("usage"))]
    guards[0].meter("requests").add(1)
    shop.sandbox.post("faults", {"operation": "MeterUsage", "kind": "delay", "delay_ms": 20_000})
    start = time.monotonic()
    assert ticks_during(guards.clear) > 10
    assert time.monotonic() - start < 10
