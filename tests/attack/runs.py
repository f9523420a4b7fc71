"""One program in a hostile place: its environment, its files, its own address of the liar, and what came of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from answers import KEY_ID, Answers
from attacks import Attack
from certificates import ATTACKER, REGION, Authority, Signer, names
from honest import ADDRESS, FREE, PRODUCT, Honest
from liar import Heard, Liar, context
from stage import beneath

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

NOTHING: Mapping[str, str] = {}
#: A verdict that stays pending takes all of it.
ATTACK_MS = 1_500
#: Once more on a busy machine, where that was not enough to ask anybody.
AGAIN_MS = 15_000
#: With AWS there, `init` is back at once.
HONEST_MS = 30_000
PATIENCE = 90.0
#: Programs at one time: they mostly wait.
AT_ONCE = 24


@dataclass(frozen=True)
class Built:
    """What cargo and the C compiler made."""

    command: Path
    sdk: Path
    c_product: Path


@dataclass
class Outcome:
    """What became of one program."""

    label: str
    status: int
    stdout: str
    stderr: str
    heard: Heard
    task: str
    folder: Path

    def said(self) -> dict[str, Any]:
        """The one line of JSON that a program says; empty when it said something else."""
        try:
            said = json.loads(self.stdout)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


class World:
    """Everything that is there once for all attacks."""

    def __init__(self, folder: Path, built: Built) -> None:
        self.folder = folder
        self.built = built
        self.authority = Authority(folder)
        self.signer = Signer(folder)
        trusted = context(str(self.authority.leaf), str(self.authority.leaf_key))
        self.trusted = trusted
        self.alone = context(str(self.authority.alone), str(self.authority.alone_key))
        self.honest = Honest(built.command, trusted)
        self.slots = threading.Semaphore(AT_ONCE)
        self._count = 0
        self._lock = threading.Lock()

    def address(self) -> str:
        """An address of 127.1.0.0/16 that nobody has had."""
        with self._lock:
            self._count += 1
            return f"127.1.{self._count // 250}.{self._count % 250 + 1}"

    def config(self, pricing: str, **keys: Any) -> dict[str, Any]:
        """A product of ours in production mode: there is no key `sandbox`."""
        key = {"version": 1, "pem": self.honest.public_pem}
        made: dict[str, Any] = {
            "pricing": pricing,
            "product_code": PRODUCT,
            "trusted_products": [{"code": PRODUCT, "sku": self.honest.sku, "public_keys": [key]}],
            **keys,
        }
        if "usage" in pricing:
            made["dimensions"] = [{"name": "requests"}]
        if "contract" in pricing:
            made["entitlements"] = [{"name": "Basic", "kind": "tier"}]
        return made


class Run:
    """One program in one attack."""

    def __init__(self, world: World, attack: Attack, label: str) -> None:
        self.world = world
        self.attack = attack
        self.label = label
        self.address = world.address()
        name = "t" + self.address.replace(".", "-")
        #: Whom the sandbox takes us for. Of machines it has one, whose metadata is asked without a name.
        self.task = "instance" if attack.on == "ec2" else name
        self.folder = world.folder / name
        self.folder.mkdir()

    def guard(self, language: str, pricing: str, within_ms: int = ATTACK_MS) -> Outcome:
        """A guard that everybody lies to."""
        keys = {"state_dir": self._state(), "startup_timeout_ms": within_ms}
        config = self.world.config(pricing, **keys, **self.attack.config)
        return self.start(self._product(language, config), lied=True)

    def guard_and_aws(self, language: str, pricing: str, within_ms: int = ATTACK_MS) -> Outcome:
        """A guard with the same variables whom AWS itself answers. Its program trusts the harness's authority."""
        root = self.world.authority.root.read_text()
        within_ms = within_ms if self.attack.honest == "pending" else HONEST_MS
        keys = {"state_dir": self._state(), "extra_ca_pem": root, "startup_timeout_ms": within_ms}
        config = self.world.config(pricing, **keys, **self.attack.config)
        return self.start(self._product(language, config), lied=False, more=self.attack.honest_sets)

    def forged(self, language: str, root: str, answers: Answers) -> Outcome:
        """A guard whose program trusts `root`, and so comes to hear what the liar says."""
        keys = {"state_dir": self._state(), "extra_ca_pem": root, "startup_timeout_ms": ATTACK_MS}
        config = self.world.config("hourly", **keys)
        return self.start(self._product(language, config), lied=True, answers=answers)

    def victim(self, which: str) -> Outcome:
        """A program that a seller would write."""
        python, given = sys.executable, json.dumps({"code": PRODUCT, "sku": self.world.honest.sku})
        command = {
            "boto3": [python, str(HERE / "victims/seller.py"), given],
            "sdk": [str(self.world.built.sdk), given],
            "plain": [python, str(HERE / "victims/plain.py"), self.attack.plain or ""],
        }[which]
        # One attempt each: what a client does in its second one proves nothing more.
        return self.start(command, lied=self.attack.lies, base={"AWS_MAX_ATTEMPTS": "1"})

    def doctor(self, by: str, lied: bool = True) -> Outcome:
        """The doctor, asked about the same product."""
        pricing = "hourly+usage+contract" if self.attack.on in ("ecs", "eks") else "contract"
        keys = {"state_dir": self._state(), **self.attack.config}
        if not lied:
            keys["extra_ca_pem"] = self.world.authority.root.read_text()
        config = self.folder / "config.json"
        config.write_text(json.dumps(self.world.config(pricing, **keys)))
        asked = ["doctor", "--json", "--config", str(config)]
        ours = [str(self.world.built.command)] if by == "the command" else [sys.executable, "-m", "mpguard"]
        return self.start([*ours, *asked], lied=lied)

    def start(
        self,
        command: list[str],
        lied: bool,
        more: Mapping[str, str] = NOTHING,
        base: Mapping[str, str] = NOTHING,
        answers: Answers | None = None,
    ) -> Outcome:
        """Run it to its end, with a liar of its own."""
        chosen = self.world.alone if self.attack.self_signed else self.world.trusted
        answers = answers or Answers(self.world.signer, self.world.honest.public_pem)
        environment = {**self._surroundings(), **base}
        for name in self.attack.without:
            environment.pop(name, None)
        for name, value in {**self.attack.sets, **more}.items():
            environment[name] = self.fill(value)
        for name, text in self.attack.files.items():
            file = self.folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(self.fill(text))
        mounts = [(self._hosts(self.address if lied else ADDRESS), Path("/etc/hosts"))]
        if self.attack.system_store:
            mounts.append((self.world.authority.store, Path("/etc/ssl/certs")))
        with self.world.slots:
            liar = Liar(self.address, chosen, answers)
            try:
                done = subprocess.run(
                    beneath(mounts, command),
                    env=environment,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
                status, stdout, stderr = done.returncode, done.stdout, done.stderr
            except subprocess.TimeoutExpired:
                status, stdout, stderr = 124, "", f"it did not end within {PATIENCE} s"
            finally:
                heard = liar.close()
        return Outcome(self.label, status, stdout, stderr, heard, self.task, self.folder)

    def fill(self, text: str) -> str:
        """`text` with its places filled."""
        values = {
            "liar": self.address,
            "honest": ADDRESS,
            "folder": str(self.folder),
            "ca": str(self.world.authority.root),
            "store": str(self.world.authority.store),
            "key": KEY_ID,
            "secret": "l" * 40,
            "sandbox": f"{self.world.honest.url}/t/{self.task}",
            "free": FREE,
        }
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)

    def _state(self) -> str:
        state = self.folder / "state"
        state.mkdir()
        return str(state)

    def _product(self, language: str, config: dict[str, Any]) -> list[str]:
        text = json.dumps(config)
        if language == "C":
            return [str(self.world.built.c_product), text]
        return [sys.executable, str(HERE / "products/product.py"), text]

    def _hosts(self, address: str) -> Path:
        hosts = self.folder / "hosts"
        lines = ["127.0.0.1 localhost"]
        for name in names():
            # The buyer's own domain is the buyer's, whatever AWS's names lead to.
            lines.append(f"{self.address if name.endswith(ATTACKER) else address} {name}")
        hosts.write_text("\n".join(lines) + "\n")
        return hosts

    def _surroundings(self) -> dict[str, str]:
        """What the platform gives a container, and nothing of ours."""
        plain = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT / "bindings/python"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        kind = self.attack.on
        platform = {"ecs": "ecs", "eks": "eks", "pod": "eks", "ec2": "ec2"}[kind]
        call = self.world.honest.call
        made = call("tasks", {"name": self.task, "platform": platform, "region": REGION})
        region = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        if kind == "ecs":
            base = f"/t/{self.task}"
            return {
                **plain,
                **region,
                "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2{base}/v4",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"{base}/credentials",
                "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            }
        if kind == "ec2":
            return plain
        projected = call(f"tasks/{self.task}/web_identity_token", {})
        token = self.folder / "token"
        token.write_text(projected["token"])
        kubernetes = {**plain, **region, "KUBERNETES_SERVICE_HOST": "10.100.0.1"}
        if kind == "eks":
            return {**kubernetes, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": made["role_arn"]}
        uri = f"http://169.254.170.23/t/{self.task}/credentials"
        return {
            **kubernetes,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": uri,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }
