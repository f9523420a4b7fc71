"""Exceptions: one class for each code of the core."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import mpguard
import pytest
from mpguard import _mpguard, errors

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import generate  # noqa: E402

CODES = _mpguard.error_codes()


@pytest.mark.parametrize(("name", "code", "number", "kind", "retryable"), CODES)
def test_each_code_of_the_core_has_a_class(name: str, code: str, number: int, kind: str, retryable: bool) -> None:
    error = getattr(mpguard, name)
    assert issubclass(error, mpguard.Error)
    assert (error.code, error.number, error.kind, error.retryable) == (code, number, kind, retryable)


def test_there_is_no_other_class() -> None:
    assert set(errors.__all__) == {"Error", *(row[0] for row in CODES)}


def test_a_class_says_what_its_code_means() -> None:
    assert mpguard.NoSeatError.__doc__ == "Every seat of the contract is taken."


def test_an_error_is_an_exception_with_a_text() -> None:
    error = mpguard.NotEntitledError("the buyer has no subscription; subscribe")
    assert isinstance(error, Exception)
    assert str(error) == "the buyer has no subscription; subscribe"


def test_an_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(mpguard.NoSeatError("every seat is taken")))
    assert type(error) is mpguard.NoSeatError
    assert str(error) == "every seat is taken"


@pytest.mark.parametrize("path", generate.FILES, ids=lambda path: path.name)
def test_the_generated_files_are_up_to_date(path: Path) -> None:
    wanted = generate.FILES[path]()
    if "MPGUARD_UPDATE" in os.environ:
        path.write_text(wanted, encoding="utf-8")
    told = f"{path.name} differs from the core's lists; `python bindings/python/tools/generate.py` writes it again"
    assert path.read_text(encoding="utf-8") == wanted, told
