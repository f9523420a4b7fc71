"""Starts products in production mode in a hostile place, and plain clients beside them.

    attack.py [WORD …]    only the attacks whose name has one of these words

It becomes itself in namespaces of its own first: nothing that it starts can leave the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import checks
import stage
from answers import Answers
from attacks import ATTACKS, Attack
from checks import Checks
from runs import AGAIN_MS, AT_ONCE, ROOT, Built, Outcome, Run, World

LANGUAGES = ("C", "Python")
#: Attacks at one time; each has about ten programs, and `AT_ONCE` of all run.
ATTACKS_AT_ONCE = 6
WIDTH = 46


def built(folder: Path) -> Built:
    """What cargo built, and the C product compiled against it."""
    made = Path(os.environ.get("MPGUARD_LIB_DIR", ROOT / "target/debug")).absolute()
    command = Path(os.environ.get("MPGUARD_BIN", made / "mpguard")).absolute()
    sdk = made / "mpguard-attack-sdk"
    for file in (command, sdk, made / "libmpguard.so"):
        if not file.exists():
            raise stage.NoStage(f"`{file}` is not built; run `cargo xtask build`")
    for name in ("libmpguard.so", "libmpguard.so.1"):
        (folder / name).symlink_to(made / "libmpguard.so")
    product = folder / "product"
    source = Path(__file__).parent / "products/product.c"
    compile = ["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}", str(source)]
    link = ["-o", str(product), f"-L{folder}", "-lmpguard", f"-Wl,-rpath,{folder}"]
    subprocess.run([*compile, *link], check=True)
    return Built(command, sdk, product)


class Harness:
    """Runs attacks, and says one line of each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.checks = Checks()
        self.programs = ThreadPoolExecutor(AT_ONCE * 2)

    def close(self) -> None:
        self.programs.shutdown()
        self.world.honest.close()

    def attack(self, attack: Attack) -> str:
        """One attack, on everybody at once."""
        metered = attack.on in ("ecs", "eks")
        guards = [
            (pricing, self.programs.submit(self._guard, attack, language, pricing))
            for language in LANGUAGES
            for pricing in ("hourly", "usage", "contract")
        ]
        whole = "hourly+usage+contract" if metered else "contract"
        unmoved = [self.programs.submit(self._unmoved, attack, language, whole) for language in LANGUAGES]
        which = ["boto3", "sdk"] + (["plain"] if attack.plain else [])
        victims = {each: self.programs.submit(Run(self.world, attack, each).victim, each) for each in which}
        doctors = [
            self.programs.submit(Run(self.world, attack, f"the doctor of {by}").doctor, by)
            for by in ("the command", "Python")
        ]

        own, others = Checks(), Checks()
        heard = 0
        for pricing, guard in guards:
            for outcome in guard.result():
                heard += len(outcome.heard.requests)
                checks.not_fooled(own, attack, outcome)
            checks.came_to_the_door(own, attack, outcome, pricing)
        for each in unmoved:
            checks.unmoved(own, self.world, attack, each.result(), metered)
        fates = self._fates(others, attack, victims)
        words = [f"fooled: {', '.join([*fates, f'mpguard {verdict(own)}'])}", f"liar got {heard} requests"]
        named = [checks.named(own, attack, doctor.result()) for doctor in doctors]
        if attack.names():
            words.append("doctor names it" if all(named) else "doctor does NOT name it")
        self.checks.take(own, others)
        return f"{attack.name:<{WIDTH}} {'   '.join(words)}"

    def _guard(self, attack: Attack, language: str, pricing: str) -> list[Outcome]:
        label = f"the {language} product with {pricing} pricing"
        outcomes = [Run(self.world, attack, label).guard(language, pricing)]
        if not checks.tried(attack, outcomes[0], pricing):
            outcomes.append(Run(self.world, attack, label).guard(language, pricing, AGAIN_MS))
        return outcomes

    def _unmoved(self, attack: Attack, language: str, pricing: str) -> Outcome:
        label = f"the {language} product"
        outcome = Run(self.world, attack, label).guard_and_aws(language, pricing)
        if attack.says in str(outcome.said().get("text")):
            return outcome
        return Run(self.world, attack, label).guard_and_aws(language, pricing, AGAIN_MS)

    def _fates(self, own: Checks, attack: Attack, victims: dict[str, Future[Outcome]]) -> list[str]:
        shown = {"boto3": "boto3", "sdk": "AWS SDK for Rust", "plain": "urllib"}
        expected = {"boto3": attack.boto3, "sdk": attack.sdk, "plain": attack.plainly}
        found = []
        for which, victim in victims.items():
            outcome = victim.result()
            fate = checks.fate(attack, outcome)
            told = f"{attack.name}: {which} is fooled `{fate}` instead of `{expected[which]}`"
            own.that(fate == expected[which], lambda: f"{told}: {checks.show(outcome)}")
            found.append(f"{shown[which]} {fate}")
        return found

    def forged(self, form: str) -> str:
        """A program that trusts the buyer's authority, as behind a proxy that looks into TLS: the signature is left."""
        attack = Attack(f"RegisterUsage answered with {form}")
        root = self.world.authority.root.read_text()
        own = Checks()
        for language in LANGUAGES:
            run = Run(self.world, attack, f"the {language} product")
            answers = Answers(self.world.signer, self.world.honest.public_pem, form)
            outcome = run.forged(language, root, answers)
            checks.ended_well(own, attack, outcome)
            said = outcome.said().get("verdict")
            asked = any("RegisterUsage" in line for line in outcome.heard.requests)
            own.that(
                asked and said is not None and said not in checks.RUNS,
                lambda: f"{attack.name}: {language} is {said}: {checks.show(outcome)}",
            )
        self.checks.take(own)
        return f"{attack.name:<{WIDTH}} fooled: mpguard {verdict(own)}"

    def working(self) -> str:
        """The victims are no straw men: they work where AWS answers and is trusted."""
        trust = {"AWS_CA_BUNDLE": "{ca}", "SSL_CERT_FILE": "{ca}"}
        own = Checks()
        for platform in ("ecs", "eks"):
            attack = Attack(f"AWS itself, on {platform}", trust, on=platform, lies=False)
            for which in ("boto3", "sdk"):
                outcome = Run(self.world, attack, which).victim(which)
                said = [outcome.said().get(name) for name in ("hourly", "usage", "contract")]
                good = said == ["licensed"] * 3 and not outcome.heard.requests
                own.that(good, lambda: f"{attack.name}: {which} is not licensed: {checks.show(outcome)}")
            # The doctor warns of what is set, and finds everything else well.
            doctor = Run(self.world, attack, "the doctor").doctor("the command", lied=False)
            findings = checks.doctors_findings(doctor)
            reached = checks.of(findings, "endpoint.", "passed") + checks.of(findings, "permission.", "passed")
            well = doctor.status == 1 and len(reached) >= 6 and not checks.of(findings, "", "failed")
            own.that(well, lambda: f"{attack.name}: the doctor finds it ill: {doctor.stdout}")
        tunnels = self.world.honest.tunnels
        own.that(
            bool(tunnels) and all(target.endswith(".amazonaws.com:443") for target in tunnels),
            lambda: f"AWS itself: the honest proxy was asked for {tunnels}",
        )
        self.checks.take(own)
        return f"{'AWS itself':<{WIDTH}} licensed: boto3 and AWS SDK for Rust {'WRONG' if own.wrong else 'yes'}"


def verdict(own: Checks) -> str:
    return f"{'WRONG' if own.wrong else 'no'} ({', '.join(LANGUAGES)})"


FORMS = ("a key of its own", "none", "HS256")


def inside(words: list[str]) -> int:
    start = time.monotonic()
    chosen = [each for each in ATTACKS if not words or any(word in each.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="mpguard-attack-") as name:
        folder = Path(name)
        stage.set_up(folder)
        harness = Harness(World(folder, built(folder)))
        try:
            with ThreadPoolExecutor(ATTACKS_AT_ONCE) as attackers:
                for line in attackers.map(harness.attack, chosen):
                    print(line, flush=True)
                forms = [form for form in FORMS if not words]
                for line in attackers.map(harness.forged, forms):
                    print(line, flush=True)
                if not words:
                    print(harness.working(), flush=True)
        finally:
            harness.close()
    for wrong in harness.checks.shown():
        print(f"WRONG {wrong}")
    failed = len(harness.checks.wrong)
    # In the words of a test runner, for whoever counts.
    seconds = time.monotonic() - start
    print(f"checks: {harness.checks.passed} passed, {failed} failed in {seconds:.1f} s")
    return 1 if failed or not chosen else 0


def main(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["--inside"]:
            stage.check_alone(arguments[1:3])
            return inside(arguments[3:])
        stage.enter(Path(__file__).absolute(), arguments)
    except (stage.NoStage, OSError, subprocess.CalledProcessError) as error:
        print(f"attack: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
