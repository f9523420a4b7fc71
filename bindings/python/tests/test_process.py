"""The process around a guard: signals, fork, and the end of the interpreter."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from conftest import Shop, run

START = """
    import json, os, signal, sys, threading, time
    from datetime import timedelta
    import mpguard
    config = json.loads(sys.argv[1])
"""


def script(config: dict[str, Any], body: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run `body` in an interpreter of its own."""
    import json

    return run(textwrap.dedent(START) + textwrap.dedent(body), json.dumps(config), timeout=timeout)


def clean(done: subprocess.CompletedProcess[str]) -> None:
    """It ended with 0 and said nothing."""
    assert (done.returncode, done.stderr) == (0, "")


def test_the_interpreter_ends_with_a_live_guard_and_a_callback_at_work(shop: Shop) -> None:
    body = """
        at_work = threading.Event()
        def callback(event):
            at_work.set()
            time.sleep(60)
        guard = mpguard.init(on_event=callback, **config)
        guard.meter("requests").add(3)
        assert at_work.wait(10)
    """
    start = time.monotonic()
    clean(script(shop.config("usage"), body))
    assert time.monotonic() - start < 10, "the callback is waited for two seconds and no longer"
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3", "the guard was shut down"


def test_the_interpreter_ends_while_callbacks_never_stop(shop: Shop) -> None:
    body = """
        def callback(event):
            while True:
                time.sleep(0.0001)
        guards = [mpguard.init(on_event=callback, **config) for _ in range(3)]
        time.sleep(0.1)
    """
    for _ in range(3):
        clean(script(shop.config("usage"), body))


def test_the_interpreter_ends_while_threads_wait_in_native_code(shop: Shop) -> None:
    body = """
        guard = mpguard.init(**config)
        def wait():
            while True:
                guard.next_event(timedelta(milliseconds=1))
        for _ in range(8):
            threading.Thread(target=wait, daemon=True).start()
        threading.Thread(target=guard.next_event, daemon=True).start()
        time.sleep(0.2)
    """
    for _ in range(5):
        clean(script(shop.config("usage"), body))


def test_the_interpreter_ends_by_sys_exit_inside_a_block(shop: Shop) -> None:
    body = """
        with mpguard.init(on_event=lambda event: None, **config) as guard:
            guard.meter("requests").add(3)
            sys.exit(7)
    """
    assert script(shop.config("usage"), body).returncode == 7
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"


def test_handlers_that_were_registered_before_may_still_use_the_guard(shop: Shop) -> None:
    body = """
        import atexit
        guard = mpguard.init(**config)
        atexit._clear()
        atexit.register(lambda: print(guard.verdict(), guard.stats().storage))
        from mpguard import _callbacks
        atexit.register(_callbacks._at_exit)
    """
    done = script(shop.config("usage"), body)
    clean(done)
    assert done.stdout.split()[1:] == ["memory"]


def test_ctrl_c_ends_a_long_start(offline_config: dict[str, Any]) -> None:
    body = """
        config.update(startup_timeout_ms=600_000)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        start = time.monotonic()
        try:
            mpguard.init(**config)
        except KeyboardInterrupt:
            print(time.monotonic() - start < 5)
            os._exit(0)
    """
    done = script(offline_config, body)
    assert (done.returncode, done.stdout.strip()) == (0, "True")


def test_ctrl_c_ends_a_wait_for_events(offline_config: dict[str, Any]) -> None:
    body = """
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        guard = mpguard.init(**config)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            for event in guard.events():
                pass
        except KeyboardInterrupt:
            guard.shutdown(timedelta(0))
            print("interrupted")
    """
    done = script(offline_config, body)
    clean(done)
    assert done.stdout.strip() == "interrupted"


def test_a_forked_child_is_told_and_does_not_crash(shop: Shop) -> None:
    shop.sell("Basic")
    body = """
        import warnings
        warnings.simplefilter("ignore")
        guard = mpguard.init(on_event=lambda event: None, **config)
        seat = guard.check_out("Seats")
        meter = guard.meter("requests")
        meter.add(3)
        child = os.fork()
        if child == 0:
            meter.add(4)
            assert guard.verdict() == "licensed"
            assert guard.has("Basic") and guard.license().sandbox and seat.held
            calls = [guard.account, guard.flush, guard.shutdown, guard.next_event, guard.event_fd]
            calls += [seat.check_in, lambda: guard.check_out("Seats"), lambda: guard.subscribe(print)]
            calls += [lambda: guard.unsubscribe(0)]
            for call in calls:
                try:
                    call()
                except mpguard.ThreadError as error:
                    assert f"`{os.getpid()}`" in str(error) and f"`{os.getppid()}`" in str(error)
                else:
                    raise AssertionError(call)
            with mpguard.init(**{**config, "startup_timeout_ms": 20_000}) as own:
                own.meter("megabytes").add(5)
            del guard, seat, meter
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert seat.held
        guard.shutdown(timedelta(seconds=10))
    """
    clean(script(shop.config("usage+contract"), body))
    assert shop.sandbox.bill()["totals"]["3xmpl"] == {"megabytes": "5", "requests": "3"}
    assert shop.seats_in_use() == 0


def test_many_forks_in_the_middle_of_work_end(shop: Shop) -> None:
    body = """
        import warnings
        warnings.simplefilter("ignore")
        guard = mpguard.init(on_event=lambda event: None, **config)
        meter = guard.meter("requests")
        over = threading.Event()
        def work():
            while not over.is_set():
                guard.unsubscribe(guard.subscribe(lambda event: None))
                meter.add(1)
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for _ in range(30):
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                meter.add(1)
                sys.exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        over.set()
        for thread in threads: thread.join()
        guard.shutdown()
    """
    clean(script(shop.config("usage"), body, timeout=120))


def test_sigterm_ends_a_product_that_handles_it(shop: Shop) -> None:
    body = """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with mpguard.init(**config) as guard:
            guard.meter("requests").add(3)
            os.kill(os.getpid(), signal.SIGTERM)
            guard.next_event()
            guard.next_event()
    """
    clean(script(shop.config("usage"), body))
    assert shop.sandbox.bill()["totals"]["3xmpl"]["requests"] == "3"


def test_signals_stay_the_hosts_own() -> None:
    done = run("""
        import signal
        before = {number: signal.getsignal(number) for number in signal.valid_signals()}
        import mpguard
        assert before == {number: signal.getsignal(number) for number in signal.valid_signals()}
    """)
    clean(done)
