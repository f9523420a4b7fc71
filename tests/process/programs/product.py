"""A product that does what it is told, line by line. SIGTERM ends it as a handler of a product would.

Argument: the configuration. Says {"pid"} when it is up; each line of input is answered by one of output.
"""

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from datetime import timedelta

import mpguard

config = json.loads(sys.argv[1])
kinds: list[str] = []
guard = mpguard.init(on_event=lambda event: kinds.append(event.kind), **config)
meter = guard.meter("requests")
seats = []


def say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


def end(*_: object) -> None:
    # As a seller would write it: a bounded shutdown, then the end.
    say(asdict(guard.shutdown(timedelta(seconds=2))))
    os._exit(0)


def account() -> dict:
    return next(asdict(each) for each in guard.account() if each.dimension == "requests")


def load(threads: int, adds: int) -> None:
    """`threads` at once, each with `adds` adds of 1."""

    def work() -> None:
        add = meter.add
        for _ in range(adds):
            add(1)

    working = [threading.Thread(target=work) for _ in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()


signal.signal(signal.SIGTERM, end)
say({"pid": os.getpid()})
for line in sys.stdin:
    word, *rest = line.split()
    if word == "add":
        meter.add(int(rest[0]))
        say("added")
    elif word == "load":
        load(int(rest[0]), int(rest[1]))
        say("added")
    elif word == "account":
        say(account())
    elif word == "events":
        say(kinds)
    elif word == "stats":
        say(asdict(guard.stats()))
    elif word == "seat":
        seats.append(guard.check_out("Seats"))
        say("held")
    elif word == "flush":
        say(asdict(guard.flush()))
    elif word == "shutdown":
        say(asdict(guard.shutdown(timedelta(seconds=float(rest[0])))))
        # What comes after it is nobody's business: no `atexit`.
        os._exit(0)
