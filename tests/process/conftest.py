"""The house of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House
from mpguard.pytest_plugin import Sandbox


@pytest.fixture
def house(mpguard_sandbox: Sandbox, tmp_path: Path) -> Iterator[House]:
    house = House(mpguard_sandbox, tmp_path)
    yield house
    house.close()
