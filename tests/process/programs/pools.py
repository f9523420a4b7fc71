"""multiprocessing. Arguments: configuration, start method, processes, adds of each.

Forked workers use the guard that they inherit; others init their own in the same directory.
"""

import json
import multiprocessing
import os
import sys
from datetime import timedelta

import mpguard

guard = None
meter = None


def begin(config: dict) -> None:
    global guard, meter
    if guard is None:
        guard = mpguard.init(**config)
        meter = guard.meter("requests")


def work(adds: int) -> None:
    for _ in range(adds):
        meter.add(1)


if __name__ == "__main__":
    config, method = json.loads(sys.argv[1]), sys.argv[2]
    processes, adds = int(sys.argv[3]), int(sys.argv[4])
    begin(config)
    print(json.dumps({"pid": os.getpid()}), flush=True)
    context = multiprocessing.get_context(method)
    # `maxtasksperchild` replaces workers under way.
    with context.Pool(processes, begin, (config,), maxtasksperchild=3) as pool:
        pool.map(work, [adds] * processes * 6, chunksize=1)
        pool.close()
        pool.join()
    print(json.dumps({"added": processes * 6 * adds}), flush=True)
    sys.stdin.readline()
    guard.shutdown(timedelta(seconds=10))
