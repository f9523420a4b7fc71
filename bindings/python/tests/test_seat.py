"""Seats: held until checked in, in every way in which one can go."""

from __future__ import annotations

import gc
import re
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import mpguard
import pytest
from conftest import Shop, eventually


@pytest.fixture
def guard(shop: Shop) -> mpguard.Guard:
    """A guard whose buyer has two seats."""
    shop.sell("Basic", seats=2)
    return shop.init("contract", seat_linger_ms=0)


def test_a_seat_is_held_until_it_is_checked_in(shop: Shop, guard: mpguard.Guard) -> None:
    seat = guard.check_out("Seats")
    assert (seat.entitlement, seat.count, seat.held) == ("Seats", 1, True)
    assert guard.check_out("Seats").number > seat.number > 0
    assert repr(seat) == "<mpguard.Seat: 1 of `Seats`, held>"
    eventually(lambda: shop.seats_in_use() == 1)
    seat.check_in()
    assert not seat.held
    assert shop.seats_in_use() == 0
    seat.check_in()  # a second time changes nothing
    assert shop.seats_in_use() == 0


def test_a_seat_says_when_it_would_return_by_itself(guard: mpguard.Guard) -> None:
    seat = guard.check_out("Seats")
    assert seat.expires == datetime.fromtimestamp(seat.expires_ms / 1000, timezone.utc)
    assert seat.expires > datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_leaving_the_block_checks_in(shop: Shop, guard: mpguard.Guard) -> None:
    with guard.check_out("Seats", count=2) as seat:
        assert seat.count == 2
        assert shop.seats_in_use() == 2
    assert shop.seats_in_use() == 0
    with pytest.raises(ZeroDivisionError), guard.check_out("Seats"):
        1 / 0  # noqa: B018
    assert shop.seats_in_use() == 0


def test_a_check_in_without_an_answer_is_told_but_hides_no_other_error(shop: Shop, guard: mpguard.Guard) -> None:
    shop.sandbox.post("faults", {"operation": "CheckInLicense", "kind": "reset", "times": -1})

    def leave(error: Exception | None) -> None:
        # The guard tries again for a while, by the sandbox's clock.
        forward = threading.Timer(0.2, shop.sandbox.advance, (timedelta(minutes=30), timedelta(seconds=10)))
        with guard.check_out("Seats"):
            forward.start()
            if error is not None:
                raise error
        forward.join()

    with pytest.raises(mpguard.UnavailableError, match="`Seats`"):
        leave(None)
    with pytest.raises(ZeroDivisionError):
        leave(ZeroDivisionError())


def test_a_dropped_seat_is_checked_in(shop: Shop, guard: mpguard.Guard) -> None:
    seat = guard.check_out("Seats")
    del seat
    gc.collect()
    eventually(lambda: shop.seats_in_use() == 0)


def test_a_shutdown_returns_every_seat(shop: Shop, guard: mpguard.Guard) -> None:
    seats = [guard.check_out("Seats"), guard.check_out("Seats")]
    report = guard.shutdown(timedelta(seconds=10))
    assert report.seats_returned == 2
    assert shop.seats_in_use() == 0
    for seat in seats:
        assert not seat.held
        seat.check_in()


def test_a_seat_outlives_its_hour(shop: Shop, guard: mpguard.Guard) -> None:
    seat = guard.check_out("Seats")
    first = seat.expires_ms
    shop.sandbox.advance(timedelta(hours=3), step=timedelta(minutes=5))
    assert seat.held
    assert seat.expires_ms > first
    assert shop.seats_in_use() == 1


def test_the_last_seat_is_refused_with_what_to_do(guard: mpguard.Guard) -> None:
    seats = [guard.check_out("Seats"), guard.check_out("Seats")]
    with pytest.raises(mpguard.NoSeatError) as raised:
        guard.check_out("Seats", timeout=timedelta(milliseconds=200))
    assert raised.value.retryable
    assert "`Seats`" in str(raised.value)
    seats.pop().check_in()
    guard.check_out("Seats").check_in()


def test_an_entitlement_that_is_not_configured_is_refused_with_the_known_ones(guard: mpguard.Guard) -> None:
    with pytest.raises(mpguard.UnknownEntitlementError) as raised:
        guard.check_out("Chairs")
    assert "`Chairs`" in str(raised.value)
    assert "`Seats`" in str(raised.value)


def test_a_tier_has_no_seats(guard: mpguard.Guard) -> None:
    with pytest.raises(mpguard.UnknownEntitlementError, match="`Basic`"):
        guard.check_out("Basic")


@pytest.mark.parametrize("count", [0, -1, 2**64])
def test_a_count_out_of_range_is_refused(guard: mpguard.Guard, count: int) -> None:
    with pytest.raises(mpguard.InvalidArgumentError, match=re.escape(f"{count}") + ".*at least 1"):
        guard.check_out("Seats", count)


@pytest.mark.parametrize("count", ["1", 1.0, None])
def test_a_count_is_a_whole_number(guard: mpguard.Guard, count: Any) -> None:
    with pytest.raises(TypeError):
        guard.check_out("Seats", count)


@pytest.mark.parametrize("timeout", [5, 5.0, None, "5"])
def test_a_timeout_is_a_timedelta(guard: mpguard.Guard, timeout: Any) -> None:
    with pytest.raises(TypeError, match="`timeout` is a timedelta"):
        guard.check_out("Seats", timeout=timeout)


def test_a_negative_timeout_is_refused(guard: mpguard.Guard) -> None:
    with pytest.raises(mpguard.InvalidArgumentError, match="`timeout`.*not negative"):
        guard.check_out("Seats", timeout=timedelta(seconds=-1))


def test_a_late_seat_is_given_back(shop: Shop, guard: mpguard.Guard) -> None:
    shop.sandbox.post("faults", {"operation": "CheckoutLicense", "kind": "delay", "delay_ms": 500})
    start = time.monotonic()
    with pytest.raises(mpguard.TimedOutError, match="`Seats`") as raised:
        guard.check_out("Seats", timeout=timedelta(milliseconds=50))
    assert time.monotonic() - start < 0.5
    assert raised.value.retryable
    eventually(lambda: checkouts(shop) > 0 and shop.seats_in_use() == 0)


def test_a_waiting_thread_has_the_seat_that_another_one_gives_back(shop: Shop, guard: mpguard.Guard) -> None:
    """T55: in one process no call to AWS is needed for it."""
    held = [guard.check_out("Seats"), guard.check_out("Seats")]
    taken: list[mpguard.Seat] = []
    waiting = threading.Thread(target=lambda: taken.append(guard.check_out("Seats")))
    waiting.start()
    time.sleep(0.2)
    assert taken == []
    assert held[1].held
    held[0].check_in()
    waiting.join(10)
    assert [seat.held for seat in taken] == [True]
    assert shop.seats_in_use() == 2


def test_many_threads_share_few_seats_and_each_has_its_turn(shop: Shop, guard: mpguard.Guard) -> None:
    most, now, turns = 0, 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal most, now, turns
        for _ in range(5):
            with guard.check_out("Seats"):
                with lock:
                    now += 1
                    most, turns = max(most, now), turns + 1
                time.sleep(0.005)
                with lock:
                    now -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert turns == 60
    assert most == 2
    assert shop.seats_in_use() == 0


def test_log_ins_in_a_row_share_one_seat_that_lingers(shop: Shop) -> None:
    """T55."""
    shop.sell("Basic", seats=2)
    guard = shop.init("contract", task="lingers", seat_linger=timedelta(seconds=30))
    for _ in range(100):
        with guard.check_out("Seats"):
            pass
    calls = shop.sandbox.get("requests?operation=CheckoutLicense&task=lingers")["requests"]
    counted = [call for call in calls if call["body"]["Entitlements"][0]["Name"] == "Seats"]
    assert len(counted) == 1


def checkouts(shop: Shop) -> int:
    calls = shop.sandbox.get("requests?operation=CheckInLicense")["requests"]
    return len(calls)


def test_after_a_shutdown_there_are_no_seats(guard: mpguard.Guard) -> None:
    guard.shutdown()
    with pytest.raises(mpguard.ShutDownError):
        guard.check_out("Seats")


def test_seats_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        mpguard.Seat()
