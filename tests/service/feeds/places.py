"""Places that texts are fetched from: a real web server and a real IMAP server on this machine."""

import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What is answered to a path: a status, headers and a body; `asked` are the requests that came."""

    pages: dict[str, tuple[int, Mapping[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str) -> str:
        """Where a page is reached."""
        return f"http://127.0.0.1:{self.port}{path}"


class _Web(ThreadingHTTPServer):
    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Page)


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Web

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.site.asked.append((self.path, headers))
        status, own, body = self.server.site.pages[self.path]
        if own.get("etag") and headers.get("if-none-match") == own["etag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in {**own, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def a_site() -> Iterator[Site]:
    """Serve until the block ends."""
    site = Site()
    with _Web(site) as server, _serving(server):
        site.port = server.server_port
        yield site


@dataclass
class Post:
    """A mailbox: messages by their numbers, as they came in; `said` are the commands that were given."""

    messages: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    password: str = "bí mật".encode().hex()
    folder: str = "INBOX"
    said: list[str] = field(default_factory=list)
    port: int = 0


class _Imap(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, post: Post, tls: ssl.SSLContext | None) -> None:
        self.post, self.tls = post, tls
        super().__init__(("127.0.0.1", 0), _Session)

    def get_request(self) -> tuple[socket.socket, object]:
        plain, address = super().get_request()
        if self.tls is None:
            return plain, address
        return self.tls.wrap_socket(plain, server_side=True), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that goes away is no news."""


class _Session(socketserver.StreamRequestHandler):
    """The part of RFC 3501 that somebody needs who only reads."""

    server: _Imap

    def handle(self) -> None:
        self._say("* OK here")
        while line := self.rfile.readline():
            tag, command, rest = (*line.decode().strip().split(" ", 2), "")[:3]
            self.server.post.said.append(f"{command} {rest}".strip())
            if command == "UID":
                command, _, rest = rest.partition(" ")
            good = getattr(self, f"_{command.lower()}", lambda _: False)(rest)
            self._say(f"{tag} {'OK' if good else 'NO'} done")
            if command == "LOGOUT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _capability(self, _: str) -> bool:
        self._say("* CAPABILITY IMAP4rev1")
        return True

    def _login(self, rest: str) -> bool:
        return rest == f'"gop-y@xa.example" "{self.server.post.password}"'

    def _examine(self, rest: str) -> bool:
        self._say(f"* {len(self.server.post.messages)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {self.server.post.validity}] stands")
        return rest == f'"{self.server.post.folder}"'

    def _search(self, rest: str) -> bool:
        found = re.fullmatch(r"UID (\d+):\*", rest)
        uids = sorted(self.server.post.messages)
        # the last message is within every range that ends in *
        ours = [u for u in uids if found and (u >= int(found[1]) or u == uids[-1])]
        self._say(f"* SEARCH {' '.join(map(str, ours))}".rstrip())
        return True

    def _fetch(self, rest: str) -> bool:
        asked = re.fullmatch(
            r"(\d+) \(BODY\.PEEK\[HEADER\.FIELDS \(([A-Z -]+)\)\] BODY\.PEEK\[TEXT\]<0\.(\d+)>\)",
            rest,
        )
        if asked is None:
            return False
        raw = self.server.post.messages[int(asked[1])]
        body = raw.partition(b"\r\n\r\n")[2][: int(asked[3])]
        own = message_from_bytes(raw)
        head = "".join(f"{n}: {v}\r\n" for n, v in own.items() if n.upper() in asked[2].split())
        parts = [(f"BODY[HEADER.FIELDS ({asked[2]})]", head.encode() + b"\r\n")]
        parts.append(("BODY[TEXT]<0>", body))
        self.wfile.write(f"* {asked[1]} FETCH (UID {asked[1]}".encode())
        for name, data in parts:
            self.wfile.write(f" {name} {{{len(data)}}}\r\n".encode() + data)
        self._say(")")
        return True

    def _logout(self, _: str) -> bool:
        self._say("* BYE")
        return True


@contextmanager
def a_mailbox(*, tls: ssl.SSLContext | None = None) -> Iterator[Post]:
    """Serve until the block ends."""
    post = Post()
    with _Imap(post, tls) as server, _serving(server):
        post.port = server.server_address[1]
        yield post


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
