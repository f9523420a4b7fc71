"""A pytest plugin: the fixture ``mpguard_sandbox``, AWS's side of Marketplace on this machine.

::

    def test_requests_are_billed(mpguard_sandbox):
        mpguard_sandbox.post("products", {"product_code": "3xmpl", "dimensions": ["requests"]})
        with mpguard.init(
            product_code="3xmpl",
            pricing="usage",
            dimensions=[{"name": "requests"}],
            sandbox=mpguard_sandbox.task("app"),
        ) as guard:
            guard.meter("requests").add(17)
            mpguard_sandbox.advance(timedelta(hours=2))
        assert mpguard_sandbox.bill()["totals"]["3xmpl"]["requests"] == "17"

The program is the command ``mpguard`` of the environment variable MPGUARD_BIN, else of the PATH. It is
started once a session with a frozen clock; before each test it is emptied and its clock set back.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

# A proxy of the environment has no business between a test and its own machine.
_opener = build_opener(ProxyHandler({}))

_PATIENCE_SECONDS = 60


class Sandbox:
    """A running ``mpguard sandbox``; its control API is in docs/SANDBOX.md."""

    def __init__(self, url: str) -> None:
        self.url = url
        """Its address, such as ``http://127.0.0.1:4000``; AWS clients take it as their endpoint."""

    def task(self, name: str) -> str:
        """What goes into the configuration key ``sandbox`` for a guard that runs in the task ``name``."""
        return f"{self.url}/t/{name}"

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call the control API: ``post("subscriptions", {...})`` goes to ``/_sandbox/subscriptions``."""
        return self._call("POST", path, body or {})

    def get(self, path: str) -> dict[str, Any]:
        """Look at something: ``get("seats")``, ``get("requests?operation=MeterUsage")``."""
        return self._call("GET", path, None)

    def advance(self, time: timedelta, step: timedelta | None = None) -> datetime:
        """Move the clock on, and let every guard do what is due then; gives the new time.

        Long ways are gone in steps (of an hour, or ``step``), so that what falls due is done in its order.
        """
        body = {"by_ms": _millis(time), "step_ms": _millis(step or timedelta(hours=1))}
        answer = self.post("clock/advance", body)
        if not answer["settled"]:
            raise AssertionError(f"a guard was still at work after {time} of the sandbox's clock: {answer}")
        return datetime.fromtimestamp(answer["now_ms"] / 1000, timezone.utc)

    def bill(self) -> dict[str, Any]:
        """What the buyer would pay for: ``records``, ``totals``, ``registrations``, ``drawn``."""
        return self.get("bill")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.url}/_sandbox/{path}"
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _opener.open(request, timeout=_PATIENCE_SECONDS) as answer:
                text = answer.read()
        except HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text else {}


def _millis(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)


@pytest.fixture(scope="session")
def mpguard_sandbox_options() -> list[str]:
    """Options of ``mpguard sandbox``; override it for another clock, Region or seed."""
    return ["--clock", "frozen", "--start", "2026-01-01T10:00:00Z"]


@pytest.fixture(scope="session")
def _mpguard_sandbox(mpguard_sandbox_options: list[str]) -> Iterator[tuple[Sandbox, dict[str, Any]]]:
    """The sandbox of this session, with its clock at the start."""
    program = os.environ.get("MPGUARD_BIN") or shutil.which("mpguard")
    if program is None:
        pytest.fail("no command `mpguard` on the PATH; install it, or set MPGUARD_BIN to its path")
    command = [program, "sandbox", "--port", "0", "--exit-with-stdin", *mpguard_sandbox_options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"`{' '.join(command)}` ended with {process.wait()} before it was ready")
        sandbox = Sandbox(json.loads(line)["address"])
        yield sandbox, sandbox.get("clock")
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture
def mpguard_sandbox(_mpguard_sandbox: tuple[Sandbox, dict[str, Any]]) -> Sandbox:
    """A sandbox without products, faults or bills; a frozen clock stands where it stood at the start."""
    sandbox, clock = _mpguard_sandbox
    sandbox.post("reset")
    if clock["rate"] == 0:
        sandbox.post("clock", {"now_ms": clock["now_ms"], "rate": 0})
    return sandbox
