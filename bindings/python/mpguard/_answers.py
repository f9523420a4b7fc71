"""What the operations of a guard answer: frozen, and with the fields of the JSON form that every language shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._words import EventKind, FindingStatus, Reason, Topic, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Answer:
    __slots__ = ()

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Self:
        return cls(**{each.name: raw[each.name] for each in fields(cls)})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that every language shares."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement(_Answer):
    """One entitlement of a license."""

    name: str
    """API name of the contract dimension."""
    unit: str
    """AWS's unit word: ``None`` for a tier, ``Count`` for seats, ``Gigabytes`` and others for amounts."""
    value: str | None
    """Value of an uncounted entitlement, when the license gives one."""
    max_count: int | None
    """Purchased amount of a counted entitlement, when it is known."""
    consumed: int | None
    """How much of it everybody together has taken, when AWS tells: it needs ``license-manager:GetLicenseUsage``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class License(_Answer):
    """A snapshot of everything that a product asks about its license."""

    verdict: Verdict
    """May the product run?"""
    reason: Reason
    """Why; a word to compare."""
    text: str
    """What to tell a person: what failed, on which thing, and the next step."""
    since_ms: int
    """When the verdict took this value, in epoch milliseconds."""
    until_ms: int | None
    """Until when it holds if AWS says nothing more, in epoch milliseconds."""
    sandbox: bool
    """True when it comes from a sandbox and proves nothing."""
    entitlements: tuple[Entitlement, ...]
    """Entitlements of the contract."""
    license_arn: str | None
    """ARN of the contract's license."""
    license_version: str | None
    """Version of the contract's license."""

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Self:
        entitlements = tuple(Entitlement._of(each) for each in raw["entitlements"])
        return super(License, cls)._of({**raw, "entitlements": entitlements})

    @property
    def since(self) -> datetime:
        """:attr:`since_ms` as a datetime in UTC."""
        return _instant(self.since_ms)

    @property
    def until(self) -> datetime | None:
        """:attr:`until_ms` as a datetime in UTC."""
        return None if self.until_ms is None else _instant(self.until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(_Answer):
    """One event. It carries the whole new state, so a callback never has to add events up."""

    sequence: int
    """Grows by one with each event of a guard."""
    kind: EventKind
    """What happened."""
    topic: Topic
    """What it is about; of each topic and subject only the newest event waits for a slow callback."""
    subject: str | None
    """Which of many: the number of a seat, an entitlement, an operation."""
    old: License
    """State before."""
    license: License
    """State after."""
    text: str
    """What happened, on which thing, and the next step."""
    time_ms: int
    """When, by the guard's clock, in epoch milliseconds."""
    sandbox: bool
    """True when it comes from a sandbox and proves nothing."""
    details: Mapping[str, Any] = field(hash=False)
    """More of this kind's facts: ``dimension``, ``hour_ms``, ``units``, ``entitlement``, ``seat`` and others."""

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Self:
        states = {"old": License._of(raw["old"]), "license": License._of(raw["license"])}
        return super(Event, cls)._of({**raw, **states})

    @property
    def time(self) -> datetime:
        """:attr:`time_ms` as a datetime in UTC."""
        return _instant(self.time_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(_Answer):
    """Where every raw count of a dimension is, or every unit of a drawdown entitlement.

    ``added`` is the sum of the others.
    """

    dimension: str
    """API name of the dimension or entitlement."""
    added: int
    """Everything that ``add`` returned for; everything that was drawn."""
    open: int
    """In the running hour; drawn and not booked."""
    pending: int
    """Of an ended hour, frozen or carried, not yet answered for; being drawn."""
    delivered: int
    """Recorded by AWS; booked."""
    disputed: int
    """Fate unknown for good: neither sent or drawn again, nor forgotten."""
    held: int
    """Refused by AWS until somebody repairs the set-up."""
    missed: int
    """Levels whose hour can no longer be reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownReport(_Answer):
    """What a shutdown came to, in raw counts summed over dimensions."""

    recorded: int
    """Recorded by AWS during the shutdown."""
    pending: int
    """Not recorded yet."""
    disputed: int
    """Fate unknown."""
    seats_returned: int
    """Seats checked in."""
    may_be_lost: bool
    """True when some pending usage lives in a place that ends with this process."""
    accounts: tuple[Account, ...]
    """Where every raw count is now."""

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Self:
        accounts = tuple(Account._of(each) for each in raw["accounts"])
        return super(ShutdownReport, cls)._of({**raw, "accounts": accounts})


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushReport(_Answer):
    """What a flush came to, in raw counts summed over dimensions."""

    recorded: int
    """Recorded by AWS during the flush."""
    pending: int
    """Of ended hours, not recorded yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(_Answer):
    """Counts since :func:`mpguard.init`."""

    calls: int
    """Calls to AWS."""
    calls_failed: int
    """Calls that gave no answer to decide on."""
    events: int
    """Events announced."""
    events_replaced: int
    """Events replaced by a newer one of their topic before a listener took them."""
    listener_failures: int
    """Callbacks that raised."""
    storage: str
    """Where usage is kept: ``durable``, ``container`` or ``memory``."""
    sandbox: bool
    """True when they come from a sandbox and say nothing of AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(_Answer):
    """One matter that the doctor looked at; docs/DOCTOR.md lists them."""

    id: str
    """Stable name, such as ``region`` or ``permission.MeterUsage``."""
    status: FindingStatus
    """How it stands."""
    what: str
    """What was found, in one sentence, without any secret."""
    why: str
    """How we know, or what follows from it."""
    fix: str
    """What to do; empty when there is nothing to do."""
    docs: str
    """Where to read on: a page of ours or of AWS by its title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport(_Answer):
    """What :func:`mpguard.doctor` found out; ``str()`` of it is :attr:`text`."""

    version: str
    """Version of mpguard."""
    sandbox: bool
    """True when a sandbox was examined, which proves nothing about AWS."""
    status: FindingStatus
    """The worst of all."""
    findings: tuple[Finding, ...]
    """In the order of the examination."""
    exit_code: int
    """For the shell: 0 all is well, 1 something should be looked at, 2 something does not work."""
    text: str
    """Every finding in lines for a person; it ends with a newline."""

    @classmethod
    def _made(cls, raw: Mapping[str, Any], text: str, exit_code: int) -> Self:
        findings = tuple(Finding._of(each) for each in raw["findings"])
        return cls._of({**raw, "findings": findings, "text": text, "exit_code": exit_code})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that every language shares; it has neither :attr:`text` nor :attr:`exit_code`."""
        whole = _Answer.to_dict(self)
        return {name: whole[name] for name in whole if name not in ("text", "exit_code")}

    def __str__(self) -> str:
        return self.text


def _instant(ms: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:  # beyond the year 9999, which is where Python's calendar ends
        return datetime.max.replace(tzinfo=timezone.utc)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.to_dict() if isinstance(value, _Answer) else value
