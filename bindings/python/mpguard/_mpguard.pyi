"""Native half of the package: see bindings/python/src. Use the package `mpguard` itself."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, final

from typing_extensions import Self

__all__ = [
    "Feed",
    "Guard",
    "Meter",
    "Seat",
    "SeatsAsked",
    "UnitsAsked",
    "__version__",
    "after_fork",
    "config_keys",
    "error_codes",
    "event_kinds",
    "examine",
    "examine_json",
    "license_words",
    "report_unraisable",
    "shut_down_all",
    "start",
    "start_from_json",
]

__version__: str

@final
class Meter:
    """A counter of one dimension and tag set, made by :meth:`mpguard.Guard.meter`; keep it and add to it.

    Any thread and any forked child may use it. Neither method takes a lock, makes a system call or allocates.
    """

    @property
    def dimension(self) -> str:
        """API name of the dimension."""

    def add(self, quantity: int, /) -> None:
        """Add ``quantity`` raw counts to the running hour; for dimensions of kind ``sum``.

        Args:
            quantity: A whole number of raw counts, 0 to 2**63 - 1. ``per_unit`` of the dimension says how
                many of them make one billed unit.

        Raises:
            QuantityOutOfRangeError: Negative, or more than the hour can hold. Nothing was counted.
            WrongMeterKindError: The dimension counts a level: call :meth:`set`. Nothing was counted.
            ShutDownError: The guard was shut down. Nothing was counted.
            TypeError: Not a whole number. Nothing was counted.

        Source: AWS Marketplace Metering, ``MeterUsage``.
        """

    def set(self, quantity: int, /) -> None:
        """Say that the level is ``quantity`` now; for dimensions of kind ``max`` and ``last``.

        Args:
            quantity: A whole number of raw counts, 0 to 2**63 - 1.

        Raises:
            QuantityOutOfRangeError, WrongMeterKindError, ShutDownError, TypeError: As :meth:`add`.
        """

@final
class Seat:
    """Seats of a floating entitlement, made by :meth:`mpguard.Guard.check_out`.

    They are kept by extending until :meth:`check_in`, the end of a ``with`` block, or the end of this
    object. They stay those of the process that took them: in a forked child, checking in does nothing.
    """

    @property
    def number(self) -> int:
        """Number of this seat in its guard; events about it carry it as ``seat`` in their details."""

    @property
    def entitlement(self) -> str:
        """API name of the entitlement."""

    @property
    def count(self) -> int:
        """How many seats."""

    @property
    def held(self) -> bool:
        """True while AWS holds the seats for us; false once lost or checked in."""

    @property
    def expires_ms(self) -> int:
        """When they would return by themselves if nothing extended them, in epoch milliseconds."""

    @property
    def expires(self) -> datetime:
        """:attr:`expires_ms` as a datetime in UTC."""

    def check_in(self) -> None:
        """Return the seats; a second call does nothing.

        For ``seat_linger_ms`` they stay with this process, so that its next check-out needs no call to AWS; with 0
        this waits for AWS's answer.

        Raises:
            UnavailableError: AWS did not answer: the seats return by themselves at :attr:`expires_ms`.

        Source: AWS License Manager, ``CheckInLicense``.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Check in; when an error leaves the block, one of the check-in does not hide it."""

@final
class SeatsAsked:
    """Seats that were asked for, by a caller that may give the wait up."""

    def wait(self) -> Seat: ...
    def give_up(self) -> None: ...

@final
class UnitsAsked:
    """Prepaid units that were asked for, by a caller that may give the wait up."""

    def wait(self) -> None: ...
    def give_up(self) -> None: ...

@final
class Feed:
    """Events for the callbacks of one guard, each with the number of its callback."""

    def __new__(cls) -> Self: ...
    def take(self) -> tuple[int, dict[str, Any]] | None: ...
    def close(self) -> None: ...
    def discard(self, callback: int | None = None, /) -> None: ...

@final
class Guard:
    """Native half of :class:`mpguard.Guard`; answers are in the JSON form that every language shares."""

    def verdict(self) -> str: ...
    def license(self) -> dict[str, Any]: ...
    def require(self) -> None: ...
    def has(self, feature: str, /) -> bool: ...
    def meter(self, dimension: str, tags: Mapping[str, str] | None, /) -> Meter: ...
    def check_out(self, entitlement: str, count: int, timeout: timedelta, /) -> Seat: ...
    def draw_down(self, entitlement: str, quantity: int, timeout: timedelta, /) -> None: ...
    def ask_seats(self, entitlement: str, count: int, timeout: timedelta, /) -> SeatsAsked: ...
    def ask_units(self, entitlement: str, quantity: int, timeout: timedelta, /) -> UnitsAsked: ...
    def subscribe(self, feed: Feed, number: int, /) -> None: ...
    def unsubscribe(self, number: int, /) -> None: ...
    def next_event(self, timeout: timedelta | None, /) -> dict[str, Any] | None: ...
    def event_fd(self) -> int: ...
    def account(self) -> list[dict[str, Any]]: ...
    def stats(self) -> dict[str, Any]: ...
    def flush(self, deadline: timedelta, /) -> dict[str, Any]: ...
    def shutdown(self, deadline: timedelta, /) -> dict[str, Any]: ...

def start(keys: dict[str, Any], feed: Feed, heard: bool, /) -> Guard: ...
def start_from_json(text: str, feed: Feed, heard: bool, /) -> Guard: ...
def examine(keys: dict[str, Any], /) -> tuple[dict[str, Any], str, int]: ...
def examine_json(text: str | None, is_terminal: bool, /) -> tuple[dict[str, Any], str, int]: ...
def report_unraisable(callback: Callable[..., object], exception: BaseException) -> None: ...
def after_fork() -> None: ...
def shut_down_all() -> None: ...
def config_keys() -> list[str]: ...
def error_codes() -> list[tuple[str, str, int, str, bool]]: ...
def event_kinds() -> list[tuple[str, str]]: ...
def license_words() -> list[str]: ...
