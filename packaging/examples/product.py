"""A product on AWS Marketplace in Python: hourly, with two metered dimensions, a tier, floating seats and
prepaid credits.

Its configuration is JSON in the environment variable PRODUCT_CONFIG. Each line on stdin is a batch of its
customers' work: `<requests> <megabytes>`.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import mpguard


def say(text: str) -> None:
    print(text, flush=True)


def on_event(event: mpguard.Event) -> None:
    """Called on a thread of mpguard's, one event at a time, each with the whole new state."""
    say(f"callback: {event.kind}: {event.text}")


def tier(guard: mpguard.Guard) -> str:
    """A contract may list several tiers; the highest one counts."""
    return next((name for name in ("Premium", "Basic") if guard.has(name)), "none")


def work(guard: mpguard.Guard) -> None:
    # Meters are made once and kept: adding to one takes no lock and no system call.
    requests = guard.meter("requests")
    megabytes = guard.meter("megabytes")
    for line in sys.stdin:
        n_requests, n_megabytes = map(int, line.split())
        # The customer's seat. It lingers for a moment, so that log-ins in quick succession share one call to AWS.
        with guard.check_out("Seats", timeout=timedelta(seconds=30)):
            credits = (n_requests + 9) // 10
            if credits:
                guard.draw_down("Credits", credits)  # the work starts when they are booked, never before
            requests.add(n_requests)
            megabytes.add(n_megabytes)
        say(f"worked: {n_requests} {n_megabytes}, {credits} credits")


def run() -> None:
    with mpguard.init_from_json(os.environ["PRODUCT_CONFIG"], on_event=on_event) as guard:
        say(f"licensed: tier {tier(guard)}")
        # The administrator's seat: extended for as long as the block runs, and given back at its end.
        with guard.check_out("Seats", timeout=timedelta(seconds=30)):
            say("seat: held")
            work(guard)
        # Sends the running hour; without it, `with` would do the same with a deadline of five seconds.
        report = guard.shutdown(timedelta(seconds=30))
        say("account: " + json.dumps([account.to_dict() for account in guard.account()]))
        say("report: " + json.dumps(report.to_dict()))


if __name__ == "__main__":
    try:
        run()
    except mpguard.Error as error:
        print(f"error: {error.code}: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
