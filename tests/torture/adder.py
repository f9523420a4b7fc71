"""Counts, forks, and is killed; see README.md. Two threads add, the first one forks and looks about."""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import sys
import threading
import time
from datetime import timedelta
from types import FrameType

import mpguard

SERIES: list[tuple[str, dict[str, str]]] = [
    ("requests", {}),
    ("requests", {"tenant": "a"}),
    ("requests", {"tenant": "b"}),
    ("gigabytes", {}),
    ("gigabytes", {"region": "x"}),
    ("jobs", {"tenant": "a", "tier": "gold"}),
]
ADDERS = 2
TALLY_NUMBERS = 80
REFUSED = 3
STARTED, FORKED = 1, 2
NAME = os.environ["TORTURE_NAME"]


class Ending:
    """Told by SIGTERM; read everywhere."""

    told = False


def on_signal(_number: int, _frame: FrameType | None) -> None:
    Ending.told = True


def on_event(event: mpguard.Event) -> None:
    os.write(1, f"event: {event.kind}: {event.text}\n".encode())


class Tally:
    """What this process has counted, in pages of the kernel."""

    def __init__(self, kind: int) -> None:
        path = os.path.join(os.environ["TORTURE_TALLY"], f"{NAME}.{os.getpid()}")
        with open(path, "wb+") as file:
            file.truncate(TALLY_NUMBERS * 8)
            self.numbers = memoryview(mmap.mmap(file.fileno(), TALLY_NUMBERS * 8)).cast("Q")
        self.numbers[1] = os.getppid()
        self.numbers[2] = kind
        self.numbers[0] = os.getpid()

    def add(self, row: int, series: int, meter: mpguard.Meter, quantity: int) -> None:
        started = 16 + 2 * (8 * row + series)
        self.numbers[started] += quantity
        try:
            meter.add(quantity)
        except mpguard.Error:
            self.numbers[started] -= quantity
            self.numbers[REFUSED] += 1
        else:
            self.numbers[started + 1] += quantity


class Pulse:
    """The conductor is gone when its pulse stands still; then nobody else would end us."""

    def __init__(self) -> None:
        self.file = os.open(os.environ["TORTURE_PULSE"], os.O_RDONLY)
        self.seen, self.since = b"", time.monotonic()

    def watch(self) -> None:
        now = os.pread(self.file, 8, 0)
        if now != self.seen:
            self.seen, self.since = now, time.monotonic()
        elif time.monotonic() - self.since > 30:
            os._exit(0)


def burst(tally: Tally, row: int, meters: list[mpguard.Meter], chance: random.Random) -> None:
    for _ in range(10):
        series = chance.randrange(len(SERIES))
        tally.add(row, series, meters[series], chance.randrange(20))
    time.sleep(chance.uniform(0.001, 0.005))


def look_about(guard: mpguard.Guard, chance: random.Random) -> None:
    """Any call but `add` starts the child's own threads; a child that makes one leads when its parent is gone."""
    if chance.random() < 0.5:
        guard.verdict()
    else:
        tell(guard)


def tell(guard: mpguard.Guard) -> None:
    print("account: " + json.dumps([account.to_dict() for account in guard.account()]), flush=True)


def shut_down(guard: mpguard.Guard) -> None:
    guard.shutdown(timedelta(seconds=5))
    tell(guard)


def be_child(guard: mpguard.Guard, meters: list[mpguard.Meter], chance: random.Random) -> None:
    tally, pulse = Tally(FORKED), Pulse()
    looks, ends_clean = chance.random() < 0.5, chance.random() < 0.3
    if looks:
        look_about(guard, chance)
    for n in range(chance.randrange(50, 1000)):
        if Ending.told:
            break
        burst(tally, 0, meters, chance)
        if n % 50 == 0:
            pulse.watch()
        if looks and n % 300 == 299:
            look_about(guard, chance)
    if ends_clean:
        shut_down(guard)


def fork_one(guard: mpguard.Guard, meters: list[mpguard.Meter], chance: random.Random) -> int:
    seed = chance.random()
    child = os.fork()
    if child > 0:
        return child
    status = 1
    try:
        be_child(guard, meters, random.Random(seed))
        status = 0
    except BaseException as error:  # the child of a test program must not go on as a second parent
        sys.stderr.write(f"child {os.getpid()} of {NAME}: {error!r}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def reap(children: set[int]) -> None:
    for child in list(children):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended == 0:
            continue
        children.discard(child)
        if status not in (0, signal.SIGKILL):
            sys.stderr.write(f"child {child} of {NAME} died with wait status {status}\n")


def main() -> None:
    signal.signal(signal.SIGTERM, on_signal)
    tally, pulse = Tally(STARTED), Pulse()
    chance = random.Random(int(os.environ["TORTURE_SEED"]))
    guard = mpguard.init_from_json(os.environ["TORTURE_CONFIG"], on_event=on_event)
    meters = [guard.meter(dimension, tags) for dimension, tags in SERIES]
    print(f"ready {guard.stats().storage}", flush=True)

    def add(row: int) -> None:
        own = random.Random(f"{os.environ['TORTURE_SEED']} {row}")
        while not Ending.told:
            burst(tally, row, meters, own)

    threads = [threading.Thread(target=add, args=(row,)) for row in range(ADDERS)]
    for thread in threads:
        thread.start()
    most, children = int(os.environ["TORTURE_CHILDREN"]), set[int]()
    while not Ending.told:
        time.sleep(0.01)
        pulse.watch()
        reap(children)
        if len(children) < most and chance.random() < 0.1:
            children.add(fork_one(guard, meters, chance))
        if chance.random() < 0.01:
            look_about(guard, chance)
    for thread in threads:
        thread.join()
    shut_down(guard)


if __name__ == "__main__":
    try:
        main()
    except mpguard.Error as error:
        print(f"{error.code}: {error}", flush=True)
        sys.exit(3)
