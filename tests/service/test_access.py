"""Who may use which route: every role on every route there is."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount

from nlp.pipeline import Pipeline
from service import api, auth, ui
from service.access import Need, Public, demand_of
from service.app import create_app
from service.auth import CONSOLE, ROLES, Role
from service.settings import Settings
from tests.service.rules import RulePipeline

NOW = datetime.now(UTC)
PUBLIC = {"/healthz", "/readyz", "/sign-in", "/sign-in/provider", "/sign-in/back"}
STRANGERS = ("nobody", "revoked", "expired", "invented", "session-less")
ROUTES = [
    route
    for router in (*api.ROUTERS, *ui.ROUTERS)
    for route in router.routes
    if isinstance(route, APIRoute)
]
ASKED = [
    pytest.param(method, route, id=f"{method} {route.path}")
    for route in ROUTES
    for method in sorted(route.methods or ())
]
CLOSED = [param for param in ASKED if isinstance(demand_of(cast(APIRoute, param.values[1])), Need)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder = tmp_path_factory.mktemp("access")
    settings = Settings(
        database_url=f"sqlite:///{folder}/danvan.db", access="keys", rate_limit="1000000/second"
    )
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    yield app
    app.state.desk.engine.dispose()


@pytest.fixture(scope="module")
def keys(app: FastAPI) -> Mapping[str, str]:
    """A key of each role, and some that open nothing."""
    engine = app.state.desk.engine

    def make(role: Role, *, at: datetime = NOW, days: int | None = None) -> str:
        return auth.make_key(engine, "test", role=role, by=CONSOLE, now=at, days=days).key

    revoked = make("admin")
    auth.revoke_key(engine, revoked[3:11], by=CONSOLE, now=NOW)
    return {
        **{role: make(role) for role in ROLES},
        "revoked": revoked,
        "expired": make("admin", at=NOW - timedelta(days=2), days=1),
        "invented": make("admin")[:-43] + "A" * 43,
    }


@pytest.fixture(scope="module")
def ask(app: FastAPI, keys: Mapping[str, str]) -> Iterator[Callable[[str, str, str], int]]:
    """Ask as somebody; the status of the answer."""
    with TestClient(app, follow_redirects=False) as client:

        def ask(who: str, method: str, path: str) -> int:
            headers = {"authorization": f"Bearer {keys[who]}"} if who in keys else {}
            if who == "session-less":
                headers = {"cookie": "danvan=" + "A" * 43}
            return client.request(method, path, headers=headers).status_code

        yield ask


def served_by(app: FastAPI) -> list[BaseRoute]:
    return [context.original_route for context in iter_route_contexts(app.routes)]


def path_of(route: APIRoute) -> str:
    """A path of this route; a key with this id is nobody's."""
    return re.sub(r"\{key_id\}", "00000000", re.sub(r"\{(?!key_id)\w+\}", "0" * 32, route.path))


def test_every_route_says_what_it_asks_of_its_caller(app: FastAPI) -> None:
    def is_decided(route: BaseRoute) -> bool:
        if isinstance(route, APIRoute):
            return demand_of(route) is not None
        path = getattr(route, "path", "")
        return path == "/static" if isinstance(route, Mount) else path == "/openapi.json"

    undecided = [getattr(route, "path", route) for route in served_by(app) if not is_decided(route)]

    assert undecided == []


def test_the_table_below_has_every_route(app: FastAPI) -> None:
    served = {route.path for route in served_by(app) if isinstance(route, APIRoute)}

    assert served == {route.path for route in ROUTES}


def test_nothing_else_is_public() -> None:
    public = {route.path for route in ROUTES if isinstance(demand_of(route), Public)}

    assert public == PUBLIC


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize(("method", "route"), CLOSED)
def test_a_stranger_is_turned_away(
    ask: Callable[[str, str, str], int], who: str, method: str, route: APIRoute
) -> None:
    assert ask(who, method, path_of(route)) == 401


@pytest.mark.parametrize("role", list(ROLES))
@pytest.mark.parametrize(("method", "route"), CLOSED)
def test_a_role_may_what_its_scopes_say_and_nothing_else(
    ask: Callable[[str, str, str], int], role: Role, method: str, route: APIRoute
) -> None:
    demand = demand_of(route)
    assert isinstance(demand, Need)

    status = ask(role, method, path_of(route))

    may = demand.scope is None or demand.scope in ROLES[role]
    assert (status == 403) == (not may)
    assert status != 401


@pytest.mark.parametrize(
    ("role", "method", "path", "allowed"),
    [
        ("intake", "POST", "/v1/opinions", True),
        ("intake", "POST", "/v1/analyze", True),
        ("intake", "GET", "/v1/opinions", False),
        ("intake", "GET", "/v1/documents/" + "0" * 32, False),
        ("intake", "GET", "/", False),
        ("reader", "GET", "/v1/documents", True),
        ("reader", "POST", "/v1/documents", False),
        ("reader", "GET", "/v1/access-log", False),
        ("reviewer", "POST", "/v1/documents", True),
        ("reviewer", "POST", "/v1/sources", False),
        ("analyst", "GET", "/v1/keys", False),
        ("admin", "GET", "/v1/keys", True),
        ("admin", "POST", "/v1/sources", True),
    ],
)
def test_what_was_agreed_holds(
    ask: Callable[[str, str, str], int], role: str, method: str, path: str, allowed: bool
) -> None:
    assert (ask(role, method, path) != 403) == allowed


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/documents/", "/healthz/x"])
def test_a_stranger_does_not_learn_what_is_there(
    ask: Callable[[str, str, str], int], path: str
) -> None:
    assert ask("nobody", "GET", path) == 401
    assert ask("admin", "GET", path) in {404, 307}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/sign-in", "/openapi.json"])
def test_what_is_public_needs_nobody(ask: Callable[[str, str, str], int], path: str) -> None:
    assert ask("nobody", "GET", path) == 200


def test_the_style_sheet_is_public(ask: Callable[[str, str, str], int]) -> None:
    assert ask("nobody", "GET", "/static/app.css") == 200
    assert ask("nobody", "GET", "/static/../v1/documents") in {401, 404}


def test_a_stranger_is_told_how_to_come_in(app: FastAPI) -> None:
    answer = TestClient(app).get("/v1/documents")

    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:danvan:problem:unauthenticated"


def test_a_body_is_not_read_before_it_is_known_whose_it_is(app: FastAPI) -> None:
    read = False

    def body() -> Iterator[bytes]:
        nonlocal read
        read = True
        yield b"{}"

    answer = TestClient(app).post("/v1/analyze", content=body())

    assert answer.status_code == 401
    # the test client hands the body over only when the application asks for it
    assert not read


def test_the_description_names_the_key_and_the_refusals(app: FastAPI) -> None:
    described = app.openapi()

    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, operations in described["paths"].items():
        for operation in operations.values():
            is_public = path in PUBLIC
            assert ("security" in operation) != is_public, path
            assert ({"401", "403", "429"} <= set(operation["responses"])) != is_public, path
