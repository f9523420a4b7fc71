"""How a container ends: signals, slow networks, shells in between."""

from __future__ import annotations

import json
import signal
import sys
import time

from house import HOUR, PROGRAMS, House, settled, until


def test_sigterm_on_a_slow_network_is_bounded_and_all_is_in_the_ledger(house: House) -> None:
    # T37: AWS stores the record, its answer comes too late. Seats are returned all the same.
    house.sandbox.post(
        "licenses",
        {
            "product_sku": house.sku,
            "entitlements": [{"name": "Seats", "unit": "Count", "max_count": 3, "allow_check_in": True}],
        },
    )
    entitlements = [{"name": "Seats", "kind": "floating"}]
    config = house.config(pricing="usage+contract", entitlements=entitlements)
    product = house.product(config)
    product.ask("add", 9)
    product.ask("seat")
    house.fault("delay", delay_ms=15_000, times=-1)
    start = time.monotonic()
    product.signal(signal.SIGTERM)
    report = product.hear()
    assert product.wait() == 0
    assert time.monotonic() - start < 6, "the deadline is two seconds"
    assert report["recorded"] == 0 and report["pending"] + report["disputed"] == 9
    assert report["seats_returned"] == 1
    assert sum(pool["in_use"] for pool in house.sandbox.get("seats")["pools"]) == 0
    house.no_faults()
    again = house.product(config)
    account = again.ask("account")
    assert account["added"] == 9 and settled(account)
    house.advance(2 * HOUR)
    assert again.ask("account")["delivered"] == 9
    # The same body went out again: AWS took it once.
    house.check(9, hours=1)


def test_a_shell_in_between_keeps_the_signal_and_nothing_is_lost(house: House) -> None:
    # T38: the container's command is `sh -c "product; true"`. SIGTERM ends the shell; the product hears nothing, and
    # is killed with the container.
    program, config = PROGRAMS / "product.py", json.dumps(house.config())
    script = f"'{sys.executable}' '{program}' \"$1\"; true"
    shell = house.start(["sh", "-c", script, "sh", config])
    pid = shell.hear()["pid"]
    assert pid != shell.pid, "the shell did not exec"
    assert shell.ask("add", 8) == "added"
    shell.signal(signal.SIGTERM)
    shell.wait()
    assert until(house.leader) == pid, "the product runs on without its shell"
    shell.kill_all()
    until(lambda: house.leader() is None)
    house.check(0)
    again = house.product(house.config())
    again.ask("add", 1)
    account = again.ask("account")
    assert account["added"] == 9 and settled(account)
    house.advance(2 * HOUR)
    house.check(9, hours=1)


def test_of_processes_that_end_at_once_the_last_one_sends_the_running_hour(house: House) -> None:
    # Each may see the others still there, and leave the hour to them.
    config, added = house.config(), 0
    for _ in range(5):
        products = [house.product(config) for _ in range(4)]
        for product in products:
            product.ask("add", 3)
            added += 3
        for product in products:
            product.signal(signal.SIGTERM)
        assert [product.wait() for product in products] == [0] * 4
        house.check(added)
        house.advance(2 * HOUR)
