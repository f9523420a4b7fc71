"""The bench's side of a Python program: it takes turns with programs of other languages.

It says the names of its rows, then answers lines; turn.h has them.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable


def _run(row: Callable[[int], None], threads: int, calls: int) -> int:
    if threads == 1:
        begun = time.perf_counter_ns()
        row(calls)
        return time.perf_counter_ns() - begun
    start = threading.Barrier(threads + 1)

    def turn() -> None:
        start.wait()
        row(calls)

    workers = [threading.Thread(target=turn) for _ in range(threads)]
    for worker in workers:
        worker.start()
    begun = time.perf_counter_ns()
    start.wait()
    for worker in workers:
        worker.join()
    return time.perf_counter_ns() - begun


def take(rows: dict[str, Callable[[int], None]], account: Callable[[], list]) -> None:
    """Answers lines until the input ends; the row `add` is the one that the guard counts."""
    added = 0
    print(json.dumps(list(rows)), flush=True)
    for line in sys.stdin:
        if line == "account\n":
            print(json.dumps({"called": {os.environ["BENCH_DIMENSION"]: added}, "account": account()}), flush=True)
            continue
        name, threads, calls = line.rstrip("\n").split("\t")
        if name == "add":
            added += int(threads) * int(calls)
        print(_run(rows[name], int(threads), int(calls)), flush=True)
