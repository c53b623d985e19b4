"""Nobody shuts everybody out by a click: an administrator comes first, and the last one stays."""

from collections.abc import Iterator
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from nlp.pipeline import Pipeline
from service import auth
from service.app import create_app
from service.auth import CONSOLE, Role
from service.settings import Settings
from tests.service.html import words
from tests.service.rules import RulePipeline

HTML = {"accept": "text/html"}
PASSWORD = "mot mat khau dai"  # noqa: S105 - of a test
pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    """A service as it is installed: whoever sits at its machine may do everything."""
    changed = settings.model_copy(update={"access": "auto"})
    app = create_app(changed, pipeline=cast(Pipeline, RulePipeline()))
    yield app
    app.state.desk.engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
        yield client


def let_in(app: FastAPI, name: str, role: Role) -> None:
    desk = app.state.desk
    auth.add_staff(desk.engine, name, role=role, by=CONSOLE, now=desk.now(), password=PASSWORD)


def sign_in(client: TestClient, name: str) -> str:
    """The token that forms bear from then on."""
    client.post("/sign-in", data={"name": name, "password": PASSWORD}, headers=HTML)
    return client.get("/admin/people", headers=HTML).text.partition('name="csrf" value="')[2][:43]


def roles(app: FastAPI) -> dict[str, str]:
    everybody = auth.list_staff(app.state.desk.engine)
    return {staff.name: staff.role for staff in everybody if staff.ended_at is None}


def test_no_key_is_made_before_there_is_an_administrator(app: FastAPI, client: TestClient) -> None:
    shown = client.get("/admin/keys", headers=HTML).text
    sent = client.post("/admin/keys", data={"label": "cổng", "role": "reader"}, headers=HTML)

    assert 'action="/admin/keys"' not in shown
    assert "Hãy tạo tài khoản quản trị trước" in shown
    assert 'href="/admin/people"' in shown
    assert (sent.status_code, "Hãy tạo tài khoản quản trị trước" in sent.text) == (409, True)
    assert auth.list_keys(app.state.desk.engine) == ()
    assert client.get("/admin/keys", headers=HTML).status_code == 200


def test_the_first_person_is_an_administrator_who_signs_in_by_password(
    app: FastAPI, client: TestClient
) -> None:
    shown = client.get("/admin/people", headers=HTML).text
    by_subject = {"name": "lan", "role": "reader", "subject": "8f3a"}
    refused = client.post("/admin/people", data=by_subject, headers=HTML)
    form = {"name": "lan", "role": "reader", "password": PASSWORD}
    made = client.post("/admin/people", data=form, headers=HTML)

    assert '<select id="n-vai"' not in shown
    assert 'name="subject"' not in shown
    assert "Người đầu tiên luôn là người quản trị" in shown
    assert refused.status_code == 422
    assert roles(app) == {"lan": "admin"}
    assert "Đã tạo tài khoản quản trị" in made.text
    assert "Đăng nhập" in made.text
    assert sign_in(client, "lan") != ""


def test_later_ones_get_the_role_that_was_chosen(app: FastAPI, client: TestClient) -> None:
    let_in(app, "lan", "admin")
    token = sign_in(client, "lan")

    form = {"name": "minh", "role": "reader", "password": PASSWORD, "csrf": token}
    client.post("/admin/people", data=form, headers=HTML)
    key = client.post(
        "/admin/keys", data={"label": "cổng", "role": "reader", "csrf": token}, headers=HTML
    )

    assert roles(app) == {"lan": "admin", "minh": "reader"}
    assert "Khóa mới" in key.text


def test_the_last_administrator_cannot_be_ended(app: FastAPI, client: TestClient) -> None:
    let_in(app, "lan", "admin")
    let_in(app, "minh", "reader")
    token = sign_in(client, "lan")

    shown = client.get("/admin/people", headers=HTML).text
    refused = client.post("/admin/people/lan/end", data={"csrf": token}, headers=HTML)

    assert 'action="/admin/people/lan/end"' not in shown
    assert 'action="/admin/people/minh/end"' in shown
    assert "Người quản trị duy nhất" in words(shown)
    assert refused.status_code == 409
    assert "Đây là người quản trị duy nhất" in refused.text
    assert roles(app) == {"lan": "admin", "minh": "reader"}


def test_one_of_two_administrators_can_be_ended(app: FastAPI, client: TestClient) -> None:
    let_in(app, "lan", "admin")
    let_in(app, "minh", "admin")
    token = sign_in(client, "lan")

    client.post("/admin/people/minh/end", data={"csrf": token}, headers=HTML)

    assert roles(app) == {"lan": "admin"}


def test_the_command_line_may_end_the_last_one(app: FastAPI) -> None:
    let_in(app, "lan", "admin")

    desk = app.state.desk
    auth.end_staff(desk.engine, "lan", by=CONSOLE, now=desk.now())

    assert roles(app) == {}
