"""The doctor: the same report as a call, as a coroutine and as `python -m mpguard doctor`."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import mpguard
import mpguard.aio
import pytest
from conftest import PRODUCT, Shop

ALONE = ["unshare", "-r", "-n"]
"""A network of its own, which leads nowhere: without a sandbox the doctor looks for AWS."""


def command(*arguments: str, stdin: str = "", prefix: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``python -m mpguard``."""
    whole = [*(prefix or []), sys.executable, "-m", "mpguard", *arguments]
    return subprocess.run(whole, input=stdin, capture_output=True, text=True, timeout=90, check=False)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["status"] for each in report["findings"]}


def test_a_product_in_a_sandbox_is_examined_without_a_guard(shop: Shop) -> None:
    report = mpguard.doctor(**shop.config("usage"))
    assert report.sandbox
    assert report.version == mpguard.__version__
    found = {each.id: each for each in report.findings}
    assert {"configuration", "region"} <= set(found)
    assert found["configuration"].status == "passed"
    worst = max(report.findings, key=lambda each: ["skipped", "passed", "warning", "failed"].index(each.status))
    assert report.status == worst.status
    assert report.exit_code == {"warning": 1, "failed": 2}.get(report.status, 0)
    assert str(report) == report.text
    assert report.text.endswith("\n")
    assert "region" in report.text
    assert "\x1b" not in report.text
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.exit_code = 0  # type: ignore[misc]


def test_the_dictionary_is_the_form_that_every_language_shares(shop: Shop) -> None:
    report = mpguard.doctor(**shop.config("usage"))
    whole = report.to_dict()
    assert set(whole) == {"version", "sandbox", "status", "findings"}
    assert set(whole["findings"][0]) == {"id", "status", "what", "why", "fix", "docs"}
    json.dumps(whole)


def test_it_bills_nothing_and_takes_nothing(shop: Shop) -> None:
    shop.sell("Basic", seats=1, credits=5)
    before = shop.sandbox.bill()
    mpguard.doctor(**shop.config("hourly+usage+contract"))
    assert shop.sandbox.bill() == before
    assert shop.seats_in_use() == 0
    assert shop.credits_drawn() == 0
    assert shop.init("contract").verdict() == "licensed"


def test_a_missing_permission_is_named(shop: Shop) -> None:
    config = shop.config("usage")
    assert statuses(mpguard.doctor(**config).to_dict())["permission.MeterUsage"] == "passed"
    shop.sandbox.post("switches", {"iam_denied": ["aws-marketplace:MeterUsage"]})
    report = mpguard.doctor(**config)
    [denied] = [each for each in report.findings if each.id == "permission.MeterUsage"]
    assert (denied.status, report.status, report.exit_code) == ("failed", "failed", 2)
    assert "aws-marketplace:MeterUsage" in denied.what + denied.why + denied.fix


def test_other_threads_go_on_meanwhile(shop: Shop) -> None:
    config = shop.config("usage")
    shop.sandbox.post("faults", {"operation": "MeterUsage", "kind": "delay", "delay_ms": 300})
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        start = time.monotonic()
        mpguard.doctor(**config)
        took = time.monotonic() - start
    finally:
        done.set()
        thread.join()
    longest = max(b - a for a, b in zip(ticks, ticks[1:], strict=False))
    assert took > 0.25, "it waited for AWS"
    assert longest < 0.25, "and held the GIL meanwhile"


def test_asyncio_is_not_blocked(shop: Shop) -> None:
    async def both() -> tuple[mpguard.DoctorReport, int]:
        task = asyncio.ensure_future(mpguard.aio.doctor(**shop.config("usage")))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        return task.result(), turns

    report, turns = asyncio.run(both())
    assert report.sandbox
    assert turns > 1
    text = json.dumps(shop.config("usage"))
    assert asyncio.run(mpguard.aio.doctor_from_json(text)).to_dict().keys() == report.to_dict().keys()


def test_the_command_says_the_same(shop: Shop, tmp_path: Path) -> None:
    text = json.dumps(shop.config("usage"))
    report = mpguard.doctor_from_json(text)
    file = tmp_path / "config.json"
    file.write_text(text, encoding="utf-8")
    for arguments, stdin in ((["--config", str(file)], ""), (["--config", "-"], text)):
        done = command("doctor", "--json", *arguments, stdin=stdin)
        assert done.returncode == report.exit_code, done.stderr
        assert statuses(json.loads(done.stdout)) == statuses(report.to_dict())
    done = command("doctor", "--config", str(file))
    assert done.returncode == report.exit_code
    assert "A sandbox was examined" in done.stdout
    assert "configuration: " in done.stdout
    assert "\x1b" not in done.stdout, "colour in a pipe"


def test_without_a_verb_there_is_help() -> None:
    done = command()
    assert (done.returncode, done.stdout) == (2, "")
    assert "doctor" in done.stderr
    done = command("doctor", "--help")
    assert done.returncode == 0
    assert "0 all is well, 1 something should be looked at, 2 something does not work" in " ".join(done.stdout.split())
    done = command("doctr")
    assert done.returncode == 2
    assert "doctor" in done.stderr
    assert command("--version").stdout == f"mpguard {mpguard.__version__}\n"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, odd = tmp_path / "missing.json", tmp_path / "odd.json"
    odd.write_bytes(b"\xff")
    for file in (missing, odd):
        done = command("doctor", "--config", str(file), prefix=ALONE)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"cannot read configuration `{file}`" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_no_configuration_is_a_finding() -> None:
    for text, words in (("{", "cannot read configuration"), ('{"prcing": "usage"}', "did you mean `pricing`?")):
        done = command("doctor", "--json", "--config", "-", stdin=text, prefix=ALONE)
        report = json.loads(done.stdout)
        [found] = [each for each in report["findings"] if each["id"] == "configuration"]
        assert (done.returncode, report["status"], found["status"]) == (2, "failed", "failed")
        assert words in found["what"]


def test_wrong_keywords_are_a_finding_too() -> None:
    script = f"""
import mpguard
from datetime import timedelta
def failed(**config):
    report = mpguard.doctor(**config)
    [found] = [each for each in report.findings if each.id == "configuration"]
    assert (found.status, report.exit_code) == ("failed", 2), report
    return found.what
assert "did you mean `product_code`" in failed(prodct_code="{PRODUCT}")
assert "grace" in failed(grace=5)
assert "`bytes`" in failed(product_code=b"x")
assert "product_code" in failed(pricing="usage")
report = mpguard.doctor()
assert not report.sandbox and report.findings, report
"""
    whole = [*ALONE, sys.executable, "-c", script]
    done = subprocess.run(whole, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
