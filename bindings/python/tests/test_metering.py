"""Meters: what is added is counted once, what is refused is not counted at all."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import mpguard
import pytest
from conftest import Shop


def added(guard: mpguard.Guard, dimension: str = "requests") -> int:
    """What the account says was added."""
    return next(each.added for each in guard.account() if each.dimension == dimension)


def test_what_is_added_is_in_the_account(offline: mpguard.Guard) -> None:
    meter = offline.meter("requests")
    assert meter.add(3) is None  # type: ignore[func-returns-value]
    meter.add(0)
    offline.meter("requests").add(4)
    [requests] = [each for each in offline.account() if each.dimension == "requests"]
    assert (requests.added, requests.open) == (7, 7)


def test_each_dimension_and_tag_set_has_its_own_counter_in_one_account(offline: mpguard.Guard) -> None:
    offline.meter("requests", {"Team": "red"}).add(1)
    offline.meter("requests", {"Team": "blue"}).add(2)
    offline.meter("megabytes").add(5)
    assert added(offline, "requests") == 3
    assert added(offline, "megabytes") == 5


def test_a_level_is_set(offline: mpguard.Guard) -> None:
    hosts = offline.meter("hosts")
    hosts.set(5)
    hosts.set(3)
    assert added(offline, "hosts") == 5, "the kind is `max`"


def test_a_meter_knows_its_dimension(offline: mpguard.Guard) -> None:
    assert offline.meter("requests").dimension == "requests"
    assert repr(offline.meter("requests")) == "<mpguard.Meter of `requests`>"


class Index:
    """What numpy's integers are to us."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.mark.parametrize("quantity", [True, Index(1)])
def test_whatever_stands_for_a_whole_number_is_counted(offline: mpguard.Guard, quantity: Any) -> None:
    offline.meter("requests").add(quantity)
    assert added(offline) == 1


@pytest.mark.parametrize("quantity", [-1, -(2**63), 2**63, 2**64, 2**200, Index(-1)])
def test_a_quantity_out_of_range_is_refused_and_nothing_is_counted(offline: mpguard.Guard, quantity: Any) -> None:
    offline.meter("requests").add(1)
    with pytest.raises(mpguard.QuantityOutOfRangeError) as raised:
        offline.meter("requests").add(quantity)
    assert "`requests`" in str(raised.value)
    assert "nothing was counted" in str(raised.value)
    with pytest.raises(mpguard.QuantityOutOfRangeError):
        offline.meter("hosts").set(quantity)
    assert added(offline) == 1
    assert added(offline, "hosts") == 0


@pytest.mark.parametrize("quantity", [1.0, 0.5, "1", None, b"1", [1], float("nan")])
def test_what_is_no_whole_number_is_refused_and_nothing_is_counted(offline: mpguard.Guard, quantity: Any) -> None:
    with pytest.raises(TypeError) as raised:
        offline.meter("requests").add(quantity)
    for part in (f"`{quantity!r}`", f"`{type(quantity).__name__}`", "`requests`", "whole number"):
        assert part in str(raised.value)
    with pytest.raises(TypeError, match="cannot set"):
        offline.meter("hosts").set(quantity)
    assert added(offline) == 0


def test_an_hour_that_is_full_refuses_more_and_keeps_what_it_has(offline: mpguard.Guard) -> None:
    meter = offline.meter("requests")
    meter.add(2**56 - 2)
    with pytest.raises(mpguard.QuantityOutOfRangeError):
        meter.add(2)
    assert added(offline) == 2**56 - 2


def test_a_sum_is_not_set_and_a_level_not_added_to(offline: mpguard.Guard) -> None:
    with pytest.raises(mpguard.WrongMeterKindError, match="`requests`.*call `add`"):
        offline.meter("requests").set(1)
    with pytest.raises(mpguard.WrongMeterKindError, match="`hosts`.*call `set`"):
        offline.meter("hosts").add(1)
    assert added(offline) == added(offline, "hosts") == 0


def test_an_unknown_dimension_is_refused_with_the_known_ones(offline: mpguard.Guard) -> None:
    with pytest.raises(mpguard.UnknownDimensionError) as raised:
        offline.meter("seat")
    for part in ("`seat`", "`requests`", "`megabytes`"):
        assert part in str(raised.value)


@pytest.mark.parametrize("tags", [{"": "a"}, {"a" * 101: "b"}, {str(n): "x" for n in range(6)}])
def test_tags_that_aws_would_refuse_are_refused(offline: mpguard.Guard, tags: dict[str, str]) -> None:
    with pytest.raises(mpguard.InvalidTagError):
        offline.meter("requests", tags)


@pytest.mark.parametrize("tags", ["Team=red", [("Team", "red")], {"Team": 1}, {1: "red"}])
def test_tags_are_a_mapping_of_text_to_text(offline: mpguard.Guard, tags: Any) -> None:
    with pytest.raises(TypeError, match="`tags` is a mapping of text to text"):
        offline.meter("requests", tags)


def add(meter: mpguard.Meter) -> None:
    for _ in range(10_000):
        meter.add(1)


def test_threads_add_without_losing_a_unit(offline: mpguard.Guard) -> None:
    meter = offline.meter("requests")
    threads = [threading.Thread(target=lambda: add(meter)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert added(offline) == 40_000


def test_after_a_shutdown_nothing_is_counted(offline: mpguard.Guard) -> None:
    meter = offline.meter("requests")
    meter.add(1)
    report = offline.shutdown(timedelta(0))
    with pytest.raises(mpguard.ShutDownError, match="`requests`.*nothing was counted"):
        meter.add(1)
    assert added(offline) == 1
    assert sum(each.added for each in report.accounts) == 1


def test_meters_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        mpguard.Meter()


def test_each_hour_is_billed_once(shop: Shop) -> None:
    guard = shop.init("usage")
    requests, megabytes = guard.meter("requests"), guard.meter("megabytes")
    for hour in range(1, 4):
        requests.add(hour)
        megabytes.add(10 * hour)
        shop.sandbox.advance(timedelta(hours=1))
    shop.sandbox.advance(timedelta(hours=1))
    bill = shop.sandbox.bill()
    assert bill["totals"]["3xmpl"] == {"megabytes": "60", "requests": "6"}
    assert len(bill["records"]) == 6
    [account] = [each for each in guard.account() if each.dimension == "requests"]
    assert (account.added, account.delivered) == (6, 6)


def test_flush_sends_the_hours_that_have_ended(shop: Shop) -> None:
    guard = shop.init("usage")
    guard.meter("requests").add(7)
    assert guard.flush(timedelta(seconds=10)).recorded == 0, "the hour still runs"
    # At the turn of the hour, before the moment at which the record would leave by itself.
    shop.sandbox.advance(timedelta(hours=1))
    assert shop.sandbox.bill()["records"] == []
    report = guard.flush(timedelta(seconds=10))
    assert (report.recorded, report.pending) == (7, 0)
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "7"


def test_a_shutdown_sends_the_running_hour(shop: Shop) -> None:
    guard = shop.init("usage")
    guard.meter("requests").add(5)
    report = guard.shutdown(timedelta(seconds=10))
    assert (report.recorded, report.pending, report.may_be_lost) == (5, 0, False)
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "5"
