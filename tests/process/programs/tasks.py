"""A Celery application whose tasks count. CONFIG is the configuration, FOLDER the place of its broker.

Without CONFIG it only sends tasks, as a client does.
"""

import json
import os
from pathlib import Path

from celery import Celery

folder = Path(os.environ["FOLDER"])
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(folder / "queue"),
    "data_folder_out": str(folder / "queue"),
    "control_folder": str(folder / "control"),
    "polling_interval": 0.02,
}
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_connection_retry_on_startup = True

if "CONFIG" in os.environ:
    import mpguard

    guard = mpguard.init(**json.loads(os.environ["CONFIG"]))  # before the pool forks
    requests = guard.meter("requests")


@app.task(name="work")
def work():
    requests.add(1)
    # One byte a task, by the one call that appends in one piece.
    done = os.open(folder / "done", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(done, f"{os.getpid()}\n".encode())
    os.close(done)


if __name__ == "__main__":
    for _ in range(40):
        app.send_task("work")
