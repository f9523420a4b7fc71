"""mpguard for asyncio: the same guard, with ``await`` where the other one waits.

::

    async with await mpguard.aio.init(product_code="3xmpl", pricing="hourly", trusted_products=[...]) as guard:
        async for event in guard.events():
            print(event.text)
"""

from __future__ import annotations

import _thread
import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, overload

from . import _guard
from .errors import ShutDownError, ThreadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self, Unpack

    from ._answers import Account, DoctorReport, Event, FlushReport, License, ShutdownReport, Stats
    from ._config import Config
    from ._mpguard import Meter, SeatsAsked, UnitsAsked
    from ._mpguard import Seat as SyncSeat
    from ._words import Topic, Verdict

__all__ = ["Guard", "Seat", "doctor", "doctor_from_json", "init", "init_from_json"]


async def init(
    *, on_event: Callable[[Event], object] | None = None, **config: Unpack[Config]
) -> Guard:
    """As :func:`mpguard.init`, without blocking the loop."""
    return Guard(await asyncio.to_thread(_guard.init, on_event=on_event, **config))


async def init_from_json(text: str, *, on_event: Callable[[Event], object] | None = None) -> Guard:
    """As :func:`mpguard.init_from_json`, without blocking the loop."""
    return Guard(await asyncio.to_thread(_guard.init_from_json, text, on_event=on_event))


@overload
async def doctor() -> DoctorReport: ...
@overload
async def doctor(**config: Unpack[Config]) -> DoctorReport: ...
async def doctor(**config: Any) -> DoctorReport:
    """As :func:`mpguard.doctor`, without blocking the loop."""
    from . import _doctor

    return await asyncio.to_thread(lambda: _doctor.doctor(**config))


async def doctor_from_json(text: str) -> DoctorReport:
    """As :func:`mpguard.doctor_from_json`, without blocking the loop."""
    from . import _doctor

    return await asyncio.to_thread(_doctor.doctor_from_json, text)


async def _answer(asked: SeatsAsked | UnitsAsked) -> Any:
    """What a wish came to, waited for on a thread of its own.

    Not one of the loop's executor: those are few, and also look up names and read files. Customers who wait a minute
    for a seat would hold them all.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def put(result: Any, error: Exception | None) -> None:
        if future.done():  # cancelled, and given up
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def wait() -> None:
        result, error = None, None
        try:
            result = asked.wait()
        except Exception as raised:  # noqa: BLE001 - told to whoever awaits
            error = raised
        try:
            loop.call_soon_threadsafe(put, result, error)
        except RuntimeError:  # the loop is closed: nobody takes it
            asked.give_up()

    try:
        _thread.start_new_thread(wait, ())  # threading.Thread would hold the loop until it runs
    except RuntimeError as error:
        asked.give_up()
        raise ThreadError(f"cannot start a thread to wait on: {error}; allow this process more threads") from error
    try:
        return await future
    except (asyncio.CancelledError, GeneratorExit):
        asked.give_up()
        raise


class Guard:
    """A :class:`mpguard.Guard` for one event loop; what never waits is not a coroutine."""

    __slots__ = ("sync",)

    def __init__(self, sync: _guard.Guard) -> None:
        self.sync = sync
        """The guard itself."""

    def verdict(self) -> Verdict:
        """As :meth:`mpguard.Guard.verdict`."""
        return self.sync.verdict()

    def license(self) -> License:
        """As :meth:`mpguard.Guard.license`."""
        return self.sync.license()

    def require(self) -> None:
        """As :meth:`mpguard.Guard.require`."""
        self.sync.require()

    def has(self, feature: str) -> bool:
        """As :meth:`mpguard.Guard.has`."""
        return self.sync.has(feature)

    def meter(self, dimension: str, tags: Mapping[str, str] | None = None) -> Meter:
        """As :meth:`mpguard.Guard.meter`."""
        return self.sync.meter(dimension, tags)

    def stats(self) -> Stats:
        """As :meth:`mpguard.Guard.stats`."""
        return self.sync.stats()

    async def check_out(
        self, entitlement: str, count: int = 1, timeout: timedelta = _guard._CHECK_OUT
    ) -> Seat:
        """As :meth:`mpguard.Guard.check_out`; a wait that is cancelled takes no seat."""
        return Seat(await _answer(self.sync._native.ask_seats(entitlement, count, timeout)))

    async def draw_down(
        self, entitlement: str, quantity: int, timeout: timedelta = _guard._DRAW_DOWN
    ) -> None:
        """As :meth:`mpguard.Guard.draw_down`; a wait that is cancelled books nothing."""
        await _answer(self.sync._native.ask_units(entitlement, quantity, timeout))

    async def account(self) -> list[Account]:
        """As :meth:`mpguard.Guard.account`."""
        return await asyncio.to_thread(self.sync.account)

    async def flush(self, deadline: timedelta = _guard._FLUSH) -> FlushReport:
        """As :meth:`mpguard.Guard.flush`."""
        return await asyncio.to_thread(self.sync.flush, deadline)

    async def shutdown(self, deadline: timedelta = _guard._SHUTDOWN) -> ShutdownReport:
        """As :meth:`mpguard.Guard.shutdown`."""
        return await asyncio.to_thread(self.sync.shutdown, deadline)

    async def events(self) -> AsyncIterator[Event]:
        """The current state and then every event, until the guard is shut down.

        Each iterator hears all events; of each topic and subject only the newest waits for a slow one.
        """
        loop = asyncio.get_running_loop()
        waiting: dict[tuple[Topic, str | None], Event] = {}
        changed = asyncio.Event()
        ended = False

        def put(event: Event) -> None:
            about = (event.topic, event.subject)
            waiting.pop(about, None)
            waiting[about] = event
            changed.set()

        def end() -> None:
            nonlocal ended
            ended = True
            changed.set()

        def later(call: Callable[..., None], *arguments: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(call, *arguments)

        try:
            subscription = self.sync._subscribe(lambda event: later(put, event), lambda: later(end))
        except ShutDownError:
            return
        try:
            while True:
                while waiting:
                    yield waiting.pop(next(iter(waiting)))
                if ended:
                    return
                await changed.wait()
                changed.clear()
        finally:
            self.sync.unsubscribe(subscription)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Shut down with a deadline of five seconds, unless that was done before."""
        await asyncio.to_thread(self.sync.__exit__, kind, value, traceback)

    def __repr__(self) -> str:
        return f"<mpguard.aio.Guard: {self.verdict()}>"


class Seat:
    """A :class:`mpguard.Seat` for one event loop."""

    __slots__ = ("sync",)

    def __init__(self, sync: SyncSeat) -> None:
        self.sync = sync
        """The seat itself."""

    @property
    def number(self) -> int:
        """Number of this seat in its guard; events about it carry it as ``seat`` in their details."""
        return self.sync.number

    @property
    def entitlement(self) -> str:
        """API name of the entitlement."""
        return self.sync.entitlement

    @property
    def count(self) -> int:
        """How many seats."""
        return self.sync.count

    @property
    def held(self) -> bool:
        """True while AWS holds the seats for us; false once lost or checked in."""
        return self.sync.held

    @property
    def expires_ms(self) -> int:
        """When they would return by themselves if nothing extended them, in epoch milliseconds."""
        return self.sync.expires_ms

    async def check_in(self) -> None:
        """As :meth:`mpguard.Seat.check_in`."""
        await asyncio.to_thread(self.sync.check_in)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Check in; when an error leaves the block, one of the check-in does not hide it."""
        await asyncio.to_thread(self.sync.__exit__, kind, value, traceback)
