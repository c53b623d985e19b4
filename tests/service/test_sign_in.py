"""People sign in at a page; a form of another site, an old form and an old session do nothing."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from nlp.pipeline import Pipeline
from service import auth
from service.app import create_app
from service.auth import CONSOLE
from service.settings import Settings
from tests.service.rules import RulePipeline

HTML = {"accept": "text/html"}
PASSWORD = "mười hai con giáp"  # noqa: S105 - nobody's
pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
def app(settings: Settings, pipeline: RulePipeline) -> Iterator[FastAPI]:
    closed = settings.model_copy(update={"access": "keys"})
    app = create_app(closed, pipeline=cast(Pipeline, pipeline))
    engine, now = app.state.desk.engine, datetime.now(UTC)
    auth.add_staff(engine, "lan", role="reviewer", by=CONSOLE, now=now, password=PASSWORD)
    auth.add_staff(engine, "minh", role="reader", by=CONSOLE, now=now, password=PASSWORD)
    yield app
    engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, name: str = "lan", *, then: str = "/") -> Response:
    form = {"name": name, "password": PASSWORD, "next": then}
    return client.post("/sign-in", data=form, headers=HTML)


def csrf_of(client: TestClient) -> str:
    page = client.get("/", headers=HTML).text
    [token] = {found[1] for found in re.finditer(r'name="csrf" value="([^"]+)"', page)}
    return token


def test_a_person_is_shown_the_sign_in_page_first_and_then_what_they_wanted(
    client: TestClient,
) -> None:
    wanted = "/documents/" + "0" * 32 + "?show=task_area:DV3.5"

    sent = client.get(wanted, headers=HTML)
    form = client.get(sent.headers["location"], headers=HTML)
    [then] = re.findall(r'name="next" value="([^"]+)"', form.text)
    signed_in = sign_in(client, then=unescape(then))

    assert (sent.status_code, signed_in.status_code) == (303, 303)
    assert urlsplit(sent.headers["location"]).path == "/sign-in"
    assert signed_in.headers["location"] == wanted
    assert client.get(wanted, headers=HTML).status_code == 404


def test_who_signed_in_is_shown_with_a_way_out(client: TestClient) -> None:
    sign_in(client)

    page = client.get("/", headers=HTML).text

    assert "<span>lan</span>" in page
    assert "Đăng xuất" in page


def test_the_cookie_can_neither_be_read_by_scripts_nor_sent_by_other_sites(
    client: TestClient,
) -> None:
    cookie = sign_in(client).headers["set-cookie"].lower()

    assert cookie.startswith("danvan=")
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= set(cookie.split("; "))
    assert "secure" not in cookie


def test_over_https_the_cookie_is_bound_to_it(app: FastAPI) -> None:
    with TestClient(app, base_url="https://testserver", follow_redirects=False) as client:
        answer = sign_in(client)

        assert answer.headers["set-cookie"].startswith("__Host-danvan=")
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get("/", headers=HTML).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("lan", "sai"), ("nobody", PASSWORD), ("", ""), ("<b>", "x" * 5000)]
)
def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    client: TestClient, name: str, password: str
) -> None:
    answer = client.post("/sign-in", data={"name": name, "password": password}, headers=HTML)

    assert answer.status_code == 401
    assert "Tên hoặc mật khẩu không đúng" in answer.text
    assert "set-cookie" not in answer.headers
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
        "evil",
        "/a\r\nset-cookie: b=c",
    ],
)
def test_one_is_never_sent_to_another_site(client: TestClient, then: str) -> None:
    assert sign_in(client, then=then).headers["location"] == "/"
    assert client.get("/sign-in", params={"next": then}).headers["location"] == "/"


def test_a_link_of_another_site_leads_to_the_page_after_all(client: TestClient) -> None:
    answer = client.get(
        "/sign-in", params={"next": "/?a=1&b=2"}, headers={**HTML, "sec-fetch-site": "cross-site"}
    )

    # the strict cookie is shown only when the browser comes from here
    [address] = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
    assert parse_qs(urlsplit(unescape(address)).query) == {"next": ["/?a=1&b=2"]}


def test_an_expired_form_leads_htmx_to_the_sign_in_page(client: TestClient) -> None:
    answer = client.get("/documents/x?show=1", headers={"hx-request": "true"})

    assert answer.headers["hx-redirect"] == "/sign-in?next=/documents/x%3Fshow%3D1"


def test_what_was_posted_without_a_session_is_not_come_back_to(client: TestClient) -> None:
    answer = client.post("/opinions", data={"text": "a"}, headers=HTML)

    assert answer.headers["location"] == "/sign-in?next=/&told=unsaved"


@pytest.mark.parametrize("header", ["referer", "hx-current-url"])
def test_who_was_writing_is_told_and_comes_back_to_the_form(
    client: TestClient, header: str
) -> None:
    page = "http://testserver/upload?a=1&told=made"

    sent = client.post("/opinions", data={"text": "a"}, headers={**HTML, header: page})
    form = client.get(sent.headers["location"], headers=HTML).text
    [then] = re.findall(r'name="next" value="([^"]+)"', form)

    assert "Phiên đăng nhập đã hết; nội dung vừa gõ chưa được lưu" in form
    assert unescape(then) == "/upload?a=1"


def test_htmx_that_was_writing_is_led_to_the_same_page(client: TestClient) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/review"}

    sent = client.post("/items/x/labels", data={"code": "a"}, headers=headers)

    assert sent.headers["hx-redirect"] == "/sign-in?next=/review&told=unsaved"


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/upload",
        "http://testserver//evil.example",
        "http://testserver/sign-in?next=/x",
        "http://[",
        "/upload",
    ],
)
def test_no_other_page_is_come_back_to(client: TestClient, page: str) -> None:
    sent = client.post("/opinions", data={"text": "a"}, headers={**HTML, "referer": page})

    assert sent.headers["location"] == "/sign-in?next=/&told=unsaved"


def test_who_signs_out_too_late_has_written_nothing(client: TestClient) -> None:
    sent = client.post("/sign-out", headers={**HTML, "referer": "http://testserver/upload"})

    assert sent.headers["location"] == "/sign-in?next=/"


def test_an_ordinary_visit_is_told_nothing(client: TestClient) -> None:
    sent = client.get("/upload", headers=HTML)

    assert "told" not in sent.headers["location"]
    assert "Phiên đăng nhập đã hết" not in client.get(sent.headers["location"], headers=HTML).text


def test_a_program_is_not_sent_to_the_page(client: TestClient) -> None:
    assert client.get("/v1/documents", headers=HTML).status_code == 401
    assert client.get("/documents/x").status_code == 401


def test_a_form_needs_the_token_of_its_session(client: TestClient) -> None:
    sign_in(client)
    token = csrf_of(client)

    without = client.post("/opinions", data={"text": "đường hỏng"}, headers=HTML)
    wrong = client.post("/opinions", data={"text": "đường hỏng", "csrf": "ü"}, headers=HTML)
    right = client.post("/opinions", data={"text": "đường hỏng", "csrf": token}, headers=HTML)

    assert [answer.status_code for answer in (without, wrong, right)] == [403, 403, 303]
    assert "Biểu mẫu đã cũ" in without.text


def test_a_file_is_uploaded_with_the_token(client: TestClient) -> None:
    sign_in(client)
    file = {"file": ("a.txt", "CHỈ THỊ thủ tục hành chính".encode())}

    without = client.post("/documents", files=file)
    right = client.post("/documents", files=file, data={"csrf": csrf_of(client)})

    assert (without.status_code, right.status_code) == (403, 303)
    assert client.get(right.headers["location"], headers=HTML).status_code == 200


@pytest.mark.parametrize("path", ["/v1/analyze", "/v1/opinions"])
def test_the_api_takes_the_token_in_a_header(client: TestClient, path: str) -> None:
    sign_in(client)
    body = {"text": "a"} if path == "/v1/analyze" else [{}]

    without = client.post(path, json=body)
    right = client.post(path, json=body, headers={"x-csrf-token": csrf_of(client)})

    assert (without.status_code, right.status_code) == (403, 200)
    assert without.json()["type"] == "urn:danvan:problem:stale-form"


def test_the_token_of_somebody_else_does_not_do(app: FastAPI) -> None:
    with TestClient(app) as one, TestClient(app) as other:
        sign_in(one)
        sign_in(other)
        token = csrf_of(one)

        assert other.post("/opinions", data={"text": "a", "csrf": token}).status_code == 403


def test_a_key_needs_no_token(app: FastAPI, client: TestClient) -> None:
    sign_in(client)
    now = datetime.now(UTC)
    key = auth.make_key(app.state.desk.engine, "a", role="reader", by=CONSOLE, now=now).key

    answer = client.post(
        "/v1/analyze", json={"text": "a"}, headers={"authorization": f"Bearer {key}"}
    )

    assert answer.status_code == 200


def test_a_wrong_key_is_not_saved_by_a_session(client: TestClient) -> None:
    sign_in(client)

    answer = client.get("/v1/documents", headers={"authorization": "Bearer dv_wrong"})

    assert answer.status_code == 401


def test_signing_out_needs_the_token_and_then_ends_the_session(client: TestClient) -> None:
    sign_in(client)
    cookie, token = client.cookies["danvan"], csrf_of(client)

    without = client.post("/sign-out", headers=HTML)
    out = client.post("/sign-out", data={"csrf": token}, headers=HTML)

    assert (without.status_code, out.headers["location"]) == (403, "/sign-in")
    assert "danvan" not in client.cookies
    client.cookies.set("danvan", cookie)
    assert client.get("/", headers=HTML).status_code == 303


def test_files_where_no_file_is_asked_are_refused(client: TestClient) -> None:
    sign_in(client)

    answer = client.post("/sign-out", files={"csrf": ("a", b"a")})

    assert answer.status_code == 400


def test_a_reader_sees_no_form_and_cannot_hand_in(client: TestClient) -> None:
    sign_in(client, "minh")
    page = client.get("/", headers=HTML).text
    [token] = set(re.findall(r'name="csrf" value="([^"]+)"', page))

    answer = client.post("/opinions", data={"text": "a", "csrf": token}, headers=HTML)

    assert 'action="/opinions"' not in page
    assert (answer.status_code, "chưa có quyền" in answer.text) == (403, True)


def test_a_session_ends_with_its_hours(app: FastAPI, client: TestClient) -> None:
    sign_in(client)
    desk = app.state.desk

    app.state.desk = replace(desk, now=lambda: datetime.now(UTC) + timedelta(hours=12))

    assert client.get("/", headers=HTML).status_code == 303


def test_who_guesses_a_password_is_stopped_and_others_are_not(client: TestClient) -> None:
    def guess(name: str) -> int:
        return client.post("/sign-in", data={"name": name, "password": "sai"}).status_code

    guessed = [guess("lan") for _ in range(11)]

    assert guessed == [401] * 10 + [429]
    told = client.post("/sign-in", data={"name": "lan", "password": PASSWORD}, headers=HTML)
    assert "Thao tác quá nhanh" in told.text
    assert 1 <= int(told.headers["retry-after"]) <= 60


def test_one_name_cannot_be_guessed_from_many_addresses(app: FastAPI) -> None:
    statuses = [
        TestClient(app, client=(f"203.0.113.{number}", 1))
        .post("/sign-in", data={"name": "Lan ", "password": "sai"})
        .status_code
        for number in range(11)
    ]

    assert statuses == [401] * 10 + [429]


def test_many_may_come_at_eight_from_one_address(client: TestClient) -> None:
    assert [sign_in(client).status_code for _ in range(15)] == [303] * 15


def test_the_session_of_before_is_ended_by_the_next(app: FastAPI, client: TestClient) -> None:
    sign_in(client)
    before = client.cookies["danvan"]

    sign_in(client)

    client.cookies.clear()
    client.cookies.set("danvan", before)
    assert client.get("/", headers=HTML).status_code == 303


def test_signed_in_one_goes_on_from_the_sign_in_page(client: TestClient) -> None:
    sign_in(client)

    assert client.get("/sign-in?next=/documents/x").headers["location"] == "/documents/x"


def test_a_stranger_cannot_send_more_than_a_name_and_a_password(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"a" * 1000

    form = {"content-type": "application/x-www-form-urlencoded"}
    announced = client.post("/sign-in", content=b"a" * 20_000, headers=form)
    unannounced = client.post("/sign-in", content=chunks(), headers=form)
    as_file = client.post("/sign-in", files={"name": ("a", b"a" * 20_000)})

    assert [answer.status_code for answer in (announced, unannounced, as_file)] == [413] * 3


def test_without_an_identity_provider_there_is_no_way_there(client: TestClient) -> None:
    assert "/sign-in/provider" not in client.get("/sign-in").text
    assert client.get("/sign-in/provider", headers=HTML).status_code == 403
    assert client.get("/sign-in/back?code=a&state=b", headers=HTML).status_code == 403
