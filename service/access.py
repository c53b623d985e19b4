"""What a route asks of its caller: `dependencies=[needs("read")]`. One that asks nothing fails the tests.

`service/door.py` finds out who calls, before a body is read; here it is judged whether they may.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, Request, params
from fastapi.security import HTTPBearer
from starlette.routing import BaseRoute

from service.actions import Desk
from service.auth import Caller, MissingScope, Scope, StaleForm, Unauthenticated
from service.journal import Journal
from service.rates import Rates

UPLOAD_COST = 10  # a file may take seconds to read
MAX_BODY_BYTES = "max_body_bytes"  # in the state of a request, a lower limit than that of all
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = HTTPBearer(
    scheme_name="key", description="a key as `danvan keys create` prints it", auto_error=False
)


@dataclass(frozen=True, slots=True)
class Public:
    """Open to everybody. `cost` is what a request counts for; 0 counts towards no limit."""

    cost: int = 1

    async def __call__(self, request: Request) -> None:
        """Nothing is asked.

        Raises:
            TooManyRequests: the caller has asked too often.
        """
        _count(request, cost=self.cost)


@dataclass(frozen=True, slots=True)
class Need:
    """Open to callers with a scope; without one, to every caller that is known.

    `local` lets programs on this machine in, whoever they are. `cost` is what a request counts for.
    """

    scope: Scope | None = None
    cost: int = 1
    local: bool = False

    async def __call__(self, request: Request, _shown: Annotated[object, Depends(_BEARER)]) -> None:
        """Refuse whoever may not.

        Raises:
            Unauthenticated, MissingScope: the caller is not known, or may not do this.
            StaleForm: a form does not bear the token of its session.
            TooManyRequests: the caller has asked too often.
        """
        caller = caller_of(request)
        if caller is None:
            if self.local and request.state.is_local:
                return
            raise Unauthenticated
        if self.scope is not None and self.scope not in caller.scopes:
            raise MissingScope(f"this needs the scope {self.scope}, which the caller does not have")
        if caller.csrf is not None and request.method not in SAFE_METHODS:
            await _check_form(request, token=caller.csrf)
        _count(request, cost=self.cost)


PUBLIC = Depends(Public())
FREE = Depends(Public(cost=0))


def needs(scope: Scope | None = None, *, cost: int = 1, local: bool = False) -> params.Depends:
    """A dependency that lets in callers with this scope; without one, every caller that is known.

    Args:
        scope: what the caller must be allowed.
        cost: how many requests this one counts for.
        local: whether programs on this machine need no key.
    """
    depends: params.Depends = Depends(Need(scope, cost, local))
    return depends


def demand_of(route: BaseRoute) -> Need | Public | None:
    """What a route asks of its caller; None when it does not say."""
    for depends in getattr(route, "dependencies", ()):
        if isinstance(depends.dependency, Need | Public):
            demand: Need | Public = depends.dependency
            return demand
    return None


def lenient_paths(routes: Iterable[BaseRoute]) -> Mapping[str, Need | Public]:
    """The paths that a request may reach without a caller; all are plain paths without parameters."""
    demands = ((getattr(route, "path", ""), demand_of(route)) for route in routes)
    return {
        path: demand
        for path, demand in demands
        if isinstance(demand, Public) or (demand is not None and demand.local)
    }


def caller_of(request: Request) -> Caller | None:
    """Who calls; None when nobody could be made out."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller


async def _get_caller(request: Request) -> Caller:
    caller = caller_of(request)
    if caller is None:
        raise Unauthenticated
    return caller


TheCaller = Annotated[Caller, Depends(_get_caller)]


def notes(action: str, *, subject: str = "item_id") -> params.Depends:
    """A dependency that writes into the access log that the thing named in the path was given out."""

    async def note(request: Request, caller: TheCaller) -> AsyncIterator[None]:
        yield  # an error of the route comes up here: nothing was given out then
        desk: Desk = request.app.state.desk
        journal: Journal = request.app.state.journal
        journal.note(caller, action=action, subject=request.path_params[subject], now=desk.now())

    depends: params.Depends = Depends(note)
    return depends


def _count(request: Request, *, cost: int) -> None:
    """Count what a request costs beyond the one that the door has counted."""
    if cost > 1:
        rates: Rates = request.app.state.rates
        rates.count(request.state.counted_as, cost=cost - 1)


async def _check_form(request: Request, *, token: str) -> None:
    given = request.headers.get("x-csrf-token")
    if given is None:
        field = (await request.form(max_files=0)).get("csrf")
        given = field if isinstance(field, str) else ""
    if not compare_digest(given.encode(), token.encode()):
        raise StaleForm("the form is out of date; load the page again and send it once more")
