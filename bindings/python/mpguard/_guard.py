"""The door: `init`, and the guard that it gives."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
TYPE_CHECKING = False  # as type checkers read it, without the cost of importing typing

from . import _mpguard
from ._callbacks import Callbacks
from .errors import ShutDownError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self, Unpack

    from ._answers import Account, Event, FlushReport, License, ShutdownReport, Stats
    from ._config import Config
    from ._mpguard import Meter, Seat
    from ._words import Verdict

_SHUTDOWN = timedelta(seconds=5)
_CHECK_OUT = timedelta(seconds=30)
_DRAW_DOWN = timedelta(seconds=30)
_FLUSH = timedelta(seconds=30)


def init(
    *, on_event: Callable[[Event], object] | None = None, **config: Unpack[Config]
) -> Guard:
    """Start a guard and wait for the first verdict, at most ``startup_timeout``.

    Args:
        on_event: Called with every event from the first verdict on; see :meth:`Guard.subscribe`.
        config: The keys of docs/CONFIGURATION.md. Each key that ends in ``_ms`` is also taken without that
            ending as a :class:`~datetime.timedelta`: ``startup_timeout=timedelta(seconds=20)``.

    Raises:
        InvalidConfigError: An unknown key, a bad value, or keys that contradict each other.
        NotEntitledError: AWS said no. This and the other errors of kind ``entitlement`` (such as
            AccessDeniedError and PlatformNotSupportedError) say why and what the buyer must do.
        PendingError: The time is over without an answer, and ``startup_pending`` is ``fail``.
        ThreadError: A thread could not be started.

    Source: AWS Marketplace Metering, ``RegisterUsage`` and ``MeterUsage``; License Manager, ``CheckoutLicense``.
    """
    return _start(_mpguard.start, dict(config), on_event)


def init_from_json(text: str, *, on_event: Callable[[Event], object] | None = None) -> Guard:
    """Start a guard from a JSON object of keys; otherwise as :func:`init`.

    Raises:
        InvalidConfigError: Not a JSON object, or as in :func:`init`.
    """
    return _start(_mpguard.start_from_json, text, on_event)


def _start(
    start: Callable[..., _mpguard.Guard],
    config: object,
    on_event: Callable[[Event], object] | None,
) -> Guard:
    callbacks = Callbacks()
    if on_event is not None:
        callbacks.add(on_event)
    try:
        native = start(config, callbacks.feed, on_event is not None)
    except BaseException:
        callbacks.end(_SHUTDOWN.total_seconds())
        raise
    return Guard(native, callbacks)


class Guard:
    """The live object, made by :func:`init`; any thread may use it.

    Leaving a ``with`` block shuts it down. A guard that is dropped, or still up when the interpreter exits,
    is shut down with a deadline of five seconds.

    It works in forked children too. A child counts at once, with the meters that it has or new ones; soon
    after the fork, or at its first other call, it has threads of its own, and one of the task's processes
    sends for all. Callbacks are called in the child as well. :meth:`shutdown` in a child ends the child's
    share; the running hour is sent by the last process of the task.
    """

    __slots__ = ("__weakref__", "_callbacks", "_native")

    def __init__(self, native: _mpguard.Guard, callbacks: Callbacks) -> None:
        self._native = native
        self._callbacks = callbacks

    def verdict(self) -> Verdict:
        """May the product run? ``pending``, ``licensed``, ``grace`` or ``denied``; never waits."""
        return self._native.verdict()  # type: ignore[return-value]

    def license(self) -> License:
        """Verdict, reason and entitlements at this moment; never waits."""
        from ._answers import License

        return License._of(self._native.license())

    def require(self) -> None:
        """Return when the product may run now; never waits.

        Raises:
            PendingError: AWS has not answered yet.
            NotEntitledError: Or the error of another denial, with what the buyer must do.
        """
        self._native.require()

    def has(self, feature: str) -> bool:
        """True when the product may run now and its contract has the entitlement ``feature``; never waits."""
        return self._native.has(feature)

    def meter(self, dimension: str, tags: Mapping[str, str] | None = None) -> Meter:
        """A counter for one pricing dimension, to keep and add to.

        Args:
            dimension: API name of a pricing dimension of this product.
            tags: At most 5 tags; usage is split by them in the record (usage allocations).

        Raises:
            UnknownDimensionError: The product has no such dimension.
            InvalidTagError: A key or value that AWS would refuse.
            ShutDownError: The guard was shut down.

        Source: AWS Marketplace Metering, ``MeterUsage``.
        """
        return self._native.meter(dimension, tags)

    def check_out(self, entitlement: str, count: int = 1, timeout: timedelta = _CHECK_OUT) -> Seat:
        """Take seats of a floating entitlement and keep them until they are checked in.

        While every seat of the contract is taken it waits for one to come free, in the order of the calls. A wait
        that Ctrl-C ends takes no seat.

        Args:
            entitlement: API name of an entitlement of kind ``floating``.
            count: How many seats, all or none.
            timeout: How long to wait, for AWS and for a seat to come free.

        Raises:
            NoSeatError: Every seat of the contract is taken, and none came free in time.
            NotEntitledError: The contract has no such entitlement, or not so many.
            UnknownEntitlementError: The configuration names no such floating entitlement.
            InvalidArgumentError: A count under 1.
            TimedOutError, UnavailableError: No answer; what AWS may still give is returned.
            ShutDownError: The guard was shut down.

        Source: AWS License Manager, ``CheckoutLicense``.
        """
        return self._native.check_out(entitlement, count, timeout)

    def draw_down(self, entitlement: str, quantity: int, timeout: timedelta = _DRAW_DOWN) -> None:
        """Book prepaid units of a drawdown entitlement; start the work after it has returned.

        Units are drawn from the contract exactly once, whatever answers, processes or networks are lost on the way.
        When it raises, or Ctrl-C ends the wait, nothing is booked; units that AWS gives later serve the next call.
        :meth:`account` shows drawn, booked and disputed units.

        Args:
            entitlement: API name of an entitlement of kind ``drawdown``.
            quantity: How many units, all or none.
            timeout: How long to wait for AWS.

        Raises:
            ExhaustedError: The contract has not so many units left.
            NotEntitledError: The contract has no such entitlement.
            UnknownEntitlementError: The configuration names no such drawdown entitlement.
            InvalidArgumentError: A quantity under 1.
            TimedOutError, UnavailableError: No answer.
            ShutDownError: The guard was shut down.

        Source: AWS License Manager, ``CheckoutLicense``, checkout type ``PERPETUAL``.
        """
        self._native.draw_down(entitlement, quantity, timeout)

    def subscribe(self, callback: Callable[[Event], object]) -> int:
        """Call ``callback`` with the current state and then with every event; gives a number for :meth:`unsubscribe`.

        All callbacks of a guard run one after another on a thread named ``mpguard-events``. They may call
        anything, :meth:`shutdown` included. One that raises is reported through :func:`sys.unraisablehook`
        and counted in :class:`Stats`; the others go on. Of each topic and subject only the newest event waits for a
        slow callback.

        Raises:
            ShutDownError: The guard was shut down.
        """
        return self._subscribe(callback)

    def _subscribe(
        self, callback: Callable[[Event], object], at_end: Callable[[], object] | None = None
    ) -> int:
        if self._callbacks.ended:
            raise ShutDownError("cannot subscribe: the guard was shut down; init a new guard")
        number = self._callbacks.add(callback, at_end)
        self._native.subscribe(self._callbacks.feed, number)
        return number

    def unsubscribe(self, subscription: int) -> None:
        """Remove a callback; once this has returned on another thread than the callback's, it runs no more."""
        self._native.unsubscribe(subscription)
        self._callbacks.remove(subscription)

    def next_event(self, timeout: timedelta | None = None) -> Event | None:
        """The next event of this guard's own queue; waits at most ``timeout``, for ever without one.

        Gives ``None`` when the time is over, or when the guard was shut down and the queue is empty. The
        queue starts with the first call of this, :meth:`events` or :meth:`event_fd`, and has one reader at
        a time; callbacks are independent of it. A forked child has a queue of its own.
        """
        from ._answers import Event

        raw = self._native.next_event(timeout)
        return None if raw is None else Event._of(raw)

    def events(self) -> Iterator[Event]:
        """Every event of this guard's own queue, until it is shut down; see :meth:`next_event`."""
        while (event := self.next_event()) is not None:
            yield event

    def event_fd(self) -> int:
        """A file descriptor that is readable while :meth:`next_event` has something to give.

        It belongs to the guard: wait on it, never read or close it. A forked child asks for one of its own.

        Raises:
            StorageError: The system gives no descriptor.
        """
        return self._native.event_fd()

    def fileno(self) -> int:
        """:meth:`event_fd`, under the name by which :mod:`selectors` and event loops ask for it."""
        return self.event_fd()

    def account(self) -> list[Account]:
        """Where every raw count is, one entry a dimension, and every prepaid unit, one entry a drawdown entitlement.

        Of units, ``open`` is drawn and not booked, ``pending`` is being drawn, ``delivered`` is booked.

        Raises:
            ShutDownError: The guard has ended without a report.
        """
        from ._answers import Account

        return [Account._of(raw) for raw in self._native.account()]

    def stats(self) -> Stats:
        """Counts of calls, failures and events since :func:`init`; never waits."""
        from ._answers import Stats

        raw = self._native.stats()
        raw["listener_failures"] += self._callbacks.failures
        return Stats._of(raw)

    def flush(self, deadline: timedelta = _FLUSH) -> FlushReport:
        """Send the usage of all ended hours now instead of at its time; waits at most ``deadline``.

        The running hour is not touched: a record sent early would lock it.

        Raises:
            ShutDownError: The guard was shut down.
        """
        from ._answers import FlushReport

        return FlushReport._of(self._native.flush(deadline))

    def shutdown(self, deadline: timedelta = _SHUTDOWN) -> ShutdownReport:
        """End the guard: send what is counted, return seats, report what is left; waits at most ``deadline``.

        The running hour is sent by the last process of the task that ends; a worker that another one replaces
        sends nothing early.

        Once it has returned, no callback starts. It works from inside a callback too: no further callback
        starts once that one has returned.

        Raises:
            ShutDownError: It was shut down before.
        """
        from ._answers import ShutdownReport

        end = monotonic() + _seconds(deadline)
        report = self._native.shutdown(deadline)
        self._callbacks.end(max(_LAST_WORDS_SECONDS, end - monotonic()))
        return ShutdownReport._of(report)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Shut down with a deadline of five seconds, unless that was done before."""
        try:
            self.shutdown()
        except ShutDownError:
            pass  # inside the block, or by a callback

    def __repr__(self) -> str:
        return f"<mpguard.Guard: {self.verdict()}>"


# What a callback has to end in when the deadline went into sending.
_LAST_WORDS_SECONDS = 0.2


def _seconds(time: Any) -> float:
    return time.total_seconds() if isinstance(time, timedelta) else 0.0
