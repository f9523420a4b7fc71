"""A server that answers 200 to everything, at an address of its own for each run, and remembers who asked."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from dataclasses import dataclass, field

from answers import Answers

#: As AWS, as metadata, and as a proxy.
PORTS = (443, 80, 3128)
PATIENCE = 10.0
_TLS_HANDSHAKE = 0x16


@dataclass
class Heard:
    """What came to one address."""

    #: First lines of requests that were answered, with the operation where there is one.
    requests: list[str] = field(default_factory=list)
    #: Who a proxy was asked for.
    connects: list[str] = field(default_factory=list)
    #: Handshakes that the other side broke off.
    turned_away: int = 0


class Liar:
    """Listens at `address` until it is closed."""

    def __init__(self, address: str, context: ssl.SSLContext, answers: Answers) -> None:
        self.address = address
        self.heard = Heard()
        self._context = context
        self._answers = answers
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        for port in PORTS:
            listener = socket.create_server((address, port), backlog=64)
            self._selector.register(listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> Heard:
        """Stop to listen, and tell what came."""
        self._wake.close()
        self._thread.join(PATIENCE)
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
        return self.heard

    def _listen(self) -> None:
        while True:
            for key, _ in self._selector.select():
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj is self._woken:
                    return
                caller, _ = key.fileobj.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            caller.settimeout(PATIENCE)
            with caller:
                self._talk(caller)
        except OSError:
            # Whoever goes away in the middle has not been answered.
            pass

    def _talk(self, caller: socket.socket) -> None:
        first = caller.recv(1, socket.MSG_PEEK)
        if not first:
            return
        if first[0] != _TLS_HANDSHAKE:
            self._answer(caller)
            return
        try:
            secured = self._context.wrap_socket(caller, server_side=True)
        except (ssl.SSLError, ConnectionError, TimeoutError):
            self.heard.turned_away += 1
            raise
        with secured:
            self._answer(secured)

    def _answer(self, caller: socket.socket) -> None:
        stream = caller.makefile("rb")
        while line := stream.readline(65536).decode("latin-1").strip():
            method, _, rest = line.partition(" ")
            target = rest.rpartition(" ")[0]
            headers = {}
            while header := stream.readline(65536).decode("latin-1").strip():
                name, _, value = header.partition(":")
                headers[name.strip().lower()] = value.strip()
            if method == "CONNECT":
                self.heard.connects.append(target)
                caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                # The way through ends here: what comes next would be for AWS.
                self._talk(caller)
                return
            body = stream.read(int(headers.get("content-length", "0")))
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            self.heard.requests.append(f"{method} {target} {operation}".strip())
            kind, said = self._answers.answer(method, target, headers, body)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(said)}\r\n"
            if "x-aws-ec2-metadata-token-ttl-seconds" in headers:
                head += "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"
            caller.sendall(head.encode() + b"\r\n" + said)


def context(certificate: str, key: str) -> ssl.SSLContext:
    """The liar's side of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made
