"""Slow, malformed and foreign requests are refused in time and hold nothing."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from tests.service.rules import RulePipeline

FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


@contextmanager
def served(app: FastAPI) -> Iterator[int]:
    """The port of a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http="h11", log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def app(settings: Settings, pipeline: RulePipeline) -> Iterator[FastAPI]:
    hasty = settings.model_copy(update={"request_timeout_s": 0.6})
    app = create_app(hasty, pipeline=cast(Pipeline, pipeline))
    yield app
    app.state.desk.engine.dispose()


def head(path: str, *, media_type: str, length: int = 1000) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes; a server that does not close fails the test."""
    client.settimeout(5.0)
    received = b""
    while some := client.recv(65_536):
        received += some
    return received


@pytest.mark.parametrize(
    ("path", "media_type", "begun"),
    [
        ("/v1/analyze", "application/json", b'{"text": '),
        ("/v1/opinions", "application/json", b"["),
        ("/v1/documents", FORM, PART + b"a"),
        ("/documents", FORM, PART[:20]),
        ("/opinions", "application/x-www-form-urlencoded", b"text=a"),
    ],
)
def test_a_body_that_does_not_come_is_not_waited_for(
    app: FastAPI, path: str, media_type: str, begun: bytes
) -> None:
    with served(app) as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head(path, media_type=media_type) + begun)

        answer = read_all(client)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:danvan:problem:request-timeout" in answer
    assert b"connection: close" in answer.lower()


def test_a_body_that_drips_is_cut_off_when_its_time_is_over(app: FastAPI) -> None:
    started = time.monotonic()
    with served(app) as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head("/v1/analyze", media_type="application/json"))
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.05):
                try:
                    client.sendall(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        client.settimeout(5.0)
        answer = client.recv(65_536)
        stop.set()
        dripping.join()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 4


def test_a_slow_request_keeps_nobody_else_waiting(app: FastAPI) -> None:
    with served(app) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
        for client in slow:
            client.sendall(head("/v1/documents", media_type=FORM) + PART)

        with socket.create_connection(("127.0.0.1", port)) as quick:
            quick.sendall(
                b"GET /v1/documents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = read_all(quick)
        ends = [read_all(client) for client in slow]
        for client in slow:
            client.close()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert all(end.startswith(b"HTTP/1.1 408 ") for end in ends)


END = b"\r\n--x--\r\n"
MALFORMED = {
    "no boundary": ("multipart/form-data", PART + b"a\r\n--x--\r\n"),
    "empty boundary": ("multipart/form-data; boundary=", b"--\r\n"),
    "another boundary": ("multipart/form-data; boundary=y", PART + b"a\r\n--x--\r\n"),
    "long boundary": ("multipart/form-data; boundary=" + "b" * 5000, b"--" + b"b" * 5000),
    "no body": (FORM, b""),
    "no end": (FORM, PART + b"a"),
    "no name": (FORM, b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
    "no headers": (FORM, b"--x\r\n\r\na\r\n--x--\r\n"),
    "half a header": (FORM, b"--x\r\nContent-Dispo"),
    "odd bytes": (FORM, b"--x\r\n\xff\x00: \xfe\r\n\r\n\r\n--x--\r\n"),
    "odd charset": (FORM + "; charset=idna", PART.replace(b"a.txt", b"\xff") + b"\r\n--x--\r\n"),
    "field for file": (
        FORM,
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--x--',
    ),
    "thousands of parts": (
        FORM,
        b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n\r\n' * 1500 + b"--x--\r\n",
    ),
    "file twice": (FORM, (PART + b"\r\n") * 2 + b"--x--\r\n"),
}


# Starlette leaves the file of a part without an end to the garbage collector, which closes it
LEFT_OPEN = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")


@LEFT_OPEN
@pytest.mark.parametrize(
    ("path", "name"),
    [
        (path, name)
        for path in ("/v1/documents", "/documents")
        for name in MALFORMED
        if (path, name) != ("/documents", "file twice")  # the page takes several files
    ],
)
def test_a_malformed_form_is_the_fault_of_its_sender(
    client: TestClient, path: str, name: str
) -> None:
    media_type, body = MALFORMED[name]

    answer = client.post(path, content=body, headers={"content-type": media_type})

    assert answer.status_code in {400, 413, 415, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_form_of_the_page_may_hold_several_files(client: TestClient) -> None:
    media_type, body = MALFORMED["file twice"]

    answer = client.post("/documents", content=body, headers={"content-type": media_type})

    assert answer.status_code == 200
    assert answer.text.count("a.txt") >= 2


@given(
    st.lists(st.sampled_from([PART, b"--x", b"\r\n", b"--", b"a", b"\x00", b":", b'"', b"--x--"]))
)
@hypothesis_settings(suppress_health_check=list(HealthCheck), max_examples=100)
def test_no_form_breaks_the_service(client: TestClient, pieces: list[bytes]) -> None:
    answer = client.post(
        "/v1/documents", content=b"".join([*pieces, END]), headers={"content-type": FORM}
    )

    assert answer.status_code in {200, 201, 400, 415, 422}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "strange"},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://["},
        {"origin": "null"},
    ],
)
def test_a_page_of_elsewhere_cannot_change_anything(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post("/v1/analyze", json={"text": "a"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://testserver"},
    ],
)
def test_a_page_of_ours_and_a_program_can(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/v1/analyze", json={"text": "a"}, headers=headers).status_code == 200


def test_other_sites_are_told_nothing_about_reading_here(client: TestClient) -> None:
    origin = {"origin": "https://board.example"}
    preflight = {**origin, "access-control-request-method": "GET"}

    for answer in (
        client.get("/v1/documents", headers=origin),
        client.options("/v1/documents", headers=preflight),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.fixture
def friend(settings: Settings, pipeline: RulePipeline) -> Iterator[TestClient]:
    """A service that one other site may call."""
    open_to = settings.model_copy(update={"cors_origins": ("https://board.example",)})
    app = create_app(open_to, pipeline=cast(Pipeline, pipeline))
    with TestClient(app) as client:
        yield client


def test_a_site_that_was_named_may_call_without_cookies(friend: TestClient) -> None:
    asked = {"origin": "https://board.example", "sec-fetch-site": "cross-site"}
    preflight = friend.options(
        "/v1/analyze",
        headers={
            **asked,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        },
    )

    answer = friend.post("/v1/analyze", json={"text": "a"}, headers=asked)

    assert (preflight.status_code, answer.status_code) == (200, 200)
    for headers in (preflight.headers, answer.headers):
        assert headers["access-control-allow-origin"] == "https://board.example"
        assert "access-control-allow-credentials" not in headers


def test_a_site_that_was_not_named_may_not(friend: TestClient) -> None:
    asked = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}

    answer = friend.post("/v1/analyze", json={"text": "a"}, headers=asked)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_only_https_is_made_lasting(client: TestClient) -> None:
    assert "strict-transport-security" not in client.get("/healthz").headers
    secure = TestClient(client.app, base_url="https://testserver")
    assert "max-age" in secure.get("/healthz").headers["strict-transport-security"]
