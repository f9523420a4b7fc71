"""A product that tells all it knows: each event, error and answer goes to standard error, as a careless host logs it.

Argument: the configuration. Says {"pid"} when it is up; each line of input is answered by one of output.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import mpguard

logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("product")
config: dict[str, Any] = json.loads(sys.argv[1])
SHORT = timedelta(seconds=0.7)
seats: list[mpguard.Seat] = []


def say(answer: object) -> None:
    print(json.dumps(answer, default=str), flush=True)


def tell(event: mpguard.Event) -> None:
    log.info("event %r %s %s", event, event.text, json.dumps(event.to_dict(), default=str))


def tried(what: Callable[[], object]) -> object:
    """What it gave, or the code of its error; both are told in full."""
    try:
        answer = what()
        log.info("answer %r %s", answer, vars(answer) if hasattr(answer, "__dict__") else answer)
        return True
    except mpguard.Error as error:
        log.exception("error %r %s %s", error, error, error.args)
        traceback.print_exc()
        return error.code


def start() -> mpguard.Guard | None:
    guard: list[mpguard.Guard] = []
    code = tried(lambda: guard.append(mpguard.init(on_event=tell, **config)))
    say({"pid": os.getpid(), "started": code})
    return guard[0] if guard else None


def out() -> None:
    seats.append(guard.check_out("Seats", timeout=SHORT))


def all_of_it() -> None:
    for what in (guard.license, guard.stats, guard.account, guard.require, guard.verdict):
        tried(what)
    log.info("guard %r %s, seats %r", guard, guard, seats)


guard = start()
for line in sys.stdin:
    word, *rest = line.split()
    if guard is None:
        say("no guard")
        continue
    match word:
        case "add":
            say(tried(lambda: guard.meter("requests").add(int(rest[0]))))
        case "out":
            say(tried(out))
        case "in":
            say(tried(lambda: seats.pop(0).check_in()))
        case "draw":
            say(tried(lambda: guard.draw_down("Credits", int(rest[0]), SHORT)))
        case "flush":
            say(tried(lambda: guard.flush(SHORT)))
        case "tell":
            all_of_it()
            say("told")
        case "shutdown":
            say(tried(lambda: guard.shutdown(SHORT)))
