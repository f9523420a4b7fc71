"""Log-ins and log-outs: seats of a guard that lingers, of one that does not, and one call to AWS for each by boto3.

It says the names of its rows, then answers lines: the name of a row runs one turn of it and says how many log-ins it
made in how many seconds with how many calls to AWS. MPGUARD_CONFIG: the configuration as JSON; BENCH_*: the same AWS
for boto3.
"""

import json
import os
import sys
import time
from collections.abc import Callable

import boto3
import mpguard

LINGERING, CALLING = 1000, 25

config = json.loads(os.environ["MPGUARD_CONFIG"])
lingering = mpguard.init_from_json(json.dumps({**config, "seat_linger_ms": 60_000}))
returning = mpguard.init_from_json(json.dumps({**config, "seat_linger_ms": 0}))
client = boto3.client(
    "license-manager",
    region_name="us-east-1",
    endpoint_url=os.environ["BENCH_AWS"],
    aws_access_key_id=os.environ["BENCH_KEY"],
    aws_secret_access_key=os.environ["BENCH_SECRET"],
    aws_session_token=os.environ["BENCH_TOKEN"],
)


def guarded(guard: mpguard.Guard, log_ins: int) -> int:
    before = guard.stats().calls
    for _ in range(log_ins):
        with guard.check_out("Seats"):
            pass
    return guard.stats().calls - before


def by_hand(log_ins: int) -> int:
    for number in range(log_ins):
        seat = client.checkout_license(
            ProductSKU=os.environ["BENCH_SKU"],
            CheckoutType="PROVISIONAL",
            KeyFingerprint="aws:294406891311:AWS/Marketplace:issuer-fingerprint",
            Entitlements=[{"Name": "Seats", "Unit": "Count", "Value": "1"}],
            ClientToken=f"{time.time_ns()}-{number}",
        )
        client.check_in_license(LicenseConsumptionToken=seat["LicenseConsumptionToken"])
    return 2 * log_ins


ROWS: dict[str, tuple[int, Callable[[int], int]]] = {
    "mpguard, linger": (LINGERING, lambda log_ins: guarded(lingering, log_ins)),
    "mpguard, no linger": (CALLING, lambda log_ins: guarded(returning, log_ins)),
    "boto3": (CALLING, by_hand),
}

print(json.dumps(list(ROWS)), flush=True)
for line in sys.stdin:
    log_ins, turn = ROWS[line.rstrip("\n")]
    begun = time.perf_counter()
    calls = turn(log_ins)
    print(json.dumps({"log_ins": log_ins, "seconds": time.perf_counter() - begun, "calls": calls}), flush=True)
