"""Events: callbacks on a thread of their own, a queue to pull from, and what a bad callback cannot do."""

from __future__ import annotations

import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, get_args

import mpguard
import pytest
from conftest import Shop, eventually
from mpguard import _mpguard, _words

DENIED = {"product_code": "3xmpl", "subscribed": False}


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reached `sys.unraisablehook`."""
    caught: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", caught.append)
    return caught


class Listener:
    """A callback that remembers."""

    def __init__(self, then: Callable[[mpguard.Event], object] = lambda event: None) -> None:
        self.events: list[mpguard.Event] = []
        self.threads: set[threading.Thread] = set()
        self.then = then

    def __call__(self, event: mpguard.Event) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread())
        self.then(event)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def test_a_callback_hears_the_first_verdict(shop: Shop) -> None:
    listener = Listener()
    shop.init("hourly", on_event=listener)
    eventually(lambda: "verdict_changed" in listener.kinds())
    event = next(event for event in listener.events if event.kind == "verdict_changed")
    assert (event.topic, event.old.verdict, event.license.verdict) == ("verdict", "pending", "licensed")
    assert event.sandbox
    assert event.sequence >= 1
    assert event.text
    assert event.time.tzinfo is not None


def test_a_callback_hears_why_init_failed(shop: Shop) -> None:
    shop.sandbox.post("subscriptions", DENIED)
    listener = Listener()
    with pytest.raises(mpguard.NotEntitledError):
        shop.init("hourly", on_event=listener)
    assert [event.license.verdict for event in listener.events][-1:] == ["denied"]


def test_callbacks_run_on_one_daemon_thread_of_ours(shop: Shop) -> None:
    first, second = Listener(), Listener()
    guard = shop.init("hourly", on_event=first)
    guard.subscribe(second)
    eventually(lambda: first.events and second.events)
    [thread] = first.threads | second.threads
    assert thread is not threading.main_thread()
    assert (thread.name, thread.daemon) == ("mpguard-events", True)


def test_without_a_callback_there_is_no_thread(offline: mpguard.Guard) -> None:
    assert "mpguard-events" not in [thread.name for thread in threading.enumerate()]


def test_a_late_callback_first_hears_the_current_state(shop: Shop) -> None:
    guard = shop.init("hourly")
    listener = Listener()
    guard.subscribe(listener)
    eventually(lambda: "licensed" in [event.license.verdict for event in listener.events])


def test_an_upgrade_is_heard_with_the_whole_new_state(shop: Shop) -> None:
    license_id = shop.sell("Basic")
    listener = Listener()
    shop.init("contract", on_event=listener)
    tiers = [{"name": name, "unit": "None", "value": "Enabled"} for name in ("Basic", "Premium")]
    seats = {"name": "Seats", "unit": "Count", "max_count": 2, "allow_check_in": True}
    shop.sandbox.post(f"licenses/{license_id}/upgrade", {"entitlements": [*tiers, seats]})
    shop.sandbox.advance(timedelta(minutes=40), step=timedelta(minutes=5))
    eventually(lambda: "license_upgraded" in listener.kinds())
    event = next(event for event in listener.events if event.kind == "license_upgraded")
    assert "Premium" in [each.name for each in event.license.entitlements]
    assert "Premium" not in [each.name for each in event.old.entitlements]


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), SystemExit(3), KeyboardInterrupt()])
def test_a_callback_that_raises_is_reported_and_counted_and_stops_nothing(
    shop: Shop, unraisable: list[Any], error: BaseException
) -> None:
    def fail(event: mpguard.Event) -> None:
        raise error

    good = Listener()
    guard = shop.init("hourly", on_event=fail)
    guard.subscribe(good)
    eventually(lambda: good.events and unraisable)
    assert unraisable[0].exc_value is error
    assert unraisable[0].object is fail
    assert guard.stats().listener_failures == len(unraisable)
    heard = len(good.events)
    shop.sandbox.advance(timedelta(hours=1))
    guard.shutdown()
    assert len(good.events) >= heard


def test_an_unsubscribed_callback_runs_no_more(shop: Shop) -> None:
    busy, go = threading.Event(), threading.Event()

    def wait(event: mpguard.Event) -> None:
        busy.set()
        assert go.wait(10)

    listener = Listener(wait)
    guard = shop.init("hourly")
    number = guard.subscribe(listener)
    assert busy.wait(10)
    threading.Timer(0.1, go.set).start()
    guard.unsubscribe(number)
    assert go.is_set(), "unsubscribe waits for the callback that runs"
    heard = len(listener.events)
    guard.subscribe(Listener())
    shop.sandbox.advance(timedelta(hours=1))
    assert len(listener.events) == heard
    guard.unsubscribe(number)  # a second time changes nothing


def test_a_callback_may_unsubscribe_itself(shop: Shop) -> None:
    done: list[int] = []
    guard = shop.init("hourly")

    def once(event: mpguard.Event) -> None:
        eventually(lambda: numbers)
        guard.unsubscribe(numbers[0])
        done.append(event.sequence)

    numbers: list[int] = []
    numbers.append(guard.subscribe(once))
    eventually(lambda: done)


def test_a_callback_may_shut_the_guard_down(shop: Shop) -> None:
    reports: list[mpguard.ShutdownReport] = []
    guard = shop.init("usage")
    guard.meter("requests").add(4)
    listener = Listener(lambda event: reports.append(guard.shutdown(timedelta(seconds=10))))
    guard.subscribe(listener)
    eventually(lambda: reports)
    assert reports[0].recorded == 4
    [thread] = listener.threads
    thread.join(5)
    assert not thread.is_alive()
    assert len(listener.events) == 1
    with pytest.raises(mpguard.ShutDownError):
        guard.shutdown()


def test_no_callback_starts_after_a_shutdown(shop: Shop) -> None:
    listener = Listener()
    guard = shop.init("usage", on_event=listener)
    guard.shutdown()
    heard = len(listener.events)
    assert [thread.is_alive() for thread in listener.threads] in ([], [False])
    time.sleep(0.05)
    assert len(listener.events) == heard


def test_a_callback_that_hangs_holds_a_shutdown_no_longer_than_its_deadline(shop: Shop) -> None:
    busy, go = threading.Event(), threading.Event()

    def hang(event: mpguard.Event) -> None:
        busy.set()
        go.wait(30)

    guard = shop.init("hourly", on_event=hang)
    assert busy.wait(10)
    late = Listener()
    guard.subscribe(late)
    time.sleep(0.1)  # the current state now waits behind the one that hangs
    start = time.monotonic()
    guard.shutdown(timedelta(seconds=0.5))
    assert time.monotonic() - start < 5
    go.set()
    eventually(lambda: "mpguard-events" not in [thread.name for thread in threading.enumerate()])
    assert late.events == []


def test_a_slow_callback_gets_the_newest_event_of_each_topic(shop: Shop) -> None:
    license_id = shop.sell("Basic")
    busy, go = threading.Event(), threading.Event()

    def slow(event: mpguard.Event) -> None:
        busy.set()
        assert go.wait(30)

    listener = Listener(slow)
    shop.init("contract", on_event=listener)
    assert busy.wait(10)
    for _ in range(3):
        end_ms = shop.sandbox.get("clock")["now_ms"] + 400 * 86_400_000
        shop.sandbox.post(f"licenses/{license_id}/renew", {"end_ms": end_ms})
        shop.sandbox.advance(timedelta(minutes=20), step=timedelta(minutes=5))
    time.sleep(0.2)  # the last event is on its way to the feed
    go.set()
    eventually(lambda: len(listener.events) > 1)
    time.sleep(0.05)
    topics = [event.topic for event in listener.events[1:]]
    assert len(topics) == len(set(topics))
    newest = [event for event in listener.events if event.topic == "license"][-1]
    assert newest.license.license_version == "4"


def test_a_callback_is_called_with_the_gil_and_waited_for_without(shop: Shop) -> None:
    # The callback needs this thread to go on; a shutdown that kept the GIL would never end.
    reached = threading.Event()
    listener = Listener(lambda event: reached.wait(10))
    guard = shop.init("hourly", on_event=listener)
    threading.Timer(0.05, reached.set).start()
    guard.shutdown(timedelta(seconds=10))
    assert reached.is_set()


@pytest.mark.parametrize("callback", ["print", 3])
def test_a_callback_can_be_called(offline: mpguard.Guard, callback: Any) -> None:
    with pytest.raises(TypeError, match="cannot be called"):
        offline.subscribe(callback)


def test_the_queue_starts_with_the_current_state(shop: Shop) -> None:
    guard = shop.init("hourly")
    newest = None
    while (event := guard.next_event(timedelta(milliseconds=300))) is not None:
        newest = event
    assert newest is not None
    assert newest.license.verdict == "licensed"


def test_the_queue_and_the_callbacks_each_hear_everything(shop: Shop) -> None:
    listener = Listener()
    guard = shop.init("hourly", on_event=listener)
    assert guard.next_event(timedelta(seconds=10)) is not None
    eventually(lambda: listener.events)


def test_the_queue_ends_with_the_guard(shop: Shop) -> None:
    guard = shop.init("hourly")
    events: Iterator[mpguard.Event] = guard.events()
    assert next(events).kind == "verdict_changed"
    threading.Timer(0.1, guard.shutdown).start()
    assert list(events) is not None
    assert guard.next_event() is None
    assert guard.next_event(timedelta(seconds=60)) is None, "it does not wait for what cannot come"


def test_the_descriptor_tells_of_events_and_of_the_end(shop: Shop) -> None:
    guard = shop.init("hourly")
    assert guard.fileno() == guard.event_fd()
    assert select.select([guard], [], [], 10)[0] == [guard]
    while guard.next_event(timedelta(0)) is not None:
        pass
    assert select.select([guard], [], [], 0)[0] == []
    guard.shutdown()
    assert select.select([guard], [], [], 10)[0] == [guard]


def test_after_a_shutdown_nobody_subscribes(offline: mpguard.Guard) -> None:
    offline.shutdown(timedelta(0))
    with pytest.raises(mpguard.ShutDownError, match="cannot subscribe"):
        offline.subscribe(print)


def test_an_event_can_be_shown_as_json(shop: Shop) -> None:
    guard = shop.init("hourly")
    raw = guard._native.next_event(timedelta(seconds=10))
    assert raw is not None
    assert mpguard.Event._of(raw).to_dict() == raw


def test_the_words_are_those_of_the_core() -> None:
    kinds = dict(_mpguard.event_kinds())
    assert list(kinds) == list(get_args(_words.EventKind))
    assert set(kinds.values()) == set(get_args(_words.Topic))
    assert _mpguard.license_words() == list(get_args(_words.Verdict))
