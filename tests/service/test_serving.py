"""`danvan serve` as a process: where it listens, how it ends, whom it does not wait for."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from service import serving
from service.serving import configure, listening
from service.settings import Settings, SettingsError
from tests.conftest import ROOT
from tests.service.processes import Served, environment, served

BODY = json.dumps({"text": "Đường hỏng.", "kind": "opinion"}).encode()
HEAD = (
    "POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n"
).encode()


@pytest.fixture
def one(tmp_path: Path, tiny_models: Path) -> Iterator[Served]:
    settings: dict[str, object] = {
        "database_url": f"sqlite:///{tmp_path}/store.db",
        "models_folder": tiny_models,
        "model": "tiny",
        "shutdown_s": 2,
    }
    with served(settings) as running:
        yield running


def connect(running: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port), timeout=30)


def answer_of(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while some := connection.recv(65_536):
            received += some
    return received


def ask_for_health(connection: socket.socket) -> None:
    """One request and its whole answer; the connection stays open."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while b'{"status":"ok"}' not in received:
        received += connection.recv(65_536)


def is_shutting_down(line: dict[str, object]) -> bool:
    return line["event"] == "Shutting down"


def test_what_is_under_way_at_the_end_is_answered_and_nothing_new_is_taken(one: Served) -> None:
    port = one.port
    with connect(one) as under_way, connect(one) as idle:
        under_way.sendall(HEAD + BODY[:10])
        ask_for_health(idle)
        one.process.send_signal(signal.SIGTERM)
        one.wait(is_shutting_down)

        await_refusal(port)
        assert answer_of(idle) == b""
        under_way.sendall(BODY[10:])
        answer = answer_of(under_way)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert one.process.wait(30) == 0
    assert one.wait(lambda line: line["event"] == "request")["route"] == "/v1/analyze"
    assert one.lines[-1]["event"] == "stopped"


def test_a_request_that_does_not_come_to_an_end_does_not_hold_the_end_up(one: Served) -> None:
    with connect(one) as hanging:
        hanging.sendall(HEAD + BODY[:10])
        httpx2.get(f"{one.url}/healthz")  # by now the other has been taken up

        assert one.end() == 0


def test_a_line_is_ours_alone(one: Served) -> None:
    answer = httpx2.get(f"{one.url}/v1/models?secret=1")

    line = one.wait(lambda line: line["event"] == "request")
    assert (line["route"], line["status"]) == ("/v1/models", 200)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "server" not in answer.headers
    assert not any("secret" in json.dumps(line) for line in one.lines)
    assert one.end() == 0


def test_a_taken_port_is_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "service", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment({"database_url": f"sqlite:///{tmp_path}/store.db"}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"danvan: cannot listen on 127.0.0.1 port {port}: address")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {host} port 0: .*DANVAN_HOST"):  # noqa: SIM117
        with listening(host, port=0):
            pass


def test_a_name_is_listened_on_at_each_of_its_addresses() -> None:
    known = socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with listening("localhost", port=port) as sockets:
        assert {sock.family for sock in sockets} == {family for family, *_ in known}


@pytest.fixture
def impatient(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that waits a moment for the head of a request."""
    monkeypatch.setattr(serving, "_HEADERS_S", 0.3)
    with listening("127.0.0.1", port=0) as sockets:
        sockets[0].listen()
        server = uvicorn.Server(configure(app, Settings()))
        thread = Thread(target=server.run, args=(sockets,))
        thread.start()
        yield sockets[0].getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_a_head_that_does_not_come_to_an_end_is_not_waited_for(impatient: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient), timeout=30) as slow:
        slow.sendall(sent)

        assert answer_of(slow) == b""


def test_a_second_head_is_not_waited_for_either(impatient: int) -> None:
    with socket.create_connection(("127.0.0.1", impatient), timeout=30) as slow:
        ask_for_health(slow)
        slow.sendall(b"GET /healthz HT")

        assert answer_of(slow) == b""


def test_a_slow_body_is_not_a_slow_head(impatient: int) -> None:
    with socket.create_connection(("127.0.0.1", impatient), timeout=30) as slow:
        slow.sendall(HEAD)
        assert not slow_to_close(slow, within_s=1.0)
        slow.sendall(BODY)

        assert slow.recv(65_536).startswith(b"HTTP/1.1 200 OK")


def slow_to_close(connection: socket.socket, *, within_s: float) -> bool:
    """Whether the other side closes within that time."""
    connection.settimeout(within_s)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    finally:
        connection.settimeout(30)


def test_a_head_too_large_is_refused(impatient: int) -> None:
    with socket.create_connection(("127.0.0.1", impatient), timeout=30) as large:
        large.sendall(b"GET /healthz HTTP/1.1\r\nX-A: " + b"a" * 100_000)

        assert answer_of(large).startswith(b"HTTP/1.1 400 ")


def await_refusal(port: int) -> None:
    """Knock until nobody opens: the door closes a moment after it is said."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it closed while we stood before it
            continue
    raise TimeoutError
