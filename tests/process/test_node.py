"""Node: a cluster with worker threads is one task, and its primary may be killed."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from house import HOUR, PROGRAMS, House, settled, until


def test_a_cluster_sends_one_record_and_outlives_its_primary(house: House) -> None:
    # T33: 8 workers, 2 worker threads, kill -9 of the primary.
    node = shutil.which("node")
    assert node is not None, "install Node"
    primary = house.start([node, str(PROGRAMS / "cluster.mjs"), json.dumps(house.config()), "8"])
    assert primary.hear() == {"pid": primary.pid}
    workers = primary.hear(40)["ready"]
    assert len(workers) == 8
    account = primary.ask("account")
    assert account["added"] == 11 and settled(account)
    house.advance(2 * HOUR)
    house.check(11, hours=1)
    assert house.leader() == primary.pid
    start = time.monotonic()
    primary.kill()
    assert until(lambda: house.leader() not in (None, primary.pid) and house.leader(), 5) in workers
    assert time.monotonic() - start < 2
    # Half of the workers count once more; the last one of the task sends the running hour at its end.
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 30)
    house.check(51, hours=2)
