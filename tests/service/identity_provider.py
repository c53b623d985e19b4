"""A tiny real identity provider on this machine: discovery, authorization, token and keys over HTTP."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "danvan", "provider-secret"
Claims = dict[str, Any]  # JSON


@cache
def rsa_key(name: str, *, kid: str = "") -> RSAKey:
    """One key under this name in every test: making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid or name})


@dataclass
class IdentityProvider:
    """Signs in whoever `subject` is. The `change_*` functions make it lie."""

    issuer: str = ""
    subject: str = "8f3a"
    key: RSAKey = field(default_factory=lambda: rsa_key("k-1"))
    signing_key: RSAKey | None = None
    algorithm: str = "RS256"
    change_claims: Callable[[Claims], Claims] = lambda claims: claims
    change_metadata: Callable[[Claims], Claims] = lambda metadata: metadata
    status: int = 200
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def metadata(self) -> Claims:
        return self.change_metadata(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
            }
        )

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        self.asked.append(query)
        code = f"code-{len(self.asked)}"
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], *, authorization: str) -> Claims | None:
        """The tokens for a code; None when something about the request is wrong."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = sha256(form.get("code_verifier", "").encode()).digest()
        expected = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if (
            asked is None
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != expected
            or asked["redirect_uri"] != form.get("redirect_uri")
            or authorization != f"Basic {basic}"
        ):
            return None
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self.id_token(asked["nonce"]),
        }

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
        }
        signing = self.signing_key or self.key
        header = {"alg": self.algorithm, "kid": self.key.kid or ""}
        return jwt.encode(
            header, self.change_claims(claims), signing, algorithms=["RS256", "HS256", "none"]
        )


@contextmanager
def serving(provider: IdentityProvider) -> Iterator[IdentityProvider]:
    """Serve it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            if address.path == "/authorize":
                self.send_response(302)
                self.send_header("location", provider.authorize(query))
                self.end_headers()
            elif address.path == "/keys":
                self.say(KeySet([provider.key]).as_dict(private=False))
            else:
                self.say(provider.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            token = provider.token(form, authorization=self.headers.get("authorization", ""))
            self.say(token or {"error": "invalid_grant"}, status=200 if token else 400)

        def say(self, body: object, *, status: int = 200) -> None:
            self.send_response(provider.status if provider.status != 200 else status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()
