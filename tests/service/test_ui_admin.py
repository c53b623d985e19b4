"""Quản trị: what an administrator sees and does, and what others do not."""

import re

import pytest
from fastapi.testclient import TestClient

from service import auth
from service.actions import Desk
from service.auth import CONSOLE
from tests.service.html import words

HTML = {"accept": "text/html"}
PASSWORD = "mot mat khau dai"  # noqa: S105 - of a test


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/sources",
        "/models",
        "/taxonomies",
        "/taxonomies/ct07/1.0.0",
        "/keys",
        "/people",
        "/log",
    ],
)
def test_every_page_is_there(client: TestClient, path: str) -> None:
    answer = client.get(f"/admin{path}", headers=HTML)

    assert answer.status_code == 200
    assert "<h1>" in answer.text


def test_how_the_service_is_stands_on_the_first_page(client: TestClient) -> None:
    shown = words(client.get("/admin", headers=HTML).text)

    assert "Không có tiến trình nào đang chạy" in shown
    assert "rules 1" in shown


def test_a_source_is_registered(client: TestClient) -> None:
    form = {
        "name": "hop_thu",
        "channel": "hộp thư",
        "legal_basis": "Luật Tiếp công dân 2013",
        "retention_days": "365",
    }

    shown = words(client.post("/admin/sources", data=form, headers=HTML).text)

    assert "hop_thu hộp thư Luật Tiếp công dân 2013 365 ngày" in shown
    assert "Đã tạo." in shown


def test_what_was_typed_stays_where_a_source_cannot_be(client: TestClient) -> None:
    form = {"name": "hộp thư", "channel": "hộp thư", "legal_basis": "x", "retention_days": "0"}

    answer = client.post("/admin/sources", data=form, headers=HTML)

    assert answer.status_code == 422
    assert "Chưa đăng ký được" in answer.text
    assert 'value="hộp thư"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2


def test_a_key_is_shown_once_and_can_be_revoked(client: TestClient, desk: Desk) -> None:
    made = client.post("/admin/keys", data={"label": "cổng", "role": "intake"}, headers=HTML)
    [key] = re.findall(r"dv_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", made.text)
    assert key not in client.get("/admin/keys", headers=HTML).text
    assert auth.caller_of_key(desk.engine, key, now=desk.now()) is not None

    shown = client.post(f"/admin/keys/{key[3:11]}/revoke", headers=HTML).text

    assert "Đã ngừng" in shown
    assert auth.caller_of_key(desk.engine, key, now=desk.now()) is None


def test_somebody_is_let_in_and_ended(
    client: TestClient, desk: Desk, quick_passwords: None
) -> None:
    form = {"name": " Lan ", "role": "reviewer", "password": PASSWORD}
    assert "Đã tạo." in client.post("/admin/people", data=form, headers=HTML).text

    shown = words(client.post("/admin/people/lan/end", headers=HTML).text)

    assert "lan Cán bộ" in shown
    [staff] = auth.list_staff(desk.engine)
    assert staff.ended_at is not None


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": "lan", "role": "reviewer", "password": "ngắn"}, "ít nhất 12 ký tự"),
        ({"name": "lan", "role": "king", "password": PASSWORD}, "Chưa thêm được"),
        ({"name": "Lan Anh", "role": "reviewer", "password": PASSWORD}, "Chưa thêm được"),
    ],
)
def test_somebody_who_cannot_be_added_is_explained(
    client: TestClient, quick_passwords: None, form: dict[str, str], told: str
) -> None:
    answer = client.post("/admin/people", data=form, headers=HTML)

    assert (answer.status_code, told in answer.text) == (422, True)
    assert form["password"] not in answer.text


def test_the_log_says_what_was_done_in_words(client: TestClient, desk: Desk) -> None:
    auth.make_key(desk.engine, "a", role="intake", by=CONSOLE, now=desk.now())

    shown = words(client.get("/admin/log", headers=HTML).text)

    assert "console tạo khóa" in shown
    assert "console" not in words(client.get("/admin/log?actor=staff:x", headers=HTML).text)


def test_a_category_has_its_definition(client: TestClient) -> None:
    shown = words(client.get("/admin/taxonomies/ct07/1.0.0", headers=HTML).text)

    assert "Giao thông, đường sá, vận tải LV03" in shown
    assert "không thuộc mục nào" in shown


@pytest.mark.parametrize("path", ["/admin/models/none/1", "/admin/taxonomies/ct07/9.9.9"])
def test_what_is_not_at_hand_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path, headers=HTML).status_code == 404


def test_a_key_whose_days_make_no_sense_is_not_made(client: TestClient, desk: Desk) -> None:
    form = {"label": "cổng", "role": "intake", "days": "mười"}

    assert client.post("/admin/keys", data=form, headers=HTML).status_code == 422
    assert auth.list_keys(desk.engine) == ()
