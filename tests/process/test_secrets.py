"""Secrets: what a run was given in confidence stands in nothing that it wrote, but where it must survive a crash."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote
from urllib.request import ProxyHandler, build_opener

import pytest
from house import HOUR, PROGRAMS, House, Process

# Given to the product in its configuration; nothing of the sandbox needs it.
PASSWORD = "pr0xy-pass-w0rd-of-the-buyer"
PROXY = f"http://somebody:{PASSWORD}@127.0.0.1:9"
# Whatever makes a library talk.
LOUD = {
    "RUST_LOG": "trace",
    "RUST_BACKTRACE": "full",
    "LOG_SENSITIVE_BODIES": "true",
    "AWS_SDK_LOAD_CONFIG": "1",
    "NODE_DEBUG": "http,net",
    "PYTHONFAULTHANDLER": "1",
}
# Members of requests and answers, as the sandbox has seen them.
SECRET = {"SecretAccessKey", "SessionToken", "AccessToken", "WebIdentityToken", "Token"}
HELD = {"LicenseConsumptionToken"}  # kept in the holdings of a process until they are returned
ONCE = {"ClientToken"}  # kept with the record or draw that it belongs to
ECHO = ("ValidationException", "AccessDeniedException", "UnrecognizedClientException", "ServerInternalException")

opener = build_opener(ProxyHandler({}))


class Secrets:
    """What nobody else may know, by name."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.found: dict[str, set[str]] = {name: set() for name in SECRET | HELD | ONCE}
        self.found["password"] = {PASSWORD}

    def learn(self, *tasks: str) -> None:
        """Everything that the sandbox has given or got until now."""
        for request in self.house.sandbox.get("requests")["requests"]:
            body = request["body"]
            self._walk(dict(parse_qsl(body)) if isinstance(body, str) else body)
            self._walk(request["answer"])
        for task in tasks:
            with opener.open(f"{self.house.sandbox.task(task)}/credentials") as answer:
                self._walk(json.load(answer))

    def _walk(self, value: Any) -> None:
        if isinstance(value, dict):
            for name, member in value.items():
                if name in self.found and isinstance(member, str) and len(member) >= 8:
                    self.found[name].add(member)
                self._walk(member)
        elif isinstance(value, list):
            for each in value:
                self._walk(each)

    def of(self, *names: str) -> set[str]:
        return {secret for name in names or self.found for secret in self.found[name]}


def spellings(secret: str) -> set[bytes]:
    """A secret as it may stand in a file or a log."""
    plain = secret.encode()
    found = {plain, quote(secret, safe="").encode(), plain.hex().encode(), plain.hex().upper().encode()}
    found.add(secret.replace("/", "\\/").encode())
    # As a part of something longer: base64 has three ways to begin, and its last letters depend on what follows.
    for before in range(3):
        coded = base64.b64encode(bytes(before) + plain)[(0, 2, 3)[before] : -4]
        found |= {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def search(secrets: set[str], written: dict[str, bytes]) -> set[str]:
    """Names of what has one of them."""
    if not secrets:
        return set()
    wanted = re.compile(b"|".join(re.escape(each) for secret in secrets for each in spellings(secret)))
    return {name for name, content in written.items() if wanted.search(content)}


class Run:
    """Processes of a talkative product, and all that they wrote."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.folder, self.secrets = house, folder, Secrets(house)
        self.errors = folder / "stderr"
        self.said: list[Process] = []

    def start(self, config: dict[str, Any]) -> Process:
        command = [sys.executable, str(PROGRAMS / "talkative.py"), json.dumps(config)]
        with self.errors.open("ab") as errors:
            process = Process(command, stderr=errors, **LOUD)
        self.house.started.append(process)
        self.said.append(process)
        process.hear()
        return process

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.house.sandbox.post("faults", {"operation": operation, "kind": kind, **more})

    def calm(self) -> None:
        self.house.no_faults()

    def mpguard(self, name: str, *arguments: str) -> bytes:
        done = subprocess.run(
            [os.environ["MPGUARD_BIN"], *arguments], capture_output=True, env={**os.environ, **LOUD}, timeout=60
        )
        assert done.returncode in (0, 1, 2), (name, done.returncode)
        (self.folder / f"cli-{name}").write_bytes(done.stdout + done.stderr)
        return done.stdout

    def written(self) -> dict[str, bytes]:
        (self.folder / "stdout").write_text("".join(line for each in self.said for line in each.heard))
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def run(house: House, tmp_path: Path) -> Iterator[Run]:
    yield Run(house, tmp_path)


def contract(house: House, task: str, pricing: str, **keys: Any) -> dict[str, Any]:
    entitlements = [{"name": "Seats", "kind": "floating"}, {"name": "Credits", "kind": "drawdown"}]
    config = house.config(task, pricing=pricing, entitlements=entitlements, proxy=PROXY, startup_timeout_ms=3000, **keys)
    if "usage" not in pricing:
        del config["dimensions"]
    return config


def sell(house: House) -> None:
    seats = {"name": "Seats", "unit": "Count", "max_count": 10, "allow_check_in": True}
    credits = {"name": "Credits", "unit": "Count", "max_count": 1000}
    house.sandbox.post("licenses", {"product_sku": house.sku, "entitlements": [seats, credits]})


def check(run: Run) -> None:
    """Consumption tokens are in holdings, client tokens in holdings and ledger, all else is nowhere."""
    written = run.written()
    assert b"event Event(" in written["stderr"] and b"Traceback" in written["stderr"], "it told all it knew"
    assert b"sandbox: " in written["stderr"]
    found = run.secrets
    assert search(found.of(*SECRET, "password"), written) == set()
    holdings = {name for name in written if re.search(r"/holdings-[^/]*$", name)}
    assert search(found.of(*HELD), written) <= holdings
    ledgers = {name for name in written if re.search(r"/ledger\.db[^/]*$", name)}
    exported = {name for name in written if name.startswith("cli-ledger")}
    # A draw that nobody can tell the fate of: AWS finds the call by its token, which is never sent again.
    disputed = set(re.findall(rb'"client_token": "([^"]+)"', written["stderr"]))
    used = {token for token in found.of(*ONCE) if token.encode() not in disputed}
    assert search(used, written) <= holdings | ledgers | exported
    private = holdings | ledgers | {str(Path(name).parent) for name in holdings | ledgers}
    for name in private:
        assert (run.folder / name).stat().st_mode & 0o077 == 0, name


def test_what_a_task_was_given_stands_in_nothing_that_it_wrote(house: House, run: Run) -> None:
    sell(house)
    config = contract(house, "app", "usage+contract")
    product = run.start(config)
    for line in ("add 5", "out", "draw 3", "tell"):
        product.ask(line)
    run.secrets.learn("app")
    role = " ".join(min(run.secrets.of(name)) for name in ("SecretAccessKey", "Token"))
    [seat] = [each["token"] for each in house.sandbox.get("seats")["checkouts"] if each["entitlements"][0]["name"] == "Seats"]
    # AWS refuses everything, and repeats what it was sent.
    for code in ECHO:
        for operation in ("ExtendLicenseConsumption", "CheckInLicense"):
            run.fault(operation, "error", code=code, status=400, message=f"Value '{seat}' at 'token'", times=-1)
        run.fault("*", "error", code=code, status=400, message=f"Values '{role}'", times=-1)
        house.advance(timedelta(minutes=25))
        for line in ("add 1", "out", "draw 1", "flush", "tell"):
            product.ask(line)
        run.calm()
    product.ask("in")
    # Everything fails in every other way.
    for kind in ("throttle", "reset", "garbage", "html", "empty", "huge", "lost_answer"):
        run.fault("*", kind, times=3)
        for line in ("add 1", "out", "draw 1", "flush"):
            product.ask(line)
        run.calm()
    house.advance(2 * HOUR)
    product.ask("out")
    run.secrets.learn("app")
    # Killed with seats in hand: they survive, and only there.
    product.kill()
    held = search(run.secrets.of(*HELD), run.written())
    assert held and all("/holdings-" in name for name in held), held
    run.mpguard("ledger-show", "ledger", "show", config["state_dir"])
    assert run.mpguard("ledger-export", "ledger", "export", config["state_dir"])
    settings = run.folder / "doctor.in"
    settings.write_text(json.dumps(config))
    for style in ([], ["--json"]):
        assert run.mpguard(f"doctor{len(style)}", "doctor", "--config", str(settings), *style)
    settings.unlink()  # ours, and it has the password
    product = run.start(config)
    product.ask("tell")
    product.ask("shutdown")
    run.secrets.learn("app")
    check(run)


def test_the_token_of_a_pod_stands_in_nothing_that_it_wrote(house: House, run: Run) -> None:
    house.sandbox.post("tasks", {"name": "pod", "platform": "eks"})
    config = house.config("pod", proxy=PROXY, startup_timeout_ms=3000)
    for kind in ("error", "garbage", "reset", "throttle"):
        run.fault("AssumeRoleWithWebIdentity", kind, times=2)
    product = run.start(config)
    product.ask("add 5")
    house.advance(2 * HOUR)
    for line in ("tell", "flush", "shutdown"):
        product.ask(line)
    run.secrets.learn()
    assert run.secrets.of("WebIdentityToken") and run.secrets.of("SessionToken")
    check(run)


def test_the_license_token_of_a_container_elsewhere_stands_in_nothing_that_it_wrote(house: House, run: Run) -> None:
    sell(house)
    house.sandbox.post("tasks", {"name": "edge", "platform": "anywhere"})
    given = house.sandbox.post("tasks/edge/license_token")["token"]
    config = contract(house, "edge", "contract")
    run.fault("GetAccessToken", "error", code="ValidationException", status=400, message=f"Value '{given}' at 'token'")
    product = run.start(config)
    product.ask("tell")
    product.kill()
    product = run.start(config)
    for line in ("out", "draw 2", "tell"):
        product.ask(line)
    run.secrets.learn()
    access = max(run.secrets.of("AccessToken"))
    run.fault("AssumeRoleWithWebIdentity", "error", code="InvalidIdentityToken", status=400, message=f"'{access}'", times=9)
    house.advance(timedelta(minutes=70))
    for line in ("out", "tell", "shutdown"):
        product.ask(line)
    run.secrets.learn()
    assert given in run.secrets.of("Token") and run.secrets.of("SessionToken") and run.secrets.of(*HELD)
    check(run)
