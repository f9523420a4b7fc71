# Generated from core/src/event.rs, core/src/model/finding.rs and core/src/model/license.rs by bindings/python/tools/generate.py; do not edit.
"""The words in which a guard answers."""

from __future__ import annotations

from typing import Literal

EventKind = Literal[
    "verdict_changed",
    "license_upgraded",
    "license_downgraded",
    "license_renewed",
    "license_expiring",
    "license_expired",
    "license_suspended",
    "seat_lost",
    "seats_exhausted",
    "seats_available",
    "usage_carried",
    "usage_disputed",
    "usage_held",
    "usage_missed",
    "metering_outage",
    "metering_recovered",
    "usage_crossed_month",
    "key_rotation",
    "weak_key",
    "permission_missing",
    "storage_weak",
    "clock_skew",
    "storage_quarantined",
    "ledger_split",
    "leader_stalled",
    "unit_mismatch",
    "several_licenses",
    "license_cache_refused",
    "drawdown_low",
    "drawdown_exhausted",
    "drawdown_disputed",
]
"""What happened."""

FindingStatus = Literal[
    "skipped",
    "passed",
    "warning",
    "failed",
]
"""How a matter stands."""

Reason = Literal[
    "starting",
    "entitled",
    "unreachable",
    "throttled",
    "access_denied",
    "not_entitled",
    "expired",
    "suspended",
    "stale",
    "platform_not_supported",
    "invalid_region",
    "invalid_product",
    "signature_invalid",
    "no_seat",
    "shut_down",
]
"""Why the verdict is what it is."""

Topic = Literal[
    "verdict",
    "license",
    "seat",
    "metering",
    "outage",
    "setup",
    "storage",
    "drawdown",
]
"""What an event is about."""

Verdict = Literal[
    "pending",
    "licensed",
    "grace",
    "denied",
]
"""May the product run?"""
