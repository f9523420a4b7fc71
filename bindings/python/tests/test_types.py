"""Types: the public names, what a checker must take and find, and stubs that match the runtime."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import mpguard
import pytest

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "mpguard"

PUBLIC = """
    Account Config DoctorReport Entitlement Event EventKind Finding FindingStatus FlushReport Guard License Meter
    Reason Seat ShutdownReport Stats Topic Verdict __version__ aio doctor doctor_from_json errors init init_from_json

    AccessDeniedError DeferredError Error ExhaustedError InternalError InvalidArgumentError InvalidConfigError
    InvalidProductError InvalidRegionError InvalidTagError LicenseEndedError NoSeatError NotEntitledError
    PendingError PlatformNotSupportedError QuantityOutOfRangeError ShutDownError SignatureInvalidError
    StaleHandleError StorageError ThreadError TimedOutError UnavailableError UnknownDimensionError
    UnknownEntitlementError WrongMeterKindError
""".split()


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of this interpreter in the folder of the package."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)


def test_the_public_names_are_these() -> None:
    assert sorted(mpguard.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(mpguard, name) is not None
    assert set(PUBLIC) <= set(dir(mpguard))
    with pytest.raises(AttributeError, match="`colour`"):
        mpguard.colour  # noqa: B018


def test_public_classes_say_that_they_are_public() -> None:
    for name in ("Guard", "Meter", "Seat", "License", "Event", "NotEntitledError"):
        assert getattr(mpguard, name).__module__.startswith("mpguard")
    assert mpguard.Meter.__module__ == mpguard.Seat.__module__ == "mpguard"


def test_a_checker_takes_the_package_its_tests_and_good_calls() -> None:
    paths = ["mpguard", "tools", "tests/types/good.py", *map(str, HERE.glob("*.py"))]
    done = python("mypy", "--strict", *paths)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_checker_finds_every_bad_call() -> None:
    source = (HERE / "types" / "bad.py").read_text(encoding="utf-8")
    marked = {
        (number, code)
        for number, line in enumerate(source.splitlines(), 1)
        for code in re.findall(r"# error: ([\w-]+)", line)
    }
    done = python("mypy", "--strict", "tests/types/bad.py")
    found = re.findall(r"bad\.py:(\d+): error: .* \[([\w-]+)\]", done.stdout)
    assert {(int(number), code) for number, code in found} == marked, done.stdout
    assert len(marked) > 10


def test_the_stubs_match_the_runtime() -> None:
    done = python("mypy.stubtest", "mpguard", "--allowlist", "tests/types/stubtest.txt")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_importing_the_package_leaves_the_heavy_modules_alone() -> None:
    script = """
        import sys
        before = set(sys.modules)
        import mpguard
        heavy = {"asyncio", "dataclasses", "inspect", "json", "re", "typing", "urllib", "logging"}
        print(sorted(heavy & (set(sys.modules) - before)))
    """
    from conftest import run

    done = run(script)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
