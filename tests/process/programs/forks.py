"""Forks under load. Arguments: configuration, how many forks, and how busy the parent is.

`count`: threads add. `locks`: threads hold every lock of the library as often as they can (T30).
Says how much was added by all, in the end.
"""

import json
import os
import signal
import sys
import threading
from datetime import timedelta

import mpguard

config, forks, busy = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
guard = mpguard.init(on_event=lambda event: None, **config)
meter = guard.meter("requests")
print(json.dumps({"pid": os.getpid()}), flush=True)
sys.stdin.readline()

over = threading.Event()
by_thread = []


def count() -> None:
    mine = 0
    while not over.is_set():
        for _ in range(100):
            meter.add(1)
        mine += 100
        over.wait(0.0005)
    by_thread.append(mine)


def locks() -> None:
    mine = 0
    while not over.is_set():
        guard.meter("requests", {"Team": str(mine % 50)}).add(1)
        guard.unsubscribe(guard.subscribe(lambda event: None))
        guard.account()
        guard.stats()
        guard.license()
        guard.next_event(timedelta(0))
        mine += 1
    by_thread.append(mine)


def everything() -> None:
    """In a child: no call waits for a lock that a thread of the parent held."""
    guard.meter("requests", {"Team": "1"}).add(1)
    guard.meter("requests", {"Child": "new"}).add(1)
    guard.unsubscribe(guard.subscribe(lambda event: None))
    assert next(each for each in guard.account() if each.dimension == "requests").added >= 2
    guard.stats()
    guard.next_event(timedelta(0))
    guard.event_fd()
    guard.require()


threads = [threading.Thread(target=count if busy == "count" else locks) for _ in range(4)]
for thread in threads:
    thread.start()
by_children = 0
for turn in range(forks):
    slow = turn % 20 == 0 if busy == "count" else turn % 4 == 0
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        meter.add(1)
        if slow:
            everything()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"child {turn} ended with {status}"
    by_children += 3 if slow else 1
over.set()
for thread in threads:
    thread.join()
print(json.dumps({"added": by_children + sum(by_thread)}), flush=True)
sys.stdin.readline()
guard.shutdown(timedelta(seconds=10))
