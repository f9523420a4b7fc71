"""What must hold after an attack, and the words for what does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from answers import KEY_ID
from attacks import Attack, Fate
from runs import Outcome, World

#: Verdicts with which a product runs.
RUNS = ("licensed", "grace")
SHOWN = 700
FAULTS_SHOWN = 3


class Checks:
    """Counts what held, and keeps what did not."""

    def __init__(self) -> None:
        self.passed = 0
        self.wrong: list[str] = []

    def shown(self) -> list[str]:
        """The first faults of each attack, and how many more there are."""
        lines: list[str] = []
        attacks: dict[str, int] = {}
        for wrong in self.wrong:
            name = wrong.partition(":")[0]
            attacks[name] = attacks.get(name, 0) + 1
            if attacks[name] <= FAULTS_SHOWN:
                lines.append(wrong)
        more = sum(count - FAULTS_SHOWN for count in attacks.values() if count > FAULTS_SHOWN)
        return [*lines, f"and {more} more"] if more else lines

    def that(self, holds: bool, otherwise: Callable[[], str]) -> bool:
        if holds:
            self.passed += 1
        else:
            self.wrong.append(otherwise())
        return holds

    def take(self, *others: Checks) -> None:
        """Count what these have."""
        for other in others:
            self.passed += other.passed
            self.wrong += other.wrong


def show(outcome: Outcome) -> str:
    heard = outcome.heard
    ended = f"status {outcome.status}, said {outcome.stdout.strip()!r}, stderr {outcome.stderr.strip()!r}"
    return f"{ended[:SHOWN]}; liar: {heard.requests[:6]}, CONNECT {heard.connects[:6]}, {heard.turned_away} turned away"


def ended_well(checks: Checks, attack: Attack, outcome: Outcome) -> None:
    """No panic, no signal, no word but the one line."""
    good = outcome.status == 0 and outcome.stderr == "" and bool(outcome.said())
    checks.that(good, lambda: f"{attack.name}: {outcome.label} did not end well: {show(outcome)}")
    said = outcome.said()
    checks.that(
        said.get("sandbox") is False,
        lambda: f"{attack.name}: {outcome.label} believes in a sandbox: {show(outcome)}",
    )
    checks.that(
        said.get("reason") != "INTERNAL",
        lambda: f"{attack.name}: {outcome.label} had to catch a panic: {show(outcome)}",
    )
    secret = KEY_ID in outcome.stdout + outcome.stderr
    checks.that(not secret, lambda: f"{attack.name}: {outcome.label} tells a key: {show(outcome)}")


def not_fooled(checks: Checks, attack: Attack, outcome: Outcome) -> None:
    """A guard that everybody lies to: never licensed, nothing recorded, no request answered."""
    ended_well(checks, attack, outcome)
    told = f"{attack.name}: {outcome.label}"
    said, heard = outcome.said(), outcome.heard
    verdict = said.get("verdict")
    checks.that(verdict is not None and verdict not in RUNS, lambda: f"{told} is {verdict}: {show(outcome)}")
    checks.that(said.get("recorded") == 0, lambda: f"{told} recorded usage: {show(outcome)}")
    unheard(checks, attack, outcome)
    through = [target for target in heard.connects if target.endswith(".amazonaws.com:443")]
    allowed = through if attack.config.get("proxy") == "environment" else []
    checks.that(heard.connects == allowed, lambda: f"{told} asked a proxy for more than it may: {show(outcome)}")


def tried(attack: Attack, outcome: Outcome, pricing: str) -> bool:
    """It came as far as TLS, if it is one that should."""
    # Nobody meters on a machine or by Pod Identity, so there only a contract is asked for.
    should = attack.tries and (pricing == "contract" or attack.on in ("ecs", "eks"))
    proxied = attack.config.get("proxy") != "environment" or bool(outcome.heard.connects)
    return not should or (outcome.heard.turned_away > 0 and proxied)


def came_to_the_door(checks: Checks, attack: Attack, outcome: Outcome, pricing: str) -> None:
    """Else it was not the certificate that kept it away, and nothing is proved."""
    checks.that(
        tried(attack, outcome, pricing),
        lambda: f"{attack.name}: {outcome.label} did not come as far as TLS: {show(outcome)}",
    )


def unheard(checks: Checks, attack: Attack, outcome: Outcome) -> None:
    """The liar has answered no request, and nothing of the buyer's has been run."""
    checks.that(
        not outcome.heard.requests, lambda: f"{attack.name}: the liar answered {outcome.label}: {show(outcome)}"
    )
    checks.that(
        not (outcome.folder / "ran").exists(), lambda: f"{attack.name}: {outcome.label} ran the buyer's program"
    )


def unmoved(checks: Checks, world: World, attack: Attack, outcome: Outcome, metered: bool) -> None:
    """A guard whom AWS itself answers, with the same variables."""
    ended_well(checks, attack, outcome)
    unheard(checks, attack, outcome)
    said = outcome.said()
    told = f"{attack.name}: {outcome.label}, whom AWS answers"
    checks.that(
        said.get("verdict") == attack.honest, lambda: f"{told}, is not {attack.honest}: {show(outcome)}"
    )
    checks.that(
        attack.says in str(said.get("text")), lambda: f"{told}, does not name {attack.says}: {show(outcome)}"
    )
    if attack.honest != "licensed":
        return
    asked = {request["operation"] for request in world.honest.requests(outcome.task)}
    wanted = {"CheckoutLicense", "MeterUsage", "RegisterUsage"} if metered else {"CheckoutLicense"}
    checks.that(wanted <= asked, lambda: f"{told}, has asked no more than {sorted(asked)}")
    if metered:
        checks.that(said.get("recorded") == 3, lambda: f"{told}, did not bring its usage out: {show(outcome)}")


def fate(attack: Attack, outcome: Outcome) -> Fate:
    """What became of a client that a seller wrote."""
    said = outcome.said()
    answered = bool(outcome.heard.requests) or attack.free
    pricings = [said.get(name) for name in ("hourly", "usage", "contract", "plain")]
    if ("licensed" in pricings and answered) or said.get("signer") == KEY_ID or (outcome.folder / "ran").exists():
        return "yes"
    return "broken" if breaks(outcome) else "no"


#: botocore's InvalidRetryModeError, InvalidRegionError, InvalidMaxRetryAttemptsError.
_ABOUT_SETTINGS = ("InvalidRe", "InvalidMax")


def breaks(outcome: Outcome) -> bool:
    """It has not so much as tried: a panic, or botocore's errors about what it is told to be."""
    if outcome.status != 0:
        return "panicked" in outcome.stderr
    errors = [str(said) for name, said in outcome.said().items() if name in ("hourly", "usage", "contract")]
    return bool(errors) and all(error.startswith(_ABOUT_SETTINGS) for error in errors)


def named(checks: Checks, attack: Attack, outcome: Outcome) -> bool:
    """The doctor warns of every variable by its name, and nobody lies to the doctor either."""
    unheard(checks, attack, outcome)
    findings = doctors_findings(outcome)
    good = outcome.status in (0, 1, 2) and outcome.stderr == "" and bool(findings)
    checks.that(good, lambda: f"{attack.name}: {outcome.label} did not end well: {show(outcome)}")
    if attack.tries:
        checks.that(
            any("does not prove to be AWS" in str(each.get("why")) for each in of(findings, "endpoint.", "failed")),
            lambda: f"{attack.name}: {outcome.label} takes the liar for AWS: {outcome.stdout[:SHOWN]}",
        )
    worried = [json.dumps(each) for each in findings if each.get("status") in ("warning", "failed")]
    missing = [name for name in attack.names() if not any(name in text for text in worried)]
    return checks.that(
        not missing,
        lambda: f"{attack.name}: {outcome.label} does not warn of {', '.join(missing)}: {outcome.stdout[:SHOWN]}",
    )


def of(findings: list[dict[str, Any]], kind: str, status: str) -> list[dict[str, Any]]:
    """The findings of this kind that stand so."""
    return [each for each in findings if str(each.get("id")).startswith(kind) and each.get("status") == status]


def doctors_findings(outcome: Outcome) -> list[dict[str, Any]]:
    try:
        told = json.loads(outcome.stdout)
    except ValueError:
        return []
    findings = told.get("findings", []) if isinstance(told, dict) else told
    return [each for each in findings if isinstance(each, dict)]
