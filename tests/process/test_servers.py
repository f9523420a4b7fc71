"""Servers that fork workers and replace them: one record an hour leaves all of them, with every request in it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from house import HOUR, PROGRAMS, House, Process, until


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, body
        return body
    finally:
        connection.close()


def answers(port: int, server: Process) -> bool:
    assert server.process.poll() is None, "the server ended"
    try:
        return bool(get(port, "/ready"))
    except OSError:
        return False


def many(port: int, requests: int) -> set[str]:
    """So many requests at once; the processes that answered."""
    with ThreadPoolExecutor(8) as clients:
        return set(clients.map(lambda _: get(port, "/count"), range(requests)))


def serve(house: House, command: list[str], port: int) -> Process:
    server = house.start(command, CONFIG=json.dumps(house.config()), PYTHONPATH=str(PROGRAMS))
    until(lambda: answers(port, server), 30)
    return server


def test_gunicorn_that_preloads_and_recycles_its_workers(house: House) -> None:
    # T28
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "8", "--log-level", "error"]
    recycle = ["--max-requests", "20", "--max-requests-jitter", "10", "--no-control-socket"]
    server = serve(house, [*gunicorn, *recycle, "--bind", f"127.0.0.1:{port}", "web:application"], port)
    assert house.leader() == server.pid
    workers = many(port, 400)
    assert len(workers) > 8, "workers were replaced"
    assert house.records() == [], "a worker that is replaced freezes nothing"
    house.advance(2 * HOUR)
    house.check(400, hours=1)
    many(port, 200)
    server.signal(signal.SIGTERM)
    assert server.wait(30) == 0
    # The last one of the family sent the running hour.
    house.check(600, hours=2)


def test_celery_with_a_prefork_pool_that_is_replaced(house: House) -> None:
    # T29
    for name in ("queue", "control"):
        (house.folder / name).mkdir()
    environment = {"FOLDER": str(house.folder), "PYTHONPATH": str(PROGRAMS)}
    client = [sys.executable, str(PROGRAMS / "tasks.py")]
    subprocess.run(client, env={**os.environ, **environment}, check=True, timeout=30)
    pool = ["--pool", "prefork", "--concurrency", "4", "--max-tasks-per-child", "5"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    worker = house.start(
        [sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "tasks", "worker", *pool, *quiet],
        CONFIG=json.dumps(house.config()),
        **environment,
    )
    done = house.folder / "done"
    until(lambda: done.exists() and done.read_text().count("\n") == 40, 40)
    assert len(set(done.read_text().split())) > 4, "processes of the pool were replaced"
    worker.signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    house.check(40, hours=1)


@pytest.mark.parametrize("lazy", [False, True], ids=["forked", "lazy"])
def test_uwsgi_with_the_application_before_and_after_the_fork(house: House, lazy: bool) -> None:
    # T29: `lazy-apps` makes one guard in each worker.
    port = free_port()
    uwsgi = [str(Path(sys.executable).parent / "pyuwsgi"), "--master", "--processes", "4", "--enable-threads"]
    quiet = ["--disable-logging", "--logto2", str(house.folder / "log"), "--die-on-term", "--need-app"]
    load = ["--http-socket", f"127.0.0.1:{port}", "--module", "web:application", "--max-requests", "30"]
    server = serve(house, [*uwsgi, *quiet, *load, *(["--lazy-apps"] if lazy else [])], port)
    many(port, 200)
    house.advance(2 * HOUR)
    house.check(200, hours=1)
    many(port, 100)
    server.signal(signal.SIGTERM)
    server.wait(30)
    # uWSGI ends its master without the end of the interpreter; the next process of the task sends what is left.
    house.product(house.config())
    house.advance(2 * HOUR)
    house.check(300)
