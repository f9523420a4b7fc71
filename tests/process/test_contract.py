"""Contracts: what real processes hold of seats and prepaid units, and what is left when they are killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from house import House, Process, settled, until

Sell = Callable[..., dict[str, Any]]


@pytest.fixture
def sell(house: House) -> Sell:
    """Sells a contract of seats and credits; gives a configuration for it."""
    house.sandbox.post(
        "licenses",
        {
            "product_sku": house.sku,
            "entitlements": [
                {"name": "Seats", "unit": "Count", "max_count": 10, "allow_check_in": True},
                {"name": "Credits", "unit": "Count", "max_count": 100_000},
            ],
        },
    )

    def config(task: str = "app", folder: str = "state", batch: int = 1, **keys: Any) -> dict[str, Any]:
        entitlements = [
            {"name": "Seats", "kind": "floating"},
            {"name": "Credits", "kind": "drawdown", "batch": batch},
        ]
        usual = house.config(task, folder, pricing="contract", entitlements=entitlements, **keys)
        del usual["dimensions"]
        return usual

    return config


def product(house: House, config: dict[str, Any]) -> Process:
    return house.python("contract.py", config)


def tokens(house: House) -> set[str]:
    """Check outs that AWS holds for somebody."""
    return {checkout["token"] for checkout in house.sandbox.get("seats")["checkouts"] if checkout["entitlements"][0]["count"]}


def drawn(house: House) -> int:
    """Credits that AWS has taken off the contract."""
    return sum(int(each["quantity"]) for each in house.sandbox.get("bill")["drawn"] if each["name"] == "Credits")


def lose_answers(house: House, times: int) -> None:
    house.sandbox.post("faults", {"operation": "CheckoutLicense", "kind": "lost_answer", "times": times})


def test_fifty_kills_with_three_seats_held_cost_no_fourth_seat(house: House, sell: Sell) -> None:
    # T48
    held: set[str] = set()
    for round in range(50):
        host = product(house, sell())
        host.ask("out", 3)
        if round == 0:
            held = tokens(house)
        assert tokens(house) == held and len(held) == 3
        host.kill()
        assert tokens(house) == held
    host = product(house, sell())
    host.ask("shutdown")
    assert tokens(house) == set()


def test_a_seat_that_aws_gave_while_the_process_died_is_found_again(house: House, sell: Sell) -> None:
    # The answer was lost and the process killed: only the client token is left of that seat.
    for _ in range(5):
        host = product(house, sell())
        lose_answers(house, 1)
        assert host.process.stdin is not None
        host.process.stdin.write("out 1\n")
        host.process.stdin.flush()
        until(lambda: len(tokens(house)) == 1)
        host.kill()
    assert len(tokens(house)) == 1
    host = product(house, sell())
    host.ask("out", 1)
    assert len(tokens(house)) == 1
    host.ask("shutdown")
    assert tokens(house) == set()


def test_processes_of_a_task_hold_their_own_seats_and_the_leader_returns_those_of_a_dead_one(
    house: House, sell: Sell
) -> None:
    workers = [product(house, sell()) for _ in range(4)]
    for worker in workers:
        worker.ask("out", 2)
    assert len(tokens(house)) == 8
    workers[3].kill()  # and nobody takes its place
    # The leader looks for it every twenty seconds; then the seats linger for a minute.
    end = time.monotonic() + 45
    while len(tokens(house)) > 6:
        house.advance(timedelta(minutes=2))
        assert time.monotonic() < end, tokens(house)
        time.sleep(1)
    for worker in workers[:3]:
        assert worker.ask("in") == 1
        worker.ask("shutdown")
    assert tokens(house) == set()


def test_another_pod_takes_nothing_that_a_killed_one_held(house: House, sell: Sell) -> None:
    one, other = (product(house, sell(task=pod, folder=pod)) for pod in ("one", "other"))
    one.ask("out", 3)
    other.ask("out", 2)
    before = tokens(house)
    one.kill()
    other.ask("out", 1)
    assert before < tokens(house) and len(tokens(house)) == 6
    again = product(house, sell(task="one", folder="one"))
    again.ask("out", 3)
    assert before < tokens(house) and len(tokens(house)) == 6


def test_a_forked_child_holds_its_own_seat_and_leaves_its_parents_alone(house: House, sell: Sell) -> None:
    host = product(house, sell())
    host.ask("out", 1)
    child, parent = host.ask("fork")
    assert child[-1] is True and parent == [True]
    assert len(tokens(house)) == 1
    assert host.ask("in") == 0
    host.ask("shutdown")
    assert tokens(house) == set()


def test_draws_of_many_threads_and_processes_are_booked_once(house: House, sell: Sell) -> None:
    workers = [product(house, sell(batch=25)) for _ in range(3)]
    for worker in workers:
        assert worker.process.stdin is not None
        worker.process.stdin.write("draws 3 20 4\n")
        worker.process.stdin.flush()
    booked = sum(worker.hear(60) for worker in workers)
    assert booked == 3 * 3 * 20 * 4
    account = workers[0].ask("account")
    assert account["delivered"] == booked and account["disputed"] == 0 and settled(account)
    assert drawn(house) == account["delivered"] + account["open"]


def test_a_killed_draw_is_neither_repeated_nor_forgotten(house: House, sell: Sell) -> None:
    # T54: AWS has taken the units and lost its answer; the process dies with the draw in hand, again and again.
    for round in range(5):
        lose_answers(house, 1)  # of the first try of this process
        host = product(house, sell())
        if round == 0:
            assert host.process.stdin is not None
            host.process.stdin.write("draw 7\n")
            host.process.stdin.flush()
            until(lambda: drawn(house) == 7)
        else:
            assert host.ask("account")["pending"] == 7
            time.sleep(0.2)
        host.kill()
        house.no_faults()
        assert drawn(house) == 7
    host = product(house, sell())
    until(lambda: host.ask("account")["pending"] == 0 or house.advance(timedelta(minutes=1)))
    account = host.ask("account")
    assert settled(account) and (account["open"], account["delivered"], account["disputed"]) == (7, 0, 0)
    # What the dead process drew serves the next call.
    assert host.ask("draw", 7) is True
    assert drawn(house) == 7 and host.ask("account")["delivered"] == 7
    host.ask("shutdown")
