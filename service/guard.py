"""What holds for every request: limits of size and time, no posts from elsewhere, safe headers, no traceback.

Source: OWASP Secure Headers Project; Fetch Metadata Request Headers (W3C working draft).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.errors import InputError
from service.access import MAX_BODY_BYTES, SAFE_METHODS
from service.logs import place_of

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CSP,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_STRICT_TRANSPORT = "max-age=31536000"
_OWN_SITES = {"same-origin", "none"}  # `none`: the person typed the address or took a bookmark
_CHUNK_TIMEOUT_S = 15.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request may be: how large, how slow, and from the pages of which other sites."""

    max_body_bytes: int
    timeout_s: float = 60.0
    chunk_timeout_s: float = _CHUNK_TIMEOUT_S
    origins: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Exchange:
    """One request on its way: how much came in and until when, whether an answer has begun.

    `state` is that of the request, in which what is inside may lower the limit. `Any`: Starlette's type.
    """

    receive: Receive
    send: Send
    bounds: Bounds
    headers: Mapping[str, str]
    cache: str
    due: float
    n_announced: int
    state: Mapping[str, Any]
    n_bytes: int = field(default=0)
    is_whole: bool = field(default=False)
    answered: bool = field(default=False)

    async def read(self) -> Message:
        if self.is_whole:
            return await self.receive()  # waits for the client to go away, for as long as it takes
        self._check_size(self.n_announced)
        message = await self._wait()
        self.is_whole = not message.get("more_body", False)
        self.n_bytes += len(message.get("body", b""))
        self._check_size(self.n_bytes)
        return message

    def _check_size(self, n_bytes: int) -> None:
        limit: int = self.state.get(MAX_BODY_BYTES, self.bounds.max_body_bytes)
        if n_bytes > limit:
            # FastAPI lets its own exception through where it hides every other
            raise HTTPException(413, f"the request is larger than {limit} bytes")

    async def _wait(self) -> Message:
        left_s = self.due - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(left_s, self.bounds.chunk_timeout_s)):
                return await self.receive()
        except TimeoutError as error:
            raise HTTPException(
                408, "the request came in too slowly; send it again", {"connection": "close"}
            ) from error

    async def write(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answered = True
            headers = MutableHeaders(scope=message)
            headers.update(self.headers)
            headers.setdefault("cache-control", self.cache)
        await self.send(message)


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware; `answer` makes the response to an error."""

    app: ASGIApp
    bounds: Bounds
    answer: Callable[[Request, Exception], Response]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer in its place."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = self._begin(scope, receive, send=send)
        try:
            self._check(scope)
            await self.app(scope, exchange.read, exchange.write)
        except Exception as error:
            _log_failure(error)
            if exchange.answered:
                raise
            await self.answer(Request(scope), error)(scope, receive, exchange.write)

    def _begin(self, scope: Scope, receive: Receive, *, send: Send) -> _Exchange:
        # pages and answers hold documents: only the program's own files may be kept by a cache
        cache = "public, max-age=3600" if scope["path"].startswith("/static/") else "no-store"
        headers = _HEADERS
        if scope["scheme"] == "https":
            headers = {**headers, "strict-transport-security": _STRICT_TRANSPORT}
        announced = Headers(scope=scope).get("content-length", "0")
        n_announced = int(announced[:18]) if announced.isdecimal() else 0
        due = asyncio.get_running_loop().time() + self.bounds.timeout_s
        state = scope.setdefault("state", {})
        return _Exchange(receive, send, self.bounds, headers, cache, due, n_announced, state)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS and self._comes_from_elsewhere(headers):
            raise HTTPException(403, "requests that change something must come from this site")

    def _comes_from_elsewhere(self, headers: Headers) -> bool:
        """Whether a page of another site made a browser send this; old browsers say it by Origin alone."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin in self.bounds.origins:
            return False
        if site is not None:
            return site not in _OWN_SITES
        return origin is not None and origin.partition("://")[2] != headers.get("host")


def _log_failure(error: Exception) -> None:
    """Log where it failed; the message may quote a document and stays out, and so may the path."""
    if isinstance(error, HTTPException | InputError):
        return
    _log.error("request_failed", error=type(error).__name__, where=place_of(error))
