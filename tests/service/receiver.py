"""A program that is told of events: a real HTTP server on this machine, which remembers what it was sent."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        """The body as JSON."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    def is_signed_with(self, secret: str) -> bool:
        """What a receiver checks, written from the specification and not from our code."""
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = b".".join(
            [
                self.headers["webhook-id"].encode(),
                self.headers["webhook-timestamp"].encode(),
                self.body,
            ]
        )
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        offered = [one.split(",", 1) for one in self.headers["webhook-signature"].split(" ")]
        return any(
            version == "v1" and hmac.compare_digest(value, expected) for version, value in offered
        )


@dataclass
class Receiver:
    """What came in, and what is answered: a status each time, the last one for all others."""

    statuses: list[int] = field(default_factory=lambda: [204])
    headers: Mapping[str, str] = field(default_factory=dict)
    drips: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}/hook"


class _Server(ThreadingHTTPServer):
    """A server that knows what to answer."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that does not like our certificate is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.deliveries.append(Delivery(self.path, headers, body))
        if receiver.drips:
            self._drip(receiver.over)
            return
        statuses = receiver.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def _drip(self, over: threading.Event) -> None:
        """Answer a little at a time, for ever."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not over.wait(0.02):
            try:
                self.wfile.write(b"x")
            except OSError:  # nobody listens any more
                break
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def receiving(receiver: Receiver, *, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve until the block ends."""
    server = _Server(receiver)
    if tls is not None:
        # the handshake is of the thread that serves the connection, so that one that fails harms no other
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
