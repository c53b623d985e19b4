"""Signing in at an identity provider: only for whom it vouches, and only if they are bound to a name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from nlp.pipeline import Pipeline
from service import auth
from service.app import create_app
from service.auth import CONSOLE
from service.oidc import Flow
from service.settings import Settings
from tests.service.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    rsa_key,
    serving,
)
from tests.service.rules import RulePipeline

HTML = {"accept": "text/html"}
COOKIE = "danvan-flow"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with serving(IdentityProvider()) as provider:
        yield provider


@pytest.fixture
def app(
    settings: Settings, pipeline: RulePipeline, provider: IdentityProvider
) -> Iterator[FastAPI]:
    with_provider = settings.model_copy(
        update={
            "access": "auto",
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
        }
    )
    app = create_app(with_provider, pipeline=cast(Pipeline, pipeline))
    now = datetime.now(UTC)
    auth.add_staff(app.state.desk.engine, "lan", role="reader", by=CONSOLE, now=now, subject="8f3a")
    yield app
    app.state.desk.engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def go(client: TestClient, *, then: str = "/") -> str:
    """Go to the provider; the address to which it sends the browser back."""
    sent = client.get("/sign-in/provider", params={"next": then}, headers=HTML)
    assert sent.status_code == 303, sent.text
    back = httpx2.get(sent.headers["location"], follow_redirects=False).headers["location"]
    return str(back)


def sign_in(client: TestClient, *, then: str = "/") -> Response:
    return client.get(go(client, then=then), headers=HTML)


def test_who_is_bound_to_a_name_is_signed_in(client: TestClient) -> None:
    answer = sign_in(client, then="/documents/x?show=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/documents/x?show=1")
    assert "<span>lan</span>" in client.get("/", headers=HTML).text


def test_the_page_offers_the_way_there(client: TestClient) -> None:
    assert 'href="/sign-in/provider?next=/"' in client.get("/sign-in", headers=HTML).text


def test_the_request_is_bound_to_the_browser_and_the_code(
    client: TestClient, provider: IdentityProvider
) -> None:
    go(client)
    go(client)

    first, second = provider.asked
    assert (first["response_type"], first["scope"]) == ("code", "openid")
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]
    assert first["redirect_uri"] == "http://testserver/sign-in/back"


def test_the_cookies_survive_the_way_back_and_cannot_be_read(client: TestClient) -> None:
    sent = client.get("/sign-in/provider", headers=HTML)
    answer = sign_in(client)

    for cookie in (sent.headers["set-cookie"], answer.headers.get_list("set-cookie")[0]):
        assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.lower().split("; "))
    assert COOKIE not in client.cookies


def test_who_is_bound_to_no_name_is_told_what_to_tell(
    client: TestClient, provider: IdentityProvider
) -> None:
    provider.subject = "<b>stranger</b>"

    answer = sign_in(client)

    assert answer.status_code == 403
    assert "&lt;b&gt;stranger&lt;/b&gt;" in answer.text
    assert client.get("/", headers=HTML).status_code == 303
    assert len(auth.list_staff(client.app.state.desk.engine)) == 1  # type: ignore[attr-defined]


def test_who_has_ended_is_not_signed_in(client: TestClient, app: FastAPI) -> None:
    auth.end_staff(app.state.desk.engine, "lan", by=CONSOLE, now=datetime.now(UTC))

    assert sign_in(client).status_code == 403


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"iss": "http://127.0.0.1:1"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 99_999_999_999},
        {"sub": None},
        {"azp": "another"},
        {"at_hash": "wrong"},
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(
    client: TestClient, provider: IdentityProvider, lie: dict[str, Any]
) -> None:
    def change(claims: dict[str, Any]) -> dict[str, Any]:
        changed = {**claims, **lie}
        return {name: value for name, value in changed.items() if value is not None}

    provider.change_claims = change

    answer = sign_in(client)

    assert (answer.status_code, "Chưa đăng nhập được" in answer.text) == (403, True)
    assert client.get("/", headers=HTML).status_code == 303


def test_a_token_for_several_names_ours_by_azp(
    client: TestClient, provider: IdentityProvider
) -> None:
    ours = {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID}
    provider.change_claims = lambda claims: {**claims, **ours}

    assert sign_in(client).status_code == 303


def test_a_token_signed_by_another_key_is_refused(
    client: TestClient, provider: IdentityProvider
) -> None:
    provider.signing_key = rsa_key("forged", kid="k-1")

    assert sign_in(client).status_code == 403


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_token_signed_by_our_secret_is_refused(
    client: TestClient, provider: IdentityProvider
) -> None:
    provider.algorithm = "HS256"
    provider.signing_key = cast(RSAKey, OctKey.import_key(CLIENT_SECRET))

    assert sign_in(client).status_code == 403


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_token_without_signature_is_refused(
    client: TestClient, provider: IdentityProvider
) -> None:
    provider.algorithm = "none"

    assert sign_in(client).status_code == 403


def test_a_new_key_of_the_provider_is_known_at_once(
    client: TestClient, provider: IdentityProvider
) -> None:
    assert sign_in(client).status_code == 303
    client.cookies.clear()

    provider.key = rsa_key("k-2")

    assert sign_in(client).status_code == 303


def test_an_answer_to_another_browser_is_refused(app: FastAPI, client: TestClient) -> None:
    back = go(client)
    with TestClient(app, follow_redirects=False) as victim:
        without_cookie = victim.get(back, headers=HTML)
        go(victim)
        with_another = victim.get(back, headers=HTML)

    assert (without_cookie.status_code, with_another.status_code) == (403, 403)


def test_an_answer_is_good_once(client: TestClient) -> None:
    back = go(client)
    cookie = client.cookies[COOKIE]
    first = client.get(back, headers=HTML)

    client.cookies.clear()
    client.cookies.set(COOKIE, cookie)
    again = client.get(back, headers=HTML)

    assert (first.status_code, again.status_code) == (303, 403)


@pytest.mark.parametrize(
    "answer", ["error=access_denied&state={}", "state={}", "code=a&state={}&iss=http://elsewhere"]
)
def test_who_is_not_let_in_there_is_not_let_in_here(client: TestClient, answer: str) -> None:
    [state] = parse_qs(urlsplit(go(client)).query)["state"]

    assert client.get(f"/sign-in/back?{answer.format(state)}", headers=HTML).status_code == 403


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_describes_another_is_not_used(
    client: TestClient, provider: IdentityProvider, lie: dict[str, Any]
) -> None:
    provider.change_metadata = lambda metadata: {**metadata, **lie}

    answer = client.get("/sign-in/provider", headers=HTML)

    assert (answer.status_code, "không phản hồi" in answer.text) == (503, True)


@pytest.mark.parametrize("status", [404, 500])
def test_a_provider_that_fails_is_told(
    client: TestClient, provider: IdentityProvider, status: int
) -> None:
    back = go(client)
    provider.status = status

    assert client.get(back, headers=HTML).status_code == 503


def test_a_provider_that_is_away_is_told(
    client: TestClient, app: FastAPI, provider: IdentityProvider
) -> None:
    provider.change_metadata = lambda _: {}

    assert client.get("/sign-in/provider", headers=HTML).status_code == 503


def test_nothing_of_it_is_logged(
    client: TestClient, provider: IdentityProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(client)
    provider.change_claims = lambda claims: {**claims, "nonce": "x"}
    sign_in(client)

    told = "".join(capsys.readouterr())
    for secret in ("code-1", provider.asked[0]["state"], provider.asked[0]["nonce"], CLIENT_SECRET):
        assert secret not in told


def test_of_a_cookie_that_holds_no_flow_nothing_is_made() -> None:
    flow = Flow.begin("/ở đâu?a=1")

    assert Flow.of_cookie(flow.cookie) == flow
    assert len({flow.derive(purpose) for purpose in ("state", "nonce", "verifier")}) == 3
    for cookie in ("", ".", ".YQ==", "seed.!", "seed.//8="):
        assert Flow.of_cookie(cookie) is None or cookie == "seed.!"
