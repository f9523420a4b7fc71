"""License: what a product asks before it lets somebody work."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import mpguard
import pytest
from conftest import Shop
from mpguard import _answers

START = datetime(2026, 1, 1, 10, tzinfo=timezone.utc)


def test_without_an_answer_nothing_is_licensed(offline: mpguard.Guard) -> None:
    assert offline.verdict() == "pending"
    assert not offline.has("Basic")
    with pytest.raises(mpguard.PendingError) as raised:
        offline.require()
    assert raised.value.retryable
    assert repr(offline) == "<mpguard.Guard: pending>"


def test_a_registered_product_is_licensed(shop: Shop) -> None:
    guard = shop.init("hourly")
    license = guard.license()
    assert (guard.verdict(), license.verdict, license.reason) == ("licensed", "licensed", "entitled")
    assert license.since >= START - timedelta(hours=1)
    assert license.sandbox
    assert guard.require() is None  # type: ignore[func-returns-value]


def test_a_contract_shows_what_was_bought(shop: Shop) -> None:
    shop.sell("Basic", seats=3)
    guard = shop.init("contract")
    assert guard.has("Basic")
    assert not guard.has("Premium")
    license = guard.license()
    bought = {each.name: each for each in license.entitlements}
    assert bought["Basic"].unit == "None"
    assert bought["Seats"].unit == "Count"
    assert license.license_arn is not None
    assert license.license_version == "1"


def test_a_denial_raises_with_what_the_buyer_must_do(shop: Shop) -> None:
    shop.sandbox.post("subscriptions", {"product_code": "3xmpl", "subscribed": False})
    with pytest.raises(mpguard.NotEntitledError) as raised:
        shop.init("hourly")
    assert raised.value.kind == "entitlement"
    assert not raised.value.retryable
    assert "3xmpl" in str(raised.value) or "subscri" in str(raised.value)


def test_a_missing_permission_is_told_from_a_missing_subscription(shop: Shop) -> None:
    shop.sandbox.post("switches", {"iam_denied": ["aws-marketplace:RegisterUsage"]})
    with pytest.raises(mpguard.AccessDeniedError, match="RegisterUsage"):
        shop.init("hourly")


def test_an_upgrade_shows_in_a_running_guard(shop: Shop) -> None:
    license_id = shop.sell("Basic")
    guard = shop.init("contract")
    tiers = [{"name": name, "unit": "None", "value": "Enabled"} for name in ("Basic", "Premium")]
    seats = {"name": "Seats", "unit": "Count", "max_count": 2, "allow_check_in": True}
    shop.sandbox.post(f"licenses/{license_id}/upgrade", {"entitlements": [*tiers, seats]})
    shop.sandbox.advance(timedelta(minutes=40), step=timedelta(minutes=5))
    assert guard.has("Premium")
    assert guard.license().license_version == "2"


def test_a_snapshot_cannot_be_changed(offline: mpguard.Guard) -> None:
    license = offline.license()
    with pytest.raises(dataclasses.FrozenInstanceError):
        license.verdict = "licensed"  # type: ignore[misc]
    assert license == offline.license()
    assert hash(license) == hash(offline.license())


def test_a_snapshot_has_everything_that_the_core_tells(shop: Shop) -> None:
    shop.sell("Basic")
    guard = shop.init("contract")
    told = guard._native.license()
    assert told["entitlements"], "there must be something inside to compare"
    assert guard.license().to_dict() == told


def test_times_are_in_utc() -> None:
    assert _answers._instant(1_767_261_600_123) == START + timedelta(milliseconds=123)
    assert _answers._instant(-1).year == 1969
    assert _answers._instant(2**63 - 1).year == 9999, "Python's calendar ends there"
