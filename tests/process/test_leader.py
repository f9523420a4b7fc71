"""Who leads: one process of the task sends, and another one when it dies."""

from __future__ import annotations

import signal
import time

from house import HOUR, House, settled, until


def test_another_process_leads_within_two_seconds_of_a_kill(house: House) -> None:
    # T06: the leader dies at once, with its lock.
    first = house.product(house.config())
    others = [house.product(house.config()) for _ in range(2)]
    assert house.leader() == first.pid
    for process in (first, *others):
        process.ask("add", 10)
    start = time.monotonic()
    first.kill()
    new = until(house.leader, 5)
    took = time.monotonic() - start
    assert new in [other.pid for other in others]
    assert took < 2, f"took {took:.1f} s"
    others[0].ask("add", 1)
    account = others[0].ask("account")
    assert account["added"] == 31 and settled(account)
    house.advance(2 * HOUR)
    house.check(31, hours=1)
    for other in others:
        other.ask("shutdown", 10)
    house.check(31, hours=1)


def test_a_million_adds_of_many_threads_and_processes_are_all_there(house: House) -> None:
    # T08: 8 processes, 32 threads, 1,024,000 adds, and the hour ends among them.
    processes = [house.product(house.config()) for _ in range(8)]
    for process in processes:
        assert process.process.stdin is not None
        process.process.stdin.write("load 4 32000\n")
        process.process.stdin.flush()
    house.advance(HOUR)
    for process in processes:
        assert process.hear(60) == "added"
    account = processes[0].ask("account")
    assert account["added"] == 8 * 4 * 32_000 and settled(account)
    for process in processes:
        process.ask("shutdown", 10)
    house.check(8 * 4 * 32_000)


def test_a_stopped_leader_stops_nobody_and_goes_on(house: House) -> None:
    # A virtual machine that pauses: adds of others count, nobody else sends, nothing is lost or doubled.
    first = house.product(house.config())
    other = house.product(house.config())
    assert house.leader() == first.pid
    first.ask("add", 5)
    first.signal(signal.SIGSTOP)
    other.ask("add", 7)
    time.sleep(1.2)
    assert house.leader() == first.pid and house.records() == []
    first.signal(signal.SIGCONT)
    house.advance(2 * HOUR)
    house.check(12, hours=1)


def test_a_container_that_restarts_in_place_has_lost_nothing(house: House) -> None:
    # T10: everything is killed, the volume stays.
    processes = [house.product(house.config()) for _ in range(3)]
    for n, process in enumerate(processes):
        process.ask("add", 10 + n)
    for process in processes:
        process.kill()
    again = house.product(house.config())
    account = again.ask("account")
    assert account["added"] == 33 and settled(account)
    again.ask("add", 100)
    house.advance(2 * HOUR)
    house.check(133, hours=1)
    again.kill()
    # Killed again an hour later: what was delivered stays delivered.
    last = house.product(house.config())
    last.ask("add", 1000)
    last.ask("shutdown", 10)
    house.check(1133, hours=2)


def test_usage_after_a_restart_in_the_same_hour_goes_to_the_next(house: House) -> None:
    # T13: the last process freezes the running hour; the next one of the same task carries.
    first = house.product(house.config())
    first.ask("add", 3)
    assert first.ask("shutdown", 10)["recorded"] == 3
    house.check(3, hours=1)
    second = house.product(house.config())
    second.ask("add", 4)
    house.advance(2 * HOUR)
    second.ask("add", 5)
    house.advance(2 * HOUR)
    account = second.ask("account")
    assert account["delivered"] == 12 and settled(account)
    house.check(12)


def test_a_second_stop_in_the_same_hour_is_never_silent(house: House) -> None:
    # T13b: sent at hh:20, restarted, stopped at hh:40: the hour is taken. What is left is reported, kept, carried.
    first = house.product(house.config())
    first.ask("add", 3)
    house.advance(HOUR / 3)
    first.ask("shutdown", 10)
    second = house.product(house.config())
    second.ask("add", 4)
    house.advance(HOUR / 3)
    report = second.ask("shutdown", 10)
    assert report["recorded"] == 0 and report["pending"] == 4, "it says what is left"
    house.check(3, hours=1)
    third = house.product(house.config())
    house.advance(2 * HOUR)
    account = third.ask("account")
    assert account["delivered"] == 7 and settled(account)
    house.check(7)


def test_two_containers_that_share_a_directory_send_one_record(house: House) -> None:
    # T35, shared volume.
    one, two = house.product(house.config()), house.product(house.config())
    one.ask("add", 5)
    two.ask("add", 6)
    house.advance(2 * HOUR)
    house.check(11, hours=1)
    assert "ledger_split" not in one.ask("events") + two.ask("events")


def test_two_containers_with_two_directories_are_told_and_nothing_is_lost(house: House) -> None:
    # T35, not shared: AWS takes one record an hour of a task, so the other one's usage is carried.
    one = house.product(house.config(folder="one"))
    two = house.product(house.config(folder="two"))
    one.ask("add", 5)
    two.ask("add", 6)
    house.advance(2 * HOUR)
    until(lambda: "ledger_split" in one.ask("events") + two.ask("events"), why="nobody said so")
    # The second one's hour is a duplicate; it goes out with a later hour that the first one leaves free.
    until(lambda: "usage_carried" in one.ask("events") + two.ask("events"), why="nothing was carried")
    one.ask("shutdown", 10)
    for _ in range(4):
        house.advance(HOUR)
    two.ask("shutdown", 10)
    house.check(11)
