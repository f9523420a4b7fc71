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


def test_everything_works_in_a_forked_child(shop: Shop) -> None:
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
            signal.alarm(20)
            meter.add(4)
            assert guard.verdict() == "licensed"
            assert guard.has("Basic") and guard.license().sandbox
            guard.require()
            guard.meter("megabytes", {"Team": "red"}).add(5)
            assert {each.dimension: each.added for each in guard.account()}["requests"] == 7
            assert guard.next_event(timedelta(seconds=5)).kind == "verdict_changed"
            assert guard.event_fd() >= 0 and guard.stats().events >= 0
            heard = threading.Event()
            guard.unsubscribe(guard.subscribe(lambda event: heard.set()))
            seat.check_in()  # its parent's: does nothing
            with guard.check_out("Seats") as own:
                assert own.held
            guard.flush()
            report = guard.shutdown()
            assert report.recorded == 0, "it is not the last process of the task"
            try:
                meter2 = guard.meter("requests")
            except mpguard.ShutDownError:
                pass
            else:
                raise AssertionError("it was shut down here")
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert seat.held
        guard.require()
        meter.add(1)
        guard.shutdown(timedelta(seconds=10))
    """
    clean(script(shop.config("usage+contract"), body))
    assert shop.sandbox.bill()["totals"]["3xmpl"] == {"megabytes": "5", "requests": "8"}
    assert len(shop.sandbox.bill()["records"]) == 2
    assert shop.seats_in_use() == 0


def test_callbacks_are_called_in_a_forked_child_too(shop: Shop) -> None:
    """Those of `init` and those of `subscribe`; a new one as well."""
    body = """
        import warnings
        warnings.simplefilter("ignore")
        heard = []
        guard = mpguard.init(on_event=lambda event: heard.append("init"), **config)
        guard.subscribe(lambda event: heard.append(f"subscribed in {os.getpid()}"))
        def until(what):
            end = time.monotonic() + 10
            while not what():
                assert time.monotonic() < end, heard
                time.sleep(0.005)
        until(lambda: len(heard) >= 2)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            heard.clear()
            until(lambda: f"subscribed in {os.getpid()}" in heard)
            guard.subscribe(lambda event: heard.append("new"))
            until(lambda: "new" in heard)
            names = [thread.name for thread in threading.enumerate()]
            assert names.count("mpguard-events") == 1, names
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    clean(script(shop.config("usage"), body))


def test_a_guard_that_was_shut_down_stays_so_in_a_child(shop: Shop) -> None:
    body = """
        guard = mpguard.init(**config)
        guard.shutdown()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            assert guard.license().reason == "shut_down"
            try:
                guard.meter("requests")
            except mpguard.ShutDownError:
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    clean(script(shop.config("usage"), body))


def test_a_child_that_makes_no_call_has_threads_soon_and_one_that_ends_at_once_has_none(shop: Shop) -> None:
    body = """
        import warnings
        warnings.simplefilter("ignore")
        threads = lambda: {open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")}
        guard = mpguard.init(**config)
        assert "mpguard" in threads()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            assert "mpguard" not in threads()
            while "mpguard" not in threads():
                time.sleep(0.01)
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    clean(script(shop.config("usage"), body))


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
        for turn in range(30):
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                meter.add(1)
                if turn % 3 == 0:
                    guard.subscribe(lambda event: None)
                    guard.account()
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
