"""Guards to test with: one that reaches nobody, and one in a sandbox's task with everything to buy."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import mpguard
import pytest
from mpguard.pytest_plugin import Sandbox

PRODUCT = "3xmpl"
ENTITLEMENTS = [
    {"name": "Basic", "kind": "tier"},
    {"name": "Premium", "kind": "tier"},
    {"name": "Seats", "kind": "floating"},
]
CREDITS = {"name": "Credits", "kind": "drawdown"}
DIMENSIONS = [{"name": "requests"}, {"name": "megabytes"}, {"name": "hosts", "kind": "max"}]


@pytest.fixture
def nowhere() -> str:
    """URL of a sandbox that nobody serves."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/t/app"


@pytest.fixture
def offline_config(nowhere: str) -> dict[str, Any]:
    """Configuration of a guard that starts without a verdict."""
    return {
        "product_code": PRODUCT,
        "pricing": "usage",
        "dimensions": DIMENSIONS,
        "sandbox": nowhere,
        "startup_timeout_ms": 0,
    }


@pytest.fixture
def offline(offline_config: dict[str, Any]) -> Iterator[mpguard.Guard]:
    """A guard that reaches nobody and counts all the same."""
    guard = mpguard.init(**offline_config)
    yield guard
    end(guard, timedelta(0))


class Shop:
    """A sandbox in which the buyer has bought the product, and guards of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        names = [each["name"] for each in DIMENSIONS]
        made = sandbox.post("products", {"product_code": PRODUCT, "dimensions": names})
        self.sku: str = made["product_sku"]
        self.pem: str = made["public_keys"]["1"]
        self.guards: list[mpguard.Guard] = []

    def sell(self, *names: str, seats: int = 2, credits: int | None = None) -> str:
        """Sell a license with these tiers, some seats and prepaid units; gives its id."""
        tiers = [{"name": name, "unit": "None", "value": "Enabled"} for name in names]
        counted = {"name": "Seats", "unit": "Count", "max_count": seats, "allow_check_in": True}
        prepaid = [] if credits is None else [{"name": "Credits", "unit": "Count", "max_count": credits}]
        body = {"product_sku": self.sku, "entitlements": [*tiers, counted, *prepaid]}
        license_id: str = self.sandbox.post("licenses", body)["id"]
        return license_id

    def config(self, pricing: str, task: str = "app", **keys: Any) -> dict[str, Any]:
        """Configuration of a guard in a task of the sandbox."""
        config: dict[str, Any] = {
            "product_code": PRODUCT,
            "pricing": pricing,
            "trusted_products": [
                {"code": PRODUCT, "sku": self.sku, "public_keys": [{"version": 1, "pem": self.pem}]}
            ],
            "sandbox": self.sandbox.task(task),
        }
        if "usage" in pricing:
            config["dimensions"] = DIMENSIONS
        if "contract" in pricing:
            config["entitlements"] = ENTITLEMENTS
        return {**config, **keys}

    def init(self, pricing: str, task: str = "app", **keys: Any) -> mpguard.Guard:
        """A guard that the fixture shuts down."""
        guard = mpguard.init(**self.config(pricing, task, **keys))
        self.guards.append(guard)
        return guard

    def seats_in_use(self) -> int:
        return sum(pool["in_use"] for pool in self.sandbox.get("seats")["pools"])

    def credits_drawn(self) -> int:
        return sum(int(each["quantity"]) for each in self.sandbox.get("bill")["drawn"])


@pytest.fixture
def shop(mpguard_sandbox: Sandbox) -> Iterator[Shop]:
    """A sandbox with the product."""
    shop = Shop(mpguard_sandbox)
    yield shop
    for guard in shop.guards:
        end(guard)


def end(guard: mpguard.Guard, deadline: timedelta = timedelta(seconds=5)) -> None:
    """Shut down, unless the test did."""
    try:
        guard.shutdown(deadline)
    except mpguard.ShutDownError:
        pass


def eventually(what: Callable[[], object], seconds: float = 10) -> None:
    """Wait until `what` is true; for what happens on another thread."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def run(script: str, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter of its own."""
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
