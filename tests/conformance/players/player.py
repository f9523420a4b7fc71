"""Plays conformance scenarios in Python: one command a line on stdin, one answer a line on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Condition

import mpguard


class Player:
    """Holds one guard, its meters and seats, and the events that no command has taken yet."""

    def __init__(self) -> None:
        self.guard: mpguard.Guard | None = None
        self.meters: dict[tuple[str, ...], mpguard.Meter] = {}
        self.seats: dict[str, mpguard.Seat] = {}
        self.events: list[mpguard.Event] = []
        self.heard = Condition()

    def init(self, config: str) -> str:
        self.guard = mpguard.init_from_json(config, on_event=self.hear)
        self.meters.clear()
        return self.license()

    def hear(self, event: mpguard.Event) -> None:
        with self.heard:
            self.events.append(event)
            self.heard.notify_all()

    def verdict(self) -> str:
        return self.up().verdict()

    def license(self) -> str:
        return compact(self.up().license().to_dict())

    def require(self) -> None:
        self.up().require()

    def has(self, feature: str) -> str:
        return flag(self.up().has(feature))

    def add(self, dimension: str, quantity: str, *tags: str) -> None:
        self.meter(dimension, *tags).add(number(quantity))

    def set(self, dimension: str, quantity: str, *tags: str) -> None:
        self.meter(dimension, *tags).set(number(quantity))

    def meter(self, dimension: str, *tags: str) -> mpguard.Meter:
        """Made once and kept, as a product does."""
        guard, name = self.up(), (dimension, *tags)
        if name not in self.meters:
            self.meters[name] = guard.meter(dimension, dict(pair(tag) for tag in tags))
        return self.meters[name]

    def check_out(self, name: str, entitlement: str, count: str, timeout_ms: str) -> str:
        seat = self.up().check_out(entitlement, number(count), millis(timeout_ms))
        self.seats[name] = seat
        return str(seat.expires_ms)

    def draw_down(self, entitlement: str, quantity: str, timeout_ms: str) -> None:
        self.up().draw_down(entitlement, number(quantity), millis(timeout_ms))

    def seat_number(self, name: str) -> str:
        return str(self.seats[name].number)

    def seat(self, name: str) -> str:
        return flag(self.seats[name].held)

    def check_in(self, name: str) -> None:
        self.seats[name].check_in()

    def event(self, kind: str, timeout_ms: str) -> str:
        with self.heard:
            if not self.heard.wait_for(lambda: any(self.of(kind)), int(timeout_ms) / 1000):
                kinds = ", ".join(event.kind for event in self.events) or "none"
                raise mpguard.TimedOutError(f"no event `{kind}` in {timeout_ms} ms; waiting: {kinds}")
            event = next(self.of(kind))
            self.events.remove(event)
            return compact(event.to_dict())

    def of(self, kind: str) -> Iterator[mpguard.Event]:
        return (event for event in self.events if event.kind == kind)

    def account(self) -> str:
        return compact([each.to_dict() for each in self.up().account()])

    def stats(self) -> str:
        return compact(self.up().stats().to_dict())

    def flush(self, deadline_ms: str) -> str:
        return compact(self.up().flush(millis(deadline_ms)).to_dict())

    def shutdown(self, deadline_ms: str) -> str:
        return compact(self.up().shutdown(millis(deadline_ms)).to_dict())

    def up(self) -> mpguard.Guard:
        if self.guard is None:
            raise mpguard.InvalidArgumentError("there is no guard yet; send `init` first")
        return self.guard


COMMANDS = (
    "account add check_in check_out draw_down event flush has init license require seat seat_number set shutdown "
    "stats verdict"
).split()


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def flag(value: bool) -> str:
    return "1" if value else "0"


def millis(text: str) -> timedelta:
    return timedelta(milliseconds=int(text))


def number(text: str) -> int:
    """What the language lets through: an int of any size, else the text itself, which `add` refuses."""
    try:
        return int(text)
    except ValueError:
        return text  # type: ignore[return-value]


def pair(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value


def answer(call: Callable[[], str | None]) -> str:
    try:
        payload = call()
        return "ok" if payload is None else f"ok\t{payload}"
    except mpguard.Error as error:
        text = " ".join(str(error).split())
        return f"error\t{error.code}\t{error.kind}\t{flag(error.retryable)}\t{text}"
    except (KeyError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())
        return f"error\tINVALID_ARGUMENT\tusage\t0\t{type(error).__name__}: {text}"


def main() -> None:
    player = Player()
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split("\t")
        if command == "quit":
            print("ok", flush=True)
            return
        if command in COMMANDS:
            print(answer(lambda: getattr(player, command)(*words)), flush=True)
        else:
            print(f"error\tINVALID_ARGUMENT\tusage\t0\tunknown command `{command}`", flush=True)


if __name__ == "__main__":
    main()
