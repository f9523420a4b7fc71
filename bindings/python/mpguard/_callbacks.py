"""Callbacks: a daemon thread of ours takes events out of a native feed and calls Python.

Native threads never enter Python, and the thread waits without the GIL. It is a daemon so that it never
keeps a product alive, and `atexit` wakes and joins it, so that it never waits in native code while the
interpreter goes away.

A forked child has none of its parent's threads, and locks as they were at the fork. So it gets new ones, of
Python here and of ours in the native half.
"""

from __future__ import annotations

import atexit
import os
from time import monotonic
TYPE_CHECKING = False  # as type checkers read it, without the cost of importing typing

from ._mpguard import Feed, after_fork, report_unraisable, shut_down_all

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import Any

    from ._answers import Event

    _Callback = Callable[[Event], object]

_EXIT_WAIT_SECONDS = 2.0

_running: set[Callbacks] = set()

_hooked = False


class Callbacks:
    """Callbacks of one guard, each with a number."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.failures = 0
        self._process = os.getpid()
        # Made by the first callback: a guard without any starts without importing `threading`.
        self._condition: threading.Condition | None = None
        self._callbacks: dict[int, _Callback] = {}
        self._at_end: dict[int, Callable[[], object]] = {}
        self._next = 0
        self._current: int | None = None
        self._thread: threading.Thread | None = None
        self._ended = False

    @property
    def _changed(self) -> threading.Condition:
        if self._condition is None:
            from threading import Condition

            # One winner, should two threads come here at once.
            self.__dict__.setdefault("_made", Condition())
            self._condition = self.__dict__["_made"]
        return self._condition

    @property
    def ended(self) -> bool:
        """True when no callback starts any more."""
        return self._ended

    def add(self, callback: _Callback, at_end: Callable[[], object] | None = None) -> int:
        """Keep `callback`; its number marks its events in the feed. `at_end` is called after the last event."""
        if not callable(callback):
            raise TypeError(f"a callback takes one event, found `{callback!r}` which cannot be called")
        # Here and not on our thread: a fork during an import leaves its lock held in the child for ever.
        import threading

        from . import _answers  # noqa: F401
        with self._changed:
            number = self._next
            self._next += 1
            self._callbacks[number] = callback
            if at_end is not None:
                self._at_end[number] = at_end
            if self._thread is None:
                self._start()
            return number

    def _start(self) -> None:
        import threading

        _hook()
        self._thread = threading.Thread(target=self._run, name="mpguard-events", daemon=True)
        self._thread.start()
        _running.add(self)

    def _after_fork(self) -> None:
        """Begin anew in a forked child: no thread is here but the one that forked."""
        import threading

        self._process = os.getpid()
        self._condition = None
        self.__dict__.pop("_made", None)
        # Those with an end belong to an event loop of the parent, which is of no use here.
        for number in self._at_end:
            self._callbacks.pop(number, None)
        self._at_end.clear()
        if threading.current_thread() is self._thread:
            return  # forked by a callback, which goes on
        self._thread = None
        self._current = None
        if self._ended or not self._callbacks:
            _running.discard(self)
        else:
            self._start()

    def remove(self, number: int) -> None:
        """Forget a callback; once this has returned on another thread than the callback's, it runs no more."""
        import threading

        with self._changed:
            self._callbacks.pop(number, None)
            self._at_end.pop(number, None)
            self.feed.discard(number)
            if threading.current_thread() is not self._thread:
                self._changed.wait_for(lambda: self._current != number)

    def end(self, timeout: float) -> None:
        """Let the events that are here be heard, at most for `timeout` seconds, then start no callback any more.

        From inside a callback nothing is waited for: what is here is dropped.
        """
        if self._process != os.getpid():
            return  # forked past Python's back: the thread is the parent's, and so are the locks it may have held
        self.feed.close()
        if self._condition is None:
            self._ended = True  # there never was a callback
            return
        import threading

        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        with self._changed:
            self._ended = True
            self._callbacks.clear()
        self.feed.discard()

    def _run(self) -> None:
        while self._step():
            pass
        with self._changed:
            self._ended = True
            at_end = list(self._at_end.values())
            self._at_end.clear()
        for call in at_end:
            self._call(call)
        _running.discard(self)

    def _step(self) -> bool:
        """Wait for one event and deliver it. A function of its own, so that nothing of it is kept while waiting."""
        item = self.feed.take()
        if item is None:
            return False
        number, raw = item
        with self._changed:
            callback = self._callbacks.get(number)
            if callback is None:
                return True
            self._current = number
        try:
            self._deliver(callback, raw)
        finally:
            with self._changed:
                self._current = None
                self._changed.notify_all()
        return True

    def _deliver(self, callback: _Callback, raw: dict[str, Any]) -> None:
        from ._answers import Event

        self._call(callback, Event._of(raw))

    def _call(self, callback: Callable[..., object], *arguments: object) -> None:
        try:
            callback(*arguments)
        except BaseException as exception:  # SystemExit too: one callback never stops the delivery to the others
            self.failures += 1
            report_unraisable(callback, exception)


def _hook() -> None:
    """Have callbacks go on in forked children; after `threading` has seen to its own threads there."""
    global _hooked
    if not _hooked:
        _hooked = True
        os.register_at_fork(after_in_child=_restart)


def _restart() -> None:
    for callbacks in list(_running):
        callbacks._after_fork()


def _at_exit() -> None:
    """Shut down what is still up, and end our threads."""
    shut_down_all()
    end = monotonic() + _EXIT_WAIT_SECONDS
    for callbacks in list(_running):
        callbacks.end(max(0.0, end - monotonic()))


atexit.register(_at_exit)
os.register_at_fork(after_in_child=after_fork)
