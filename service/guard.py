"""What holds for every request: a size limit, no posts from other sites, safe headers, no traceback.

Source: OWASP Secure Headers Project; Fetch Metadata Request Headers (W3C working draft).
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog
from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_log = structlog.get_logger()


@dataclass(slots=True)
class _Exchange:
    """One request on its way: how much came in, whether an answer has begun."""

    receive: Receive
    send: Send
    max_body_bytes: int
    cache: str
    n_bytes: int = field(default=0)
    answered: bool = field(default=False)

    async def read(self) -> Message:
        message = await self.receive()
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self.max_body_bytes:
            # FastAPI lets its own exception through where it hides every other
            raise _too_large(self.max_body_bytes)
        return message

    async def write(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answered = True
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            headers.setdefault("cache-control", self.cache)
        await self.send(message)


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware; `answer` makes the response to an error."""

    app: ASGIApp
    max_body_bytes: int
    answer: Callable[[Request, Exception], Response]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer in its place."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # pages and answers hold documents: only the program's own files may be kept by a cache
        cache = "public, max-age=3600" if scope["path"].startswith("/static/") else "no-store"
        exchange = _Exchange(receive, send, self.max_body_bytes, cache)
        try:
            self._check(scope)
            await self.app(scope, exchange.read, exchange.write)
        except Exception as error:
            _log_failure(error, path=scope["path"])
            if exchange.answered:
                raise
            await self.answer(Request(scope), error)(scope, receive, exchange.write)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self.max_body_bytes:
            raise _too_large(self.max_body_bytes)
        if scope["method"] not in _SAFE_METHODS and _comes_from_elsewhere(headers):
            raise HTTPException(403, "requests that change something must come from this site")


def _comes_from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another site made a browser send this; old browsers say it by Origin alone."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "cross-site"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the request is larger than {limit} bytes")


def _log_failure(error: Exception, *, path: str) -> None:
    """Log where it failed; the message may quote a document and stays out."""
    if isinstance(error, HTTPException):
        return
    last = traceback.extract_tb(error.__traceback__)[-1]
    _log.error(
        "request_failed",
        path=path,
        error=type(error).__name__,
        where=f"{last.filename}:{last.lineno}",
    )
