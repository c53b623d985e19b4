"""One line in the log for each request, under an id that its answer bears too.

Neither the query string nor the body, nor a name or text in the path, is ever written: the route is told
by its template.
"""

import re
import secrets
from dataclasses import dataclass, field
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import Meters, route_of

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROBES = {"/healthz", "/readyz", "/metrics"}  # asked every few seconds
_log = structlog.get_logger()


@dataclass(slots=True)
class _Answer:
    """What goes out for one request."""

    send: Send
    request_id: str
    status: int | None = field(default=None)
    n_bytes: int = field(default=0)

    async def write(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self.request_id
        self.n_bytes += len(message.get("body", b""))
        await self.send(message)


@dataclass(frozen=True, slots=True)
class RequestLog:
    """ASGI middleware, the outermost: what it does not see did not happen."""

    app: ASGIApp
    meters: Meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and say how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, _request_id(scope))
        started = perf_counter()
        with (
            structlog.contextvars.bound_contextvars(request_id=answer.request_id),
            self.meters.in_flight.track_inprogress(),
        ):
            try:
                await self.app(scope, receive, answer.write)
            finally:
                _say(scope, answer, ms=(perf_counter() - started) * 1000)


def _request_id(scope: Scope) -> str:
    """The client's own id where it is a plain token, else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _say(scope: Scope, answer: _Answer, *, ms: float) -> None:
    """Write the line; `status` is absent where the connection ended without an answer."""
    method, route = route_of(scope)
    caller = scope.get("state", {}).get("caller")
    fields = {
        "method": method,
        "route": route,
        "status": answer.status,
        "ms": round(ms, 1),
        "bytes": answer.n_bytes,
        "caller": getattr(caller, "name", None),
    }
    is_routine = route in _PROBES and answer.status == 200
    say = _log.debug if is_routine else _log.info
    say("request", **{name: value for name, value in fields.items() if value is not None})
