"""Counts from Python: `Meter.add`, beside an empty native method and the counters that sellers use.

MPGUARD_CONFIG: the configuration as JSON; BENCH_DIMENSION: what is counted. turn.h says what it answers.
"""

import dataclasses
import os
from itertools import repeat

import border
import mpguard
import turns
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import Counter

guard = mpguard.init_from_json(os.environ["MPGUARD_CONFIG"])
meter = guard.meter(os.environ["BENCH_DIMENSION"], {"Team": "red", "Zone": "a"})
tier = os.environ["BENCH_TIER"]
assert guard.has(tier)
empty = border.Nothing()
labelled = Counter("requests", "Requests.", ["team", "zone"])
child = labelled.labels("red", "a")
# With a reader, as every seller has one; without one the SDK counts nothing.
provider = MeterProvider(metric_readers=[InMemoryMetricReader()])
instrument = provider.get_meter("bench").create_counter("requests")
attributes = {"team": "red", "zone": "a"}


def loop(calls: int) -> None:
    for _ in repeat(None, calls):
        pass


def nothing(calls: int) -> None:
    for _ in repeat(None, calls):
        empty.add(1)


def fetch_add(calls: int) -> None:
    for _ in repeat(None, calls):
        empty.bare(1)


def add(calls: int) -> None:
    for _ in repeat(None, calls):
        meter.add(1)


def has(calls: int) -> None:
    for _ in repeat(None, calls):
        guard.has(tier)


def prometheus_child(calls: int) -> None:
    for _ in repeat(None, calls):
        child.inc(1)


def prometheus_labels(calls: int) -> None:
    for _ in repeat(None, calls):
        labelled.labels("red", "a").inc(1)


def opentelemetry(calls: int) -> None:
    for _ in repeat(None, calls):
        instrument.add(1, attributes)


turns.take(
    {
        "loop": loop,
        "nothing": nothing,
        "fetch_add": fetch_add,
        "add": add,
        "has": has,
        "prometheus_client, child": prometheus_child,
        "prometheus_client, labels": prometheus_labels,
        "opentelemetry, attributes": opentelemetry,
    },
    lambda: [dataclasses.asdict(account) for account in guard.account()],
)
