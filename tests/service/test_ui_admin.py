"""Quản trị: what an administrator sees and does, and what others do not."""

import re

import pytest
from fastapi.testclient import TestClient

from service import auth
from service.actions import Desk
from service.auth import CONSOLE, ROLES, Caller
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


def test_a_form_that_is_sent_again_makes_no_second_key(client: TestClient, desk: Desk) -> None:
    page = client.get("/admin/keys", headers=HTML).text
    [key_id] = re.findall(r'name="key_id" value="([0-9a-f]{8})"', page)
    form = {"label": "cổng", "role": "intake", "key_id": key_id}
    first = client.post("/admin/keys", data=form, headers=HTML)

    again = client.post("/admin/keys", data=form, headers=HTML)

    assert [key.id for key in auth.list_keys(desk.engine)] == [key_id]
    assert f"dv_{key_id}_" in first.text
    assert (again.status_code, "dv_" in again.text) == (409, False)
    assert "chỉ hiện một lần" in again.text


@pytest.mark.parametrize("key_id", ["x", "0" * 9, "ABCDEF01"])
def test_a_key_has_no_other_id_than_eight_digits(
    client: TestClient, desk: Desk, key_id: str
) -> None:
    form = {"label": "cổng", "role": "intake", "key_id": key_id}

    assert client.post("/admin/keys", data=form, headers=HTML).status_code == 422
    assert auth.list_keys(desk.engine) == ()


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
    ("form", "told", "marked"),
    [
        ({"name": "lan", "role": "reviewer", "password": "ngắn"}, "ít nhất 12 ký tự", "n-mk"),
        ({"name": "lan", "role": "king", "password": PASSWORD}, "Chưa thêm được", "n-vai"),
        ({"name": "Lan Anh", "role": "reviewer", "password": PASSWORD}, "Chưa thêm được", "n-ten"),
    ],
)
def test_somebody_who_cannot_be_added_is_explained_at_the_field(
    client: TestClient, quick_passwords: None, form: dict[str, str], told: str, marked: str
) -> None:
    answer = client.post("/admin/people", data=form, headers=HTML)

    assert (answer.status_code, told in answer.text) == (422, True)
    assert form["password"] not in answer.text
    assert re.findall(r'id="(n-\w+)"[^>]*aria-invalid="true"', answer.text) == [marked]


def test_whoever_may_sign_in_is_said_to(client: TestClient, quick_passwords: None) -> None:
    form = {"name": "lan", "role": "reviewer", "password": PASSWORD}

    shown = words(client.post("/admin/people", data=form, headers=HTML).text)

    assert "Đang dùng Đặt mật khẩu khác" in shown


def test_a_password_that_is_too_short_is_told_with_the_name(
    client: TestClient, quick_passwords: None
) -> None:
    form = {"name": "lan", "role": "reviewer", "password": PASSWORD}
    client.post("/admin/people", data=form, headers=HTML)

    answer = client.post("/admin/people/lan/password", data={"password": "ngắn"}, headers=HTML)

    assert answer.status_code == 422
    assert "Chưa đổi mật khẩu của lan: mật khẩu ít nhất 12 ký tự." in answer.text


def test_the_log_says_what_was_done_in_words(client: TestClient, desk: Desk) -> None:
    auth.make_key(desk.engine, "a", role="intake", by=CONSOLE, now=desk.now())

    shown = words(client.get("/admin/log", headers=HTML).text)

    assert "console tạo khóa" in shown
    assert "console" not in words(client.get("/admin/log?actor=staff:x", headers=HTML).text)


def test_the_log_is_asked_for_by_the_name_that_people_know(
    client: TestClient, desk: Desk, quick_passwords: None
) -> None:
    for name in ("quan.tri", "lan"):
        auth.add_staff(
            desk.engine, name, role="admin", by=CONSOLE, now=desk.now(), password=PASSWORD
        )
    by = Caller("staff:quan.tri", ROLES["admin"])
    made = auth.make_key(desk.engine, "a", role="intake", by=by, now=desk.now())

    for asked in ("quan.tri", " Quan.Tri ", "staff:quan.tri"):
        shown = client.get("/admin/log", params={"actor": asked}, headers=HTML).text
        assert shown.count("<td>staff:quan.tri</td>") == 1
        assert made.info.id in shown
        assert "<td>console</td>" not in shown


def test_registering_a_source_is_logged_once_at_both_doors(client: TestClient) -> None:
    source = {"channel": "hộp thư", "legal_basis": "Luật", "retention_days": 365}
    client.post("/admin/sources", data={**source, "name": "mot"}, headers=HTML)
    client.post("/v1/sources", json={**source, "name": "hai"})
    client.post("/v1/sources", json={**source, "name": "hai"})

    lines = client.get("/v1/access-log").json()["items"]

    assert [(line["actor"], line["action"], line["subject"]) for line in lines] == [
        ("anyone", "source.made", "hai"),
        ("anyone", "source.made", "mot"),
    ]
    assert "người dùng máy này đăng ký nguồn mot" in words(
        client.get("/admin/log", headers=HTML).text
    )
    assert "đăng ký nguồn" in client.get("/admin/log?actor=người dùng máy này", headers=HTML).text


def test_a_source_that_differs_is_refused_beside_its_form(client: TestClient) -> None:
    form = {"name": "demo", "channel": "khác", "legal_basis": "Luật", "retention_days": "9"}

    answer = client.post("/admin/sources", data=form, headers=HTML)

    assert answer.status_code == 409
    assert "Tên nguồn này đã có" in answer.text
    assert 'value="khác"' in answer.text
    assert 'id="o-name"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1


def test_sources_of_ours_are_shown_in_vietnamese(client: TestClient) -> None:
    shown = words(client.get("/admin/sources", headers=HTML).text)

    assert "Bản dùng thử demo dùng thử Nội dung đặt ra để dùng thử chương trình 30 ngày" in shown
    assert "Cán bộ nhập khi thi hành nhiệm vụ" in shown
    assert "invented texts" not in shown


def test_a_category_has_its_definition(client: TestClient) -> None:
    shown = words(client.get("/admin/taxonomies/ct07/1.0.0", headers=HTML).text)

    assert "Giao thông, đường sá, vận tải LV03" in shown
    assert "không thuộc mục nào" in shown
    assert not re.search(
        "achievement|limitation|negative|complaint", shown.partition("Hướng dẫn")[0]
    )


@pytest.mark.parametrize("path", ["/admin/models/none/1", "/admin/taxonomies/ct07/9.9.9"])
def test_what_is_not_at_hand_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path, headers=HTML).status_code == 404


def test_a_key_whose_days_make_no_sense_is_not_made(client: TestClient, desk: Desk) -> None:
    form = {"label": "cổng", "role": "intake", "days": "mười"}

    assert client.post("/admin/keys", data=form, headers=HTML).status_code == 422
    assert auth.list_keys(desk.engine) == ()
