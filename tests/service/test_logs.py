"""The log: one line an event, in one form whoever speaks, and never a word of what people sent."""

import errno
import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from service.actions import Desk
from service.auth import Caller
from service.logs import configure_logs
from tests.service.rules import RulePipeline

CANARY = "Chị Hoàng Thị Bí Mật, số 0901234567"
WORD = "bimat0901234567"  # as it may stand in a path or a header
TRACES = ("Bí Mật", "0901234567", "B\\u00ed", "B%C3%AD")
Lines = Callable[[], list[dict[str, Any]]]


class Console(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> Iterator[Lines]:
    """A process that logs as JSON; gives what it has logged."""
    with undone():
        configure_logs(level="debug", form="json", stream=stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@contextmanager
def undone() -> Iterator[None]:
    """Put everything back that `configure_logs` sets."""
    loggers = [logging.getLogger(name) for name in ("", "dbos", "uvicorn")]
    before = [(each.handlers[:], each.level, each.propagate) for each in loggers]
    raises = logging.raiseExceptions
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
    yield
    logging.captureWarnings(capture=False)
    for each, (handlers, level, propagate) in zip(loggers, before, strict=True):
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)
    logging.raiseExceptions = raises
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    structlog.reset_defaults()


def test_an_event_is_a_line_of_json(log: Lines) -> None:
    structlog.get_logger().info("taken", n_rows=3)

    [line] = log()
    assert (line["event"], line["level"], line["n_rows"]) == ("taken", "info", 3)
    assert datetime.fromisoformat(line["time"]).utcoffset() is not None
    assert line["time"].endswith("Z")


def test_a_library_speaks_in_the_same_form(log: Lines) -> None:
    logging.getLogger("alembic.runtime").warning("Running upgrade %s in %d steps", WORD, 3)

    [line] = log()
    assert (line["event"], line["level"]) == ("Running upgrade … in 3 steps", "warning")
    assert (line["logger"], line["at"].partition(":")[0]) == (
        "alembic.runtime",
        "service/test_logs.py",
    )
    assert {"time", "at"} <= line.keys()


@pytest.mark.parametrize(
    ("name", "message", "arguments", "told"),
    [
        ("python_multipart.multipart", f"Did not find {WORD}", (), "message withheld"),
        ("python_multipart.multipart", "Unknown Content-Type: %r", (WORD,), "Unknown Content-Type: '…'"),
        ("asyncio", f"Task failed\nfuture: <{WORD}>", (), "message withheld"),
        ("uvicorn.error", f"Traceback\n  {WORD}", (), "Traceback"),
        ("uvicorn.error", "wrong %d", (WORD,), "wrong %d"),
        ("some.thing", "%(a)s", ({"a": WORD},), "%(a)s"),
    ],
)  # fmt: skip
def test_what_a_library_quotes_is_left_out(
    log: Lines, name: str, message: str, arguments: tuple[object, ...], told: str
) -> None:
    logging.getLogger(name).warning(message, *arguments)

    assert [line["event"] for line in log()] == [told]


def test_of_an_error_type_and_place_are_told(log: Lines) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("dbos").exception("it failed: %s", CANARY)

    for line in log():
        assert line["error"] == "ValueError"
        assert re.search(r"test_logs\.py:\d+$", line["where"])
    assert len(log()) == 2


def test_a_warning_is_a_line(log: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(CANARY, stacklevel=1)

    assert [line["logger"] for line in log()] == ["py.warnings"]


def test_a_thread_that_fails_is_told_without_its_message(log: Lines) -> None:
    def fail() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    [line] = log()
    assert (line["event"], line["error"]) == ("thread_failed", "RuntimeError")


def test_a_library_is_heard_from_warning_on(log: Lines) -> None:
    for name in ("sqlalchemy.engine", "python_multipart", "dbos", "httpx2"):
        logging.getLogger(name).info("busy")
        logging.getLogger(name).debug("busy")

    assert log() == []


@pytest.mark.parametrize(("level", "heard"), [("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_is_set(stream: io.StringIO, level: Any, heard: int) -> None:
    with undone():
        configure_logs(level=level, form="json", stream=stream)
        structlog.get_logger().debug("a")
        structlog.get_logger().info("b")
        structlog.get_logger().warning("c")

    assert stream.getvalue().count("\n") == heard


@pytest.mark.parametrize(
    ("form", "make", "is_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", Console, False),
        ("json", Console, True),
        ("text", io.StringIO, False),
    ],
)
def test_the_form_follows_the_terminal_unless_it_is_set(
    form: Any, make: Callable[[], io.StringIO], is_json: bool
) -> None:
    stream = make()
    with undone():
        configure_logs(form=form, stream=stream)
        structlog.get_logger().info("taken")

    assert stream.getvalue().startswith("{") == is_json
    assert "taken" in stream.getvalue()


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    with undone():
        configure_logs(form="json", stream=Full())

        structlog.get_logger().info("taken")
        logging.getLogger("uvicorn").warning("a")


def test_what_cannot_be_encoded_stops_nothing(log: Lines) -> None:
    structlog.get_logger().info("taken", name="\udcff", thing=object())

    assert log()[0]["thing"] == "object"


def requests_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == "request"]


def test_a_request_is_a_line(client: TestClient, log: Lines) -> None:
    answer = client.get(f"/v1/documents/{WORD}?secret={WORD}", headers={"x-request-id": "abc-1"})

    [line] = requests_of(log())
    assert line["method"] == "GET"
    assert line["route"] == "/v1/documents/{item_id}"
    assert (line["status"], line["bytes"]) == (404, len(answer.content))
    assert line["ms"] > 0
    assert line["request_id"] == answer.headers["x-request-id"] == "abc-1"
    assert line["level"] == "info"


def test_probes_are_lines_for_who_asks_for_more(client: TestClient, log: Lines) -> None:
    client.get("/healthz")

    assert [line["level"] for line in requests_of(log())] == ["debug"]


@pytest.mark.parametrize("given", ["", "a b", "a" * 65, "é", "x;y", "<b>"])
def test_an_id_that_is_no_plain_token_is_replaced(
    client: TestClient, log: Lines, given: str
) -> None:
    answer = client.get("/v1/models", headers={b"x-request-id": given.encode()})

    made = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)
    assert requests_of(log())[0]["request_id"] == made


def test_what_a_request_logs_bears_its_id(client: TestClient, log: Lines) -> None:
    client.post("/v1/analyze", json={"text": "hỏng máy"}, headers={"x-request-id": "r1"})

    lines = log()
    assert [line["event"] for line in lines] == ["request_failed", "request"]
    assert {line["request_id"] for line in lines} == {"r1"}
    assert (lines[0]["error"], lines[1]["status"]) == ("RuntimeError", 500)


def test_the_caller_is_named(app: FastAPI, log: Lines) -> None:
    with TestClient(app) as client:
        client.get("/v1/models")

    [line] = requests_of(log())
    assert line["caller"] == Caller("anyone", frozenset()).name


def ask_everything(client: TestClient) -> Iterator[Response]:
    """Requests of every kind and fate, each with the canary wherever it may stand."""
    yield from look(client)
    yield from upload(client)
    yield from send_texts(client)


def look(client: TestClient) -> Iterator[Response]:
    headers = {b"user-agent": WORD.encode(), b"x-request-id": CANARY.encode()}
    yield client.get("/v1/documents", params={"source": CANARY, "cursor": CANARY}, headers=headers)
    yield client.get("/v1/opinions", params={"q": CANARY, "source": WORD})
    yield client.get("/v1/search", params={"q": CANARY})
    yield client.get("/", params={"cursor": CANARY}, headers={"accept": "text/html"})
    yield client.get(f"/v1/documents/{CANARY}")
    yield client.get(f"/documents/{WORD}/", headers={"accept": "text/html"})
    yield client.get(f"/{CANARY}")
    yield client.request("GET", "/v1/models", headers={"authorization": f"Bearer {WORD}"})
    yield client.request(WORD.upper(), "/v1/models")


def upload(client: TestClient) -> Iterator[Response]:
    file = (f"{CANARY}.txt", CANARY.encode())
    yield client.post("/v1/documents", files={"file": file})
    yield client.post("/v1/documents", files={"file": (f"{CANARY}.pdf", CANARY.encode())})
    yield client.post("/v1/documents", files={"file": file}, data={"kind": CANARY, "source": WORD})
    yield client.post("/v1/documents", files={"file": file}, data={"source": WORD})
    yield client.post("/documents", files={"file": file}, headers={"accept": "text/html"})
    yield client.post("/documents", files={"file": (f"{CANARY}.exe", b"MZ" + CANARY.encode())})
    yield client.post("/opinions", data={"text": CANARY})
    for boundary in (b"--x\r\n", b"--x\r\nContent-Disposition: nonsense\r\n\r\n", b"x"):
        kind = {"content-type": "multipart/form-data; boundary=x"}
        yield client.post("/v1/documents", content=boundary + CANARY.encode(), headers=kind)
    kind = {"content-type": f"multipart/form-data; boundary={WORD}"}
    yield client.post("/v1/documents", content=CANARY.encode(), headers=kind)


def send_texts(client: TestClient) -> Iterator[Response]:
    json_type = {"content-type": "application/json"}
    kind = {"content-type": f"{WORD}/{WORD}"}
    yield client.post("/v1/analyze", content=CANARY.encode(), headers=kind)
    yield client.post("/v1/analyze", json={"text": CANARY, "id": CANARY})
    yield client.post("/v1/analyze", json={"text": f"hỏng máy {CANARY}", "id": CANARY})
    yield client.post("/v1/analyze", json={"text": CANARY, CANARY: CANARY})
    yield client.post("/v1/analyze", content=f'{{"{CANARY}'.encode(), headers=json_type)
    yield client.post("/v1/analyze", content=CANARY.encode() * 9_000, headers=json_type)
    row = {"source": "demo", "external_id": CANARY, "text": CANARY}
    rows = [row, {**row, "text": f"hỏng máy {CANARY}", "external_id": "1"}, {"author": CANARY}]
    yield client.post("/v1/opinions", json=rows)
    yield client.post("/v1/opinions", json=[row | {"text": CANARY * 9_000}])
    yield client.post("/v1/sources", json={"name": WORD, "channel": CANARY, "legal_basis": CANARY})


def test_no_line_holds_a_word_of_what_was_sent(
    app: FastAPI,
    stream: io.StringIO,
    log: Lines,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("python_multipart", "uvicorn", "sqlalchemy", "asyncio", "fastapi"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    desk: Desk = app.state.desk

    with TestClient(app, follow_redirects=False) as client:
        statuses = [answer.status_code for answer in ask_everything(client)]
        desk.engine.dispose()
        broken = cast(Any, Broken())
        app.state.desk = replace(desk, engine=broken, pipeline=broken)
        statuses += [answer.status_code for answer in ask_everything(client)]
        app.state.desk = desk

    said = stream.getvalue() + "".join(capfd.readouterr())
    assert {200, 400, 404, 413, 415, 422, 500} <= set(statuses)
    assert len(requests_of(log())) == len(statuses)
    assert not [trace for trace in (*TRACES, WORD) if trace.lower() in said.lower()]


class Broken(RulePipeline):
    """A part that fails and quotes what it was given, or would have been."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") or name == "taxonomy":
            return super().__getattribute__(name)
        raise RuntimeError(f"cannot do {name} with {CANARY}")
