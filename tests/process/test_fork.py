"""Forks: a child counts at once, works in everything, and leads when its parent is gone."""

from __future__ import annotations

import time

import pytest
from house import HOUR, House, until


@pytest.mark.parametrize(("forks", "busy"), [(1000, "count"), (200, "locks")])
def test_children_forked_under_load_neither_hang_nor_lose_a_count(house: House, forks: int, busy: str) -> None:
    # T29: 1,000 forks under load. T30: forks while threads are inside every lock.
    parent = house.python("forks.py", house.config(), str(forks), busy)
    added = parent.ask("go", seconds=60)["added"]
    assert added > forks
    house.advance(2 * HOUR)
    house.check(added, hours=1)
    assert parent.process.stdin is not None
    parent.process.stdin.write("end\n")
    parent.process.stdin.flush()
    assert parent.wait() == 0
    house.check(added, hours=1)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing_counts_every_task_once(house: House, method: str) -> None:
    # T29
    pool = house.python("pools.py", house.config(), method, "3", "50")
    assert pool.hear(60)["added"] == 900
    house.advance(2 * HOUR)
    house.check(900, hours=1)
    assert pool.process.stdin is not None
    pool.process.stdin.write("end\n")
    pool.process.stdin.flush()
    assert pool.wait() == 0
    house.check(900, hours=1)


def test_a_child_that_only_adds_leads_when_its_parent_is_killed(house: House) -> None:
    # T06 and T29 for the whole family.
    go = house.folder / "go"
    parent = house.python("family.py", house.config(), str(go))
    children = parent.hear()
    assert house.leader() == parent.pid
    time.sleep(0.3)
    start = time.monotonic()
    parent.kill()
    assert until(house.leader, 5) in children
    assert time.monotonic() - start < 2
    go.touch()
    assert [parent.hear() for _ in children] == ["added"] * 3
    house.advance(2 * HOUR)
    house.check(3, hours=1)
