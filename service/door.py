"""The door: finds out who calls and how often, before anything of a request but its head is read.

Whether the caller may do what it asks is judged at the route (`service/access.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from service import auth
from service.access import MAX_BODY_BYTES, Need, Public
from service.actions import Desk
from service.auth import ANYONE, Caller, Unauthenticated
from service.rates import Rates, address_key
from service.settings import Mode

_STRANGER_BYTES = 16 * 1024  # a name and a password are all that somebody unknown may send
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
# what reverse proxies put in; nginx puts in nothing by default but speaks HTTP/1.0
_OF_PROXIES = ("forwarded", "x-forwarded-", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class Door:
    """ASGI middleware: puts the caller into the state of the request, or turns it away.

    `lenient` are the paths that may be reached without a caller; so is everything under `/static/`.
    """

    app: ASGIApp
    mode: Mode
    rates: Rates
    lenient: Mapping[str, Need | Public]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it.

        Raises:
            Unauthenticated: nobody could be made out, and the path is not public.
            TooManyRequests: the caller has asked too often.
        """
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            demand = self.lenient.get(scope["path"])
            if demand is None or demand.cost > 0:
                await self._admit(HTTPConnection(scope), demand)
        await self.app(scope, receive, send)

    async def _admit(self, request: HTTPConnection, demand: Need | Public | None) -> None:
        is_local = comes_from_here(request)
        request.state.is_local = is_local
        caller = request.state.caller = await self._find(request, demand, is_local=is_local)
        # who need not say their name is counted by address
        key = caller.name if caller and caller != ANYONE else address_of(request)
        request.state.counted_as = key
        self.rates.count(key)
        if caller is None:
            if demand is None:
                raise Unauthenticated
            request.scope["state"][MAX_BODY_BYTES] = _STRANGER_BYTES

    async def _find(
        self, request: HTTPConnection, demand: Need | Public | None, *, is_local: bool
    ) -> Caller | None:
        if self.mode == "open":
            return ANYONE
        if is_local and isinstance(demand, Need):
            return None  # let in whoever it is: that must work without a database
        return await run_in_threadpool(_identify, request, mode=self.mode, is_local=is_local)


def address_of(request: HTTPConnection) -> str:
    """The address that a request comes from, as a key to count by."""
    return address_key(request.client.host if request.client else None)


def comes_from_here(request: HTTPConnection) -> bool:
    """Whether a program of this machine asked by itself, and neither a proxy nor a rebound name.

    The Host must be a loopback name: a page of elsewhere whose name was made to point at 127.0.0.1 sends
    its own. HTTP/1.0 is what nginx forwards with unless told otherwise; no browser speaks it.
    """
    hosts = request.headers.getlist("host")
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and len(hosts) == 1
        and _host_name(hosts[0]) in _LOOPBACK_NAMES
        and request.scope["http_version"] != "1.0"
        and not any(name.startswith(_OF_PROXIES) for name in request.headers)
    )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def cookie_name(scheme: str) -> str:
    """The session's cookie. The prefix keeps a neighbouring site from setting it; it needs https."""
    return "__Host-danvan" if scheme == "https" else "danvan"


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _identify(request: HTTPConnection, *, mode: Mode, is_local: bool) -> Caller | None:
    desk: Desk = request.app.state.desk
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return auth.caller_of_key(desk.engine, key.strip(), now=desk.now())
    cookie = request.cookies.get(cookie_name(request.url.scheme))
    if cookie is not None:
        caller = auth.caller_of_session(desk.engine, cookie, now=desk.now())
        if caller is not None:
            return caller
    if mode == "auto" and is_local and not auth.is_claimed(desk.engine):
        return ANYONE
    return None
