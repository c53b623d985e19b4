"""Signing in at an identity provider: authorization code flow with PKCE, state and nonce.

What must be remembered between going and coming back is one random value in a cookie of the browser;
state, nonce and PKCE verifier are derived from it, so that the server keeps nothing and needs no secret.
Discovery and keys are fetched anew each time: signing in is rare, and old keys are no risk then.

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9700, section 2.1.
"""

import base64
import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nlp.errors import DanvanError, InputError

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

_TIMEOUT_S = 10.0
_LEEWAY_S = 60
_ALGORITHMS = [
    "RS256",
    "PS256",
    "ES256",
]  # never `none`, and nothing that the client secret could sign


class ProviderError(DanvanError):
    """The identity provider cannot be reached, or does not keep to the protocol."""


class SignInRefused(InputError):  # noqa: N818 - says what became of the attempt
    """What came back from the identity provider does not vouch for anybody."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to the provider and back, as the browser's cookie keeps it; `then` is where to go at last."""

    seed: str = field(repr=False)
    then: str

    @classmethod
    def begin(cls, then: str) -> "Flow":
        """A new flow."""
        return cls(secrets.token_urlsafe(32), then)

    @classmethod
    def of_cookie(cls, cookie: str) -> "Flow | None":
        """The flow that a cookie holds; None when it holds none."""
        seed, _, then = cookie.partition(".")
        try:
            return cls(seed, base64.urlsafe_b64decode(then).decode()) if seed else None
        except ValueError:
            return None

    @property
    def cookie(self) -> str:
        """What the browser keeps meanwhile."""
        return f"{self.seed}.{base64.urlsafe_b64encode(self.then.encode()).decode()}"

    def derive(self, purpose: str) -> str:
        """The value for `state`, `nonce` or `verifier`: from none of them can another be found."""
        digest = hmac.digest(self.seed.encode(), purpose.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider at which danvan is registered as a client."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    def begin(self, flow: Flow, *, back_to: str) -> str:
        """The address at the provider to which the browser is sent.

        Raises:
            ProviderError: the provider cannot be reached, or says nonsense.
        """
        with self._client(back_to) as client:
            address, _ = client.create_authorization_url(
                self._discover(client)["authorization_endpoint"],
                state=flow.derive("state"),
                nonce=flow.derive("nonce"),
                code_verifier=flow.derive("verifier"),
            )
        return str(address)

    def finish(self, flow: Flow, *, back_to: str, answer: Mapping[str, str]) -> str:
        """Whom the provider vouches for: the `sub` of its id token.

        Args:
            flow: from the cookie of the browser that came back.
            back_to: the address to which it came back.
            answer: the parameters that it brought.

        Raises:
            SignInRefused: the answer belongs to another flow, or vouches for nobody.
            ProviderError: the provider cannot be reached, or says nonsense.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.derive("state").encode()):
            raise SignInRefused("the answer belongs to another attempt to sign in; start again")
        if answer.get("iss", self.issuer) != self.issuer or not answer.get("code"):
            raise SignInRefused("the identity provider did not let the person in")
        with self._client(back_to) as client:
            known = self._discover(client)
            with _asking():
                token = client.fetch_token(
                    known["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer["code"],
                    code_verifier=flow.derive("verifier"),
                )
            keys = _fetch_json(client, known["jwks_uri"])
        return self._verify(token, keys, nonce=flow.derive("nonce"))

    def _client(self, back_to: str) -> "OAuth2Client":
        from authlib.integrations.httpx_client import OAuth2Client  # only where it is used

        return OAuth2Client(
            self.client_id,
            self.client_secret,
            scope="openid",
            redirect_uri=back_to,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )

    def _discover(self, client: "OAuth2Client") -> Mapping[str, str]:
        """What the provider says about itself, if it is the one that was named."""
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        known = _fetch_json(client, address)
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        is_safe = all(
            urlsplit(str(known.get(name))).scheme in {"https", urlsplit(self.issuer).scheme}
            for name in wanted
        )
        if known.get("issuer") != self.issuer or not is_safe:
            raise ProviderError("the identity provider describes itself as another one")
        return {name: str(known[name]) for name in wanted}

    def _verify(self, token: Mapping[str, Any], keys: Mapping[str, Any], *, nonce: str) -> str:
        """The `sub` of a token that is whole, in time and made for us. `Any`: JSON of elsewhere."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        options = {"iss": {"value": self.issuer}, "aud": {"value": self.client_id}}
        asked = {"nonce": nonce, "client_id": self.client_id, **_access_token(token)}
        try:
            key_set = KeySet.import_key_set({"keys": keys["keys"]})
            rules = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
            decoded = jwt.decode(token["id_token"], key_set, registry=rules)
            claims = CodeIDToken(decoded.claims, decoded.header, options, asked)
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise SignInRefused("the identity provider's token is not valid") from error
        return str(claims["sub"])


def _access_token(token: Mapping[str, Any]) -> dict[str, str]:
    return {"access_token": token["access_token"]} if "access_token" in token else {}


def _fetch_json(client: "OAuth2Client", address: str) -> dict[str, Any]:
    """What stands at an address. `Any`: JSON of elsewhere."""
    with _asking():
        answer = client.request("GET", address, withhold_token=True).raise_for_status().json()
    if not isinstance(answer, dict):
        raise ProviderError("the identity provider answered with something else than was asked")
    return answer


@contextmanager
def _asking() -> Iterator[None]:
    """Say in our terms what can go wrong on the way; what the provider says stays out."""
    from authlib.integrations.base_client import OAuthError
    from httpx2 import HTTPError

    try:
        yield
    except OAuthError as error:
        raise SignInRefused("the identity provider did not let the person in") from error
    except (HTTPError, ValueError) as error:
        raise ProviderError("the identity provider cannot be reached; try again shortly") from error
