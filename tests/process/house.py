"""A product in a task of the sandbox, its processes, and the bill."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from mpguard.pytest_plugin import Sandbox

PRODUCT = "3xmpl"
PROGRAMS = Path(__file__).parent / "programs"
HOUR = timedelta(hours=1)
PATIENCE = 20.0


def until(what: Callable[[], Any], seconds: float = PATIENCE, why: str = "it did not happen in time") -> Any:
    """Wait until `what` gives something true, and give that."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, why
        time.sleep(0.005)
    return found


class Process:
    """A process of a product, that talks in lines. It is killed at the end if it still runs."""

    def __init__(self, command: list[str], *, stderr: IO[bytes] | None = None, **environment: str) -> None:
        self.command = command
        self.heard: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self.pid = self.process.pid
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def hear(self, seconds: float = PATIENCE) -> Any:
        """The next line, as JSON."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"`{' '.join(self.command)}` said nothing for {seconds} s") from None
        assert line is not None, f"`{' '.join(self.command)}` ended with {self.process.wait(10)}"
        return json.loads(line)

    def ask(self, *words: object, seconds: float = PATIENCE) -> Any:
        """Say a line, and hear the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.hear(seconds)

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        if self.process.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def kill_all(self) -> None:
        """SIGKILL for this process and all that it started, as at the end of a container."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE)

    def wait(self, seconds: float = PATIENCE) -> int:
        return self.process.wait(seconds)

    def close(self) -> None:
        self.kill_all()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


class House:
    """A sandbox, a product that is sold there, and the processes of one test."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.started: list[Process] = []
        made = sandbox.post("products", {"product_code": PRODUCT, "dimensions": ["requests", "megabytes"]})
        self.trusted = [
            {
                "code": PRODUCT,
                "sku": made["product_sku"],
                "public_keys": [{"version": 1, "pem": made["public_keys"]["1"]}],
            }
        ]
        self.sku: str = made["product_sku"]

    def config(self, task: str = "app", folder: str = "state", **keys: Any) -> dict[str, Any]:
        """Configuration of a guard of this task, with its state in `folder`."""
        state = self.folder / folder
        state.mkdir(exist_ok=True)
        return {
            "product_code": PRODUCT,
            "pricing": "usage",
            "trusted_products": self.trusted,
            "dimensions": [{"name": "requests"}, {"name": "megabytes"}],
            "sandbox": self.sandbox.task(task),
            "state_dir": str(state),
            "startup_timeout_ms": 20_000,
            **keys,
        }

    def start(self, command: list[str], **environment: str) -> Process:
        process = Process(command, **environment)
        self.started.append(process)
        return process

    def python(self, program: str, config: dict[str, Any], *arguments: str) -> Process:
        """A Python program of `programs`, ready."""
        process = self.start([sys.executable, str(PROGRAMS / program), json.dumps(config), *arguments])
        assert process.hear()["pid"] == process.pid
        return process

    def product(self, config: dict[str, Any]) -> Process:
        """The usual product: see programs/product.py."""
        return self.python("product.py", config)

    def close(self) -> None:
        for process in self.started:
            process.close()

    def advance(self, time: timedelta) -> None:
        """Move the clock on; guards do what falls due."""
        # A process that died in the middle of a poll is waited for once, and forgotten: not in every step.
        self.sandbox.post("clock/settle", {"settle_ms": 1500})
        self.sandbox.advance(time, timedelta(minutes=30))

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.post("faults", {"operation": "MeterUsage", "kind": kind, **more})

    def no_faults(self) -> None:
        self.sandbox._call("DELETE", "faults", None)

    def records(self, task: str = "app") -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self.sandbox.get(f"bill?task={task}")["records"]
        return records

    def billed(self, task: str = "app", dimension: str = "requests") -> int:
        totals = self.sandbox.get(f"bill?task={task}")["totals"]
        return int(totals.get(PRODUCT, {}).get(dimension, "0"))

    def check(self, added: int, task: str = "app", hours: int | None = None) -> None:
        """The buyer pays for exactly what was added, with one record an hour."""
        end = time.monotonic() + 5
        while self.billed(task) != added and time.monotonic() < end:
            time.sleep(0.05)
        billed = self.billed(task)
        assert billed == added, f"{billed} billed and {added} added: {self.records(task)}"
        slots = Counter((record["dimension"], record["hour_ms"]) for record in self.records(task))
        assert set(slots.values()) <= {1}, slots
        if hours is not None:
            assert len([slot for slot in slots if slot[0] == "requests"]) == hours, slots

    def leader(self, folder: str = "state") -> int | None:
        """Process id of the one that leads, as the kernel's table of locks has it."""
        for lock in (self.folder / folder).glob("mpg1-*/leader.lock"):
            inode = str(lock.stat().st_ino)
            for line in Path("/proc/locks").read_text().splitlines():
                words = line.split()
                if "->" not in words and words[1] == "FLOCK" and words[5].rsplit(":", 1)[1] == inode:
                    return int(words[4])
        return None


def open_and_pending(account: dict[str, int]) -> int:
    return account["open"] + account["pending"]


def settled(account: dict[str, int]) -> bool:
    """Each raw count is in exactly one place."""
    places = ("open", "pending", "delivered", "disputed", "held", "missed")
    return account["added"] == sum(account[place] for place in places)
