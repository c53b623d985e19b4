"""An operator cannot open the service to others by mistake."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from nlp.pipeline import Pipeline
from service import auth
from service.app import create_app
from service.auth import CONSOLE
from service.door import is_loopback
from service.settings import Settings, SettingsError
from tests.service.rules import RulePipeline

HERE = ("127.0.0.1", 50_000)
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def make(settings: Settings, **changes: Any) -> FastAPI:
    changed = settings.model_copy(update={"access": "auto", **changes})
    return create_app(changed, pipeline=cast(Pipeline, RulePipeline()))


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    app = make(settings)
    yield app
    app.state.desk.engine.dispose()


def ask(
    app: FastAPI, *, base_url: str = "http://localhost:8000", peer: Any = HERE, **headers: str
) -> int:
    """`headers` with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client = TestClient(app, base_url=base_url, client=peer)
    return client.get("/v1/documents", headers=named).status_code


@pytest.mark.parametrize(
    "base_url",
    ["http://localhost", "http://127.0.0.1:8000", "http://[::1]:8000", "http://LOCALHOST"],
)
@pytest.mark.parametrize("peer", [HERE, ("::1", 1), ("::ffff:127.0.0.1", 1)])
def test_a_new_service_belongs_to_its_machine(
    app: FastAPI, base_url: str, peer: tuple[str, int]
) -> None:
    assert ask(app, base_url=base_url, peer=peer) == 200


@pytest.mark.parametrize("peer", [("192.168.1.7", 1), ("::2", 1), ("testclient", 1), ("", 0)])
def test_it_does_not_belong_to_other_machines(app: FastAPI, peer: tuple[str, int]) -> None:
    assert ask(app, peer=peer) == 401


@pytest.mark.parametrize(
    "base_url", ["http://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil"]
)
def test_a_page_whose_name_was_made_to_point_here_gets_nothing(app: FastAPI, base_url: str) -> None:
    assert ask(app, base_url=base_url) == 401


@pytest.mark.parametrize("host", ["", "localhost@evil.example", "[::1", "a, localhost"])
def test_a_strange_host_gets_nothing(app: FastAPI, host: str) -> None:
    assert ask(app, host=host) == 401


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x_forwarded_for", "x_forwarded_proto", "x_forwarded_host", "x_real_ip", "via"],
)
def test_a_reverse_proxy_does_not_open_it_to_the_world(app: FastAPI, header: str) -> None:
    assert ask(app, **{header: "127.0.0.1"}) == 401


def test_a_proxy_that_speaks_as_nginx_does_by_default_does_not_open_it(app: FastAPI) -> None:
    async def old(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["http_version"] = "1.0"
        await app(scope, receive, send)

    client = TestClient(old, base_url="http://127.0.0.1:8000", client=HERE)

    assert client.get("/v1/documents").status_code == 401


def claim_by_key(app: FastAPI) -> None:
    auth.make_key(app.state.desk.engine, "a", role="reader", by=CONSOLE, now=NOW)


def claim_by_person(app: FastAPI) -> None:
    auth.add_staff(app.state.desk.engine, "lan", role="reader", by=CONSOLE, now=NOW, subject="s-1")


@pytest.mark.parametrize("claim", [claim_by_key, claim_by_person])
def test_the_first_key_or_person_closes_it_at_once(
    app: FastAPI, claim: Callable[[FastAPI], None]
) -> None:
    before = ask(app)

    claim(app)

    assert (before, ask(app)) == (200, 401)


def test_a_wrong_key_opens_not_even_a_new_service(app: FastAPI) -> None:
    assert ask(app, authorization="Bearer dv_wrong") == 401


def test_with_keys_nobody_is_let_in_without(settings: Settings) -> None:
    app = make(settings, access="keys")

    assert ask(app) == 401
    app.state.desk.engine.dispose()


def test_the_first_key_can_be_made_over_http_and_closes_the_door(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://localhost", client=HERE)

    made = client.post("/v1/keys", json={"label": "first", "role": "admin"}).json()

    assert client.get("/v1/keys").status_code == 401
    bearer = {"authorization": f"Bearer {made['key']}"}
    assert client.get("/v1/keys", headers=bearer).json()[0]["id"] == made["id"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "danvan.example"])  # noqa: S104
@pytest.mark.parametrize(
    ("access", "reason"), [("open", "everything to everybody"), ("auto", "first make a key")]
)
def test_it_does_not_start_where_others_would_come_in(
    settings: Settings, host: str, access: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        make(settings, host=host, access=access)

    assert "\n" not in str(caught.value)


def test_it_starts_for_others_once_there_is_a_key(app: FastAPI, settings: Settings) -> None:
    claim_by_key(app)

    for_all = make(settings, host="0.0.0.0")  # noqa: S104

    assert ask(for_all) == 401
    for_all.state.desk.engine.dispose()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.1", False),
    ],
)
def test_loopback_is_known(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


def test_metrics_are_for_this_machine_and_for_readers(settings: Settings) -> None:
    app = make(settings, access="keys")
    now = datetime.now(UTC)
    key = auth.make_key(app.state.desk.engine, "p", role="reader", by=CONSOLE, now=now).key
    here = TestClient(app, base_url="http://localhost:8000", client=HERE)
    far = TestClient(app, base_url="http://danvan.example", client=("10.0.0.9", 1))

    assert here.get("/metrics").status_code == 200
    assert far.get("/metrics").status_code == 401
    assert far.get("/metrics", headers={"authorization": f"Bearer {key}"}).status_code == 200
    app.state.desk.engine.dispose()


@contextmanager
def limited(settings: Settings, rate: str) -> Iterator[FastAPI]:
    app = make(settings, access="keys", rate_limit=rate)
    yield app
    app.state.desk.engine.dispose()


def key_of(app: FastAPI) -> dict[str, str]:
    now = datetime.now(UTC)
    made = auth.make_key(app.state.desk.engine, "a", role="reviewer", by=CONSOLE, now=now)
    return {"authorization": f"Bearer {made.key}"}


def test_one_key_may_ask_so_often_and_another_as_often(settings: Settings) -> None:
    with limited(settings, "3/minute") as app:
        one, other, client = key_of(app), key_of(app), TestClient(app)

        statuses = [client.get("/v1/models", headers=one).status_code for _ in range(4)]
        refused = client.get("/v1/models", headers=one)

        assert statuses == [200, 200, 200, 429]
        assert refused.json()["type"] == "urn:danvan:problem:too-many-requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert client.get("/v1/models", headers=other).status_code == 200


def test_a_file_counts_for_ten(settings: Settings) -> None:
    with limited(settings, "25/minute") as app:
        client, key = TestClient(app), key_of(app)
        file = {"file": ("a.txt", "CHỈ THỊ xin chào".encode())}

        statuses = [
            client.post("/v1/documents", files=file, headers=key).status_code for _ in range(3)
        ]

        assert statuses == [201, 200, 429]


def test_strangers_are_counted_by_address(settings: Settings) -> None:
    with limited(settings, "2/minute") as app:
        one, other = (TestClient(app, client=(f"203.0.113.{n}", 1)) for n in (1, 2))

        statuses = [one.get("/v1/models").status_code for _ in range(3)]

        assert statuses == [401, 401, 429]
        assert other.get("/v1/models").status_code == 401


def test_health_and_style_sheets_are_not_counted(settings: Settings) -> None:
    with limited(settings, "1/minute") as app:
        client = TestClient(app)

        for path in ("/healthz", "/readyz", "/static/app.css") * 3:
            assert client.get(path).status_code == 200
