"""The pytest plugin: a sandbox for the tests of a product."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import mpguard
import pytest
from mpguard.pytest_plugin import Sandbox

pytest_plugins = ["pytester"]

START = datetime(2026, 1, 1, 10, tzinfo=timezone.utc)


def test_requests_are_billed(mpguard_sandbox: Sandbox) -> None:
    mpguard_sandbox.post("products", {"product_code": "3xmpl", "dimensions": ["requests"]})
    with mpguard.init(
        product_code="3xmpl",
        pricing="usage",
        dimensions=[{"name": "requests"}],
        sandbox=mpguard_sandbox.task("app"),
    ) as guard:
        guard.meter("requests").add(17)
        assert mpguard_sandbox.advance(timedelta(hours=2)) == START + timedelta(hours=2)
    assert mpguard_sandbox.bill()["totals"]["3xmpl"]["requests"] == "17"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_afresh(mpguard_sandbox: Sandbox, turn: int) -> None:
    assert mpguard_sandbox.bill()["records"] == []
    assert mpguard_sandbox.get("products") in ({"products": []}, [])
    assert mpguard_sandbox.advance(timedelta(minutes=1)) == START + timedelta(minutes=1)


def test_a_mistake_is_told_with_the_sandbox_s_words(mpguard_sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError, match="POST clock/advance: 4"):
        mpguard_sandbox.post("clock/advance", {"by_ms": "soon"})
    with pytest.raises(AssertionError, match="404"):
        mpguard_sandbox.get("nothing")


def test_a_sandbox_ends_with_its_session(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from urllib.request import urlopen

        def test_it(mpguard_sandbox):
            print("address", mpguard_sandbox.url)
        """
    )
    result = pytester.runpytest_subprocess("-s", "-p", "mpguard.pytest_plugin")
    result.assert_outcomes(passed=1)
    [line] = [line for line in result.outlines if "address http" in line]
    gone = Sandbox(line.split("address ")[1])
    with pytest.raises(OSError):
        gone.get("clock")


def test_options_can_be_overridden(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def mpguard_sandbox_options():
            return ["--clock", "real", "--region", "eu-central-1"]

        def test_it(mpguard_sandbox):
            assert mpguard_sandbox.get("clock")["rate"] == 1
        """
    )
    pytester.runpytest_subprocess("-p", "mpguard.pytest_plugin").assert_outcomes(passed=1)


def test_a_missing_program_is_told_with_what_to_do(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPGUARD_BIN")
    monkeypatch.setenv("PATH", "")
    pytester.makepyfile("def test_it(mpguard_sandbox): pass")
    result = pytester.runpytest_subprocess("-p", "mpguard.pytest_plugin")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no command `mpguard` on the PATH*MPGUARD_BIN*"])
