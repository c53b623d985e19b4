"""Signing in and out: by name and password, or at the identity provider where there is one."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service import auth
from service.access import PUBLIC, Public, TheCaller, caller_of, needs
from service.actions import Desk
from service.auth import SignedIn
from service.door import address_of, cookie_name
from service.faults import Fault
from service.oidc import Flow, Provider, SignInRefused
from service.rates import Rates
from service.ui.rendering import templates

router = APIRouter(include_in_schema=False)
# a path of this site: browsers take `//x`, `/\x` and a tab between the slashes for another one
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")
_FLOW_SECONDS = 600
_DEAR = Depends(Public(cost=10))  # each asks the identity provider, which may be slow


@dataclass(frozen=True, slots=True)
class Reception:
    """How people sign in here. Only so many passwords are checked at a time: each takes 64 MiB."""

    life: timedelta
    provider: Provider | None = None
    checking: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 2))


def sign_in_first(request: Request, fault: Fault) -> Response:
    """Send a person to the sign-in page, and htmx with them; what they wanted comes after it.

    What they sent is lost: that is told, and the page with the form comes after it.
    """
    wanted, told = request.url.path + (f"?{request.url.query}" if request.url.query else ""), ""
    if request.url.path == "/sign-out":
        wanted = "/"
    elif request.method != "GET":
        wanted, told = _page_of_form(request), "&told=unsaved"
    address = f"/sign-in?next={quote(wanted, safe='/')}{told}"
    if "hx-request" in request.headers:
        # htmx would put the sign-in page into the middle of this one
        return Response(status_code=fault.status, headers={**fault.headers, "hx-redirect": address})
    return RedirectResponse(address, status_code=303)


@router.get("/sign-in", dependencies=[PUBLIC])
def show_sign_in(request: Request, next: str = "/") -> Response:
    """The form; whoever is signed in goes on at once.

    A browser that comes by a link of another site does not show its cookie: it is made to come again.
    """
    if caller_of(request) is not None:
        return RedirectResponse(_local(next), status_code=303)
    again = request.headers.get("sec-fetch-site") == "cross-site"
    return _form(request, then=_local(next), again=again)


@router.post("/sign-in", dependencies=[PUBLIC])
async def take_sign_in(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Begin a session."""
    desk, reception, rates = _parts(request)
    forgive = rates.attempt([address_of(request), f"name:{auth.to_staff_name(name)}"])
    begin = partial(
        auth.sign_in,
        desk.engine,
        name,
        password=password,
        now=desk.now(),
        life=reception.life,
        before=request.cookies.get(cookie_name(request.url.scheme)),
    )
    signed_in = await run_sync(begin, limiter=reception.checking)
    if signed_in is None:
        return _form(request, then=_local(next), name=name, status=401)
    forgive()
    return _welcome(request, signed_in, then=_local(next))


@router.post("/sign-out", dependencies=[needs()])
def take_sign_out(request: Request, caller: TheCaller) -> Response:
    """End the session."""
    cookie = cookie_name(request.url.scheme)
    if caller.csrf is not None:
        auth.sign_out(_parts(request)[0].engine, request.cookies[cookie])
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(cookie, secure=request.url.scheme == "https", httponly=True)
    return answer


@router.get("/sign-in/provider", dependencies=[_DEAR])
def go_to_provider(request: Request, next: str = "/") -> Response:
    """Send the browser to the identity provider."""
    provider, flow = _provider(request), Flow.begin(_local(next))
    answer = RedirectResponse(provider.begin(flow, back_to=_back_to(request)), status_code=303)
    _keep(request, answer, name=_flow_cookie(request), value=flow.cookie, seconds=_FLOW_SECONDS)
    return answer


@router.get("/sign-in/back", dependencies=[_DEAR])
def come_back(request: Request) -> Response:
    """Begin a session for whom the identity provider vouches for."""
    provider, (desk, reception, _) = _provider(request), _parts(request)
    flow = Flow.of_cookie(request.cookies.get(_flow_cookie(request), ""))
    if flow is None:
        raise SignInRefused("the attempt to sign in took too long; start again")
    subject = provider.finish(flow, back_to=_back_to(request), answer=dict(request.query_params))
    signed_in = auth.sign_in_subject(
        desk.engine,
        subject,
        now=desk.now(),
        life=reception.life,
        before=request.cookies.get(cookie_name(request.url.scheme)),
    )
    if signed_in is None:
        answer = _form(request, then=_local(flow.then), subject=subject, status=403)
    else:
        answer = _welcome(request, signed_in, then=_local(flow.then))
    answer.delete_cookie(_flow_cookie(request), secure=request.url.scheme == "https", httponly=True)
    return answer


def _form(
    request: Request,
    *,
    then: str,
    name: str = "",
    subject: str | None = None,
    again: bool = False,
    status: int = 200,
) -> Response:
    context = {
        "then": then,
        "name": name,
        "subject": subject,
        "again": again,
        "refused": status == 401,
        "has_provider": _parts(request)[1].provider is not None,
    }
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return templates.TemplateResponse(
        request, "sign_in.html", context, status_code=status, headers=headers
    )


def _welcome(request: Request, signed_in: SignedIn, *, then: str) -> Response:
    session = signed_in.session
    answer = RedirectResponse(then, status_code=303)
    life = session.expires_at - session.created_at
    cookie = cookie_name(request.url.scheme)
    _keep(request, answer, name=cookie, value=signed_in.cookie, seconds=int(life.total_seconds()))
    return answer


def _keep(request: Request, answer: Response, *, name: str, value: str, seconds: int) -> None:
    """Set a cookie. `strict` would not be shown on the way back from an identity provider."""
    has_provider = _parts(request)[1].provider is not None
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax" if has_provider else "strict",
    )


def _flow_cookie(request: Request) -> str:
    return f"{cookie_name(request.url.scheme)}-flow"


def _back_to(request: Request) -> str:
    return str(request.url_for("come_back"))


def _provider(request: Request) -> Provider:
    provider = _parts(request)[1].provider
    if provider is None:
        raise SignInRefused("no identity provider is set; sign in with name and password")
    return provider


def _page_of_form(request: Request) -> str:
    """The page of ours that a form was sent from, as the browser says; the first page where it does not."""
    try:
        page = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if page.netloc != request.url.netloc or page.path.startswith("/sign-in"):
        return "/"
    asked = urlencode([pair for pair in parse_qsl(page.query) if pair[0] != "told"])
    return _local(page.path + (f"?{asked}" if asked else ""))


def _local(path: str) -> str:
    return path if _LOCAL_PATH.fullmatch(path) else "/"


def _parts(request: Request) -> tuple[Desk, Reception, Rates]:
    state = request.app.state
    return state.desk, state.reception, state.rates
