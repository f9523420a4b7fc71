"""Prepaid units: booked once, or not at all."""

from __future__ import annotations

import re
import signal
import time
from datetime import timedelta
from typing import Any

import mpguard
import pytest
from conftest import CREDITS, ENTITLEMENTS, Shop, eventually


@pytest.fixture
def guard(shop: Shop) -> mpguard.Guard:
    """A guard whose buyer has a hundred credits."""
    shop.sell("Basic", credits=100)
    return shop.init("contract", entitlements=[*ENTITLEMENTS, CREDITS])


def credits(guard: mpguard.Guard) -> mpguard.Account:
    [account] = [each for each in guard.account() if each.dimension == "Credits"]
    return account


def test_units_are_booked_and_accounted_for(shop: Shop, guard: mpguard.Guard) -> None:
    guard.draw_down("Credits", 5)
    guard.draw_down("Credits", quantity=2, timeout=timedelta(seconds=5))
    account = credits(guard)
    assert (account.added, account.open, account.pending, account.delivered, account.disputed) == (7, 0, 0, 7, 0)
    assert shop.credits_drawn() == 7
    assert guard.shutdown().accounts[-1].delivered == 7


def test_more_than_is_left_is_refused_for_good(shop: Shop, guard: mpguard.Guard) -> None:
    with pytest.raises(mpguard.ExhaustedError, match="`Credits`") as raised:
        guard.draw_down("Credits", 101)
    assert not raised.value.retryable
    assert raised.value.kind == "entitlement"
    guard.draw_down("Credits", 100)
    assert shop.credits_drawn() == 100


@pytest.mark.parametrize("name", ["Chairs", "Seats", "Basic"])
def test_only_a_drawdown_entitlement_is_drawn(guard: mpguard.Guard, name: str) -> None:
    with pytest.raises(mpguard.UnknownEntitlementError) as raised:
        guard.draw_down(name, 1)
    assert f"`{name}`" in str(raised.value)
    assert "`Credits`" in str(raised.value)


@pytest.mark.parametrize("quantity", [0, -1, 2**64])
def test_a_quantity_out_of_range_is_refused(guard: mpguard.Guard, quantity: int) -> None:
    with pytest.raises(mpguard.InvalidArgumentError, match=re.escape(f"{quantity}") + ".*at least 1"):
        guard.draw_down("Credits", quantity)


@pytest.mark.parametrize("quantity", ["1", 1.0, None])
def test_a_quantity_is_a_whole_number(guard: mpguard.Guard, quantity: Any) -> None:
    with pytest.raises(TypeError):
        guard.draw_down("Credits", quantity)


@pytest.mark.parametrize("timeout", [5, 5.0, None])
def test_a_timeout_is_a_timedelta(guard: mpguard.Guard, timeout: Any) -> None:
    with pytest.raises(TypeError, match="`timeout` is a timedelta"):
        guard.draw_down("Credits", 1, timeout)


def test_units_that_come_too_late_serve_the_next_call(shop: Shop, guard: mpguard.Guard) -> None:
    """T54."""
    delay(shop)
    start = time.monotonic()
    with pytest.raises(mpguard.TimedOutError, match="`Credits`"):
        guard.draw_down("Credits", 5, timeout=timedelta(milliseconds=50))
    assert time.monotonic() - start < 0.5
    assert credits(guard).delivered == 0
    guard.draw_down("Credits", 5)
    assert (credits(guard).delivered, shop.credits_drawn()) == (5, 5)


def test_a_wait_that_ctrl_c_ends_books_nothing(shop: Shop, guard: mpguard.Guard) -> None:
    """T54."""
    delay(shop)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            guard.draw_down("Credits", 5)
    finally:
        signal.signal(signal.SIGALRM, before)
    eventually(lambda: credits(guard).open == 5)
    assert credits(guard).delivered == 0
    guard.draw_down("Credits", 5)
    assert (credits(guard).delivered, shop.credits_drawn()) == (5, 5)


def test_after_a_shutdown_nothing_is_drawn(guard: mpguard.Guard) -> None:
    guard.shutdown()
    with pytest.raises(mpguard.ShutDownError):
        guard.draw_down("Credits", 1)


def delay(shop: Shop) -> None:
    shop.sandbox.post("faults", {"operation": "CheckoutLicense", "kind": "delay", "delay_ms": 600})
