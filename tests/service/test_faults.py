"""Every error is problem+json, and none quotes what was sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.actions import Desk

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/documents/nothing", 404),
        ("GET", "/v1/opinions/nothing", 404),
        ("GET", "/v1/taxonomies/nothing", 404),
        ("DELETE", "/v1/documents", 405),
        ("POST", "/v1/analyze", 415),
        ("POST", "/v1/opinions", 415),
        ("POST", "/v1/documents", 415),
        ("GET", "/v1/documents?limit=x", 422),
    ],
)
def test_an_error_has_the_form_of_a_problem(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) >= {"type", "title", "status", "detail", "instance"}
    assert body["instance"] == path.partition("?")[0]


def test_a_wrong_method_is_told_all_right_ones(client: TestClient) -> None:
    assert client.put("/v1/documents").headers["allow"] == "GET, POST"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"text": ' + b"9" * 5000])
def test_malformed_json_is_a_bad_request(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/analyze", content=body, headers=JSON)

    assert (answer.status_code, answer.headers["content-type"]) == (
        400,
        "application/problem+json",
    )


def test_a_body_that_says_it_is_too_large_is_refused_unread(client: TestClient) -> None:
    answer = client.post("/v1/analyze", content=b"{}", headers={**JSON, "content-length": "9" * 9})

    assert (answer.status_code, answer.headers["content-type"]) == (
        413,
        "application/problem+json",
    )


@pytest.mark.parametrize("path", ["/v1/analyze", "/v1/opinions", "/v1/documents"])
def test_a_body_that_grows_too_large_is_cut_off(client: TestClient, path: str) -> None:
    n_sent = 0

    def body() -> Iterator[bytes]:
        nonlocal n_sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(100):
            n_sent += 10_000
            yield b"a" * 10_000

    media_type = (
        "multipart/form-data; boundary=x" if path == "/v1/documents" else "application/json"
    )

    answer = client.post(path, content=body(), headers={"content-type": media_type})

    assert answer.status_code == 413


def test_a_fault_inside_shows_neither_traceback_nor_text(
    client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.post("/v1/analyze", json={"text": "hỏng máy, chuyện riêng"})

    logged = capsys.readouterr().out
    assert (answer.status_code, answer.json()["type"]) == (
        500,
        "urn:danvan:problem:internal-error",
    )
    assert "chuyện riêng" not in answer.text + logged
    assert "RuntimeError" in logged


def test_a_lost_database_is_not_ready(client: TestClient, desk: Desk) -> None:
    assert client.get("/readyz").json()["model"] == "rules"
    desk.engine.dispose()
    file = Path(desk.engine.url.database or "")
    file.unlink()
    file.mkdir()

    assert client.get("/readyz").status_code == 503
    assert client.get("/v1/documents").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}]
)
def test_another_sites_page_cannot_post_here(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/analyze", json={"text": "a"}, headers=headers)

    assert answer.status_code == 403


def test_this_sites_own_page_can_post_here(client: TestClient) -> None:
    own = {"origin": "http://testserver"}

    assert client.post("/v1/analyze", json={"text": "a"}, headers=own).status_code == 200


def test_another_sites_page_may_link_here(client: TestClient) -> None:
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/documents", "/static/app.css", "/nothing"])
def test_every_answer_has_safe_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert "script-src 'self'; style-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert ("no-store" in headers["cache-control"]) == ("static" not in path)


def test_taxonomies_and_models_are_listed(client: TestClient) -> None:
    [pack] = client.get("/v1/taxonomies").json()

    whole = client.get(f"/v1/taxonomies/{pack['name']}").json()

    assert pack["active"]
    assert whole["facets"]["task_area"]["categories"][0]["code"] == "DV1"
    assert isinstance(client.get("/v1/models").json(), list)


def test_no_page_of_another_maker_is_offered(app: FastAPI) -> None:
    assert {"/docs", "/redoc"}.isdisjoint(getattr(route, "path", "") for route in app.routes)
