"""C hosts: daemons, forks inside every lock, `dlclose`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from house import HOUR, PROGRAMS, House, until

ROOT = PROGRAMS.parent.parent.parent
BUILT = Path(os.environ.get("MPGUARD_LIB_DIR", ROOT / "target/debug"))

Compile = Callable[[str], Path]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles a program of `programs` against the library that cargo built."""
    folder = tmp_path_factory.mktemp("c")
    for name in ("libmpguard.so", "libmpguard.so.1"):
        (folder / name).symlink_to(BUILT / "libmpguard.so")
    warnings = ["-Wall", "-Wextra", "-Werror"]

    def compile(name: str) -> Path:
        program = folder / name
        command = ["cc", "-std=gnu11", "-g", "-O1", *warnings, f"-I{ROOT / 'include'}", str(PROGRAMS / f"{name}.c")]
        # Without `--as-needed` the program that opens the library itself would be linked to it.
        link = ["-o", str(program), f"-L{folder}", "-Wl,--as-needed", "-lmpguard", f"-Wl,-rpath,{folder}"]
        subprocess.run([*command, *link, "-lpthread", "-ldl"], check=True)
        return program

    return compile


def test_a_daemon_leads_and_sends_what_it_counted(house: House, compiled: Compile) -> None:
    # T32
    host = house.start([str(compiled("daemon")), json.dumps(house.config())])
    assert host.hear() == {"pid": host.pid}
    daemon = host.hear()["daemon"]
    assert daemon != host.pid
    start = time.monotonic()
    until(lambda: house.leader() == daemon, 5)
    assert time.monotonic() - start < 2
    house.advance(2 * HOUR)
    house.check(7, hours=1)
    assert host.ask("end") == {"recorded": 5}
    house.check(12, hours=2)


def test_children_in_c_neither_hang_nor_lose_a_count(house: House, compiled: Compile) -> None:
    # T29, T30
    host = house.start([str(compiled("hammer")), json.dumps(house.config()), "400"])
    host.hear()
    added = host.ask("go", seconds=60)["added"]
    assert added > 500
    house.advance(2 * HOUR)
    house.check(added, hours=1)
    assert host.process.stdin is not None
    host.process.stdin.write("end\n")
    host.process.stdin.flush()
    assert host.wait() == 0
    house.check(added, hours=1)


def test_dlclose_pulls_nothing_away(house: House, compiled: Compile) -> None:
    # T32
    library = compiled("unload").parent / "libmpguard.so"
    host = house.start([str(compiled("unload")), json.dumps(house.config()), str(library)])
    host.hear()
    house.advance(2 * HOUR)
    house.check(5, hours=1)
    assert host.ask("go on") == {"recorded": 6}
    assert host.wait() == 0
    house.check(11, hours=2)
