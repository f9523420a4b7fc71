"""A product in production mode: says in one line of JSON what the guard decided, and ends.

Argument: the configuration. A seller's chart gives the product code from outside, as PRODUCT_CODE.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import mpguard


def main() -> None:
    config = json.loads(sys.argv[1])
    config["product_code"] = os.environ.get("PRODUCT_CODE", config["product_code"])
    try:
        guard = mpguard.init(**config)
    except mpguard.Error as error:
        say("error", error.code, str(error), False, 0)
        return
    if "dimensions" in config:
        guard.meter("requests").add(3)
    license = guard.license()
    # What leaves here has to leave for AWS: the running hour is sent at the end.
    report = guard.shutdown(timedelta(seconds=10))
    say(license.verdict, license.reason, license.text, license.sandbox, report.recorded)


def say(verdict: str, reason: str, text: str, sandbox: bool, recorded: int) -> None:
    told = {"verdict": verdict, "reason": reason, "text": text, "sandbox": sandbox, "recorded": recorded}
    print(json.dumps(told), flush=True)


main()
