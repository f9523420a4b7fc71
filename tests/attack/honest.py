"""AWS as it should be: the sandbox, at the platform's own addresses and behind TLS."""

from __future__ import annotations

import json
import select
import socket
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from certificates import REGION
from stage import LINK_LOCAL

#: Where AWS's names lead for who is not lied to.
ADDRESS = "127.2.0.1"
PRODUCT, FREE = "3xmpl", "fr33"
TUNNEL = 3128
PATIENCE = 30.0


class Honest:
    """A sandbox, and pumps that carry bytes to it."""

    def __init__(self, program: Path, context: ssl.SSLContext) -> None:
        command = [str(program), "sandbox", "--port", "0", "--region", REGION, "--exit-with-stdin"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"`{' '.join(command)}` ended before it was ready")
        ready = json.loads(line)
        self.url, self._port = ready["address"], ready["port"]
        for address in LINK_LOCAL:
            self._pump(address, 80, None)
        self._pump(ADDRESS, 443, context)
        #: Whom a proxy that does no more than that was asked for.
        self.tunnels: list[str] = []
        tunnel = socket.create_server((ADDRESS, TUNNEL), backlog=128)
        threading.Thread(target=self._listen, args=(tunnel, self._tunnel), daemon=True).start()
        product = {"product_code": PRODUCT, "dimensions": ["requests"]}
        made = self.call("products", product)
        self.sku: str = made["product_sku"]
        self.public_pem: str = made["public_keys"]["1"]
        self.call("products", {"product_code": FREE, "dimensions": ["requests"]})
        bought = [{"name": "Basic", "unit": "None", "value": "Enabled"}]
        self.call("licenses", {"product_sku": self.sku, "entitlements": bought})

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The sandbox's control API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def requests(self, task: str) -> list[dict[str, Any]]:
        """What this task has asked AWS."""
        found: list[dict[str, Any]] = self.call(f"requests?task={task}")["requests"]
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    def _pump(self, address: str, port: int, context: ssl.SSLContext | None) -> None:
        listener = socket.create_server((address, port), backlog=128)

        def carry(caller: socket.socket) -> None:
            if context is not None:
                caller = context.wrap_socket(caller, server_side=True)
            with caller, socket.create_connection(("127.0.0.1", self._port), PATIENCE) as sandbox:
                _carry_both_ways(caller, sandbox)

        threading.Thread(target=self._listen, args=(listener, carry), daemon=True).start()

    def _tunnel(self, caller: socket.socket) -> None:
        """CONNECT, and then bytes: wherever the caller wants to go, it comes to AWS."""
        with caller:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += caller.recv(1)
            method, target, _ = head.decode("latin-1").split(" ", 2)
            if method != "CONNECT":
                return
            self.tunnels.append(target)
            caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection((ADDRESS, 443), PATIENCE) as aws:
                _carry_both_ways(caller, aws)

    def _listen(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        def attempt(caller: socket.socket) -> None:
            try:
                caller.settimeout(PATIENCE)
                serve(caller)
            except OSError:
                # One side has gone; the other one finds out by itself.
                caller.close()

        while True:
            caller, _ = listener.accept()
            threading.Thread(target=attempt, args=(caller,), daemon=True).start()


def _carry_both_ways(caller: socket.socket, sandbox: socket.socket) -> None:
    # One thread for both ways: a TLS connection cannot be read and written at once.
    while True:
        ready, _, _ = select.select([caller, sandbox], [], [], PATIENCE)
        if not ready:
            return
        for source, sink in ((caller, sandbox), (sandbox, caller)):
            if source not in ready:
                continue
            data = source.recv(65536)
            while isinstance(source, ssl.SSLSocket) and source.pending():
                data += source.recv(65536)
            if not data:
                return
            sink.sendall(data)
