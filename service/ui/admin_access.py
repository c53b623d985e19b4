"""Quản trị: who may use the service and what was done with it: keys, people, the access log."""

from typing import Annotated, get_args

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.errors import InputError, InvalidRecord
from service import auth
from service.access import TheCaller, needs
from service.auth import ANYONE, MIN_PASSWORD_CHARS, ROLES, LastAdmin, Role, WrongField, role_of
from service.journal import Journal
from service.messages import say
from service.store.access import LogQuery, list_entries
from service.store.errors import Conflict
from service.ui.rendering import desk_of, settings_of, templates

_PAGE_LINES = 50
_MAX_DAYS = 3650
_SETTLE_S = 2.0  # lines still on their way are waited for

router = APIRouter(include_in_schema=False)


@router.get("/admin/keys", dependencies=[needs("admin")])
def show_keys(request: Request) -> Response:
    """Every key there ever was, without what opens."""
    return _keys_page(request)


@router.post("/admin/keys", dependencies=[needs("admin")])
def take_key(
    request: Request,
    caller: TheCaller,
    label: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
    key_id: Annotated[str, Form()] = "",
) -> Response:
    """Make a key and show it, this once: no address leads to it. A form that is sent again makes none."""
    desk = desk_of(request)
    if _is_first(request):
        return _keys_page(request, status=409)
    try:
        made = auth.make_key(
            desk.engine,
            label.strip(),
            role=role_of(role),
            by=caller,
            now=desk.now(),
            days=_read_days(days.strip()),
            key_id=key_id or None,
        )
    except Conflict:
        return _keys_page(request, again=True, status=409)
    return _keys_page(request, new=made.key)


def _is_first(request: Request) -> bool:
    """Whether nobody could administer any more once the door is closed: an administrator comes first."""
    is_closed_some_day = settings_of(request).access != "open"
    return is_closed_some_day and not auth.has_admin(desk_of(request).engine)


def _read_days(typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isdecimal() and len(typed) <= 4 and 1 <= int(typed) <= _MAX_DAYS):
        raise InvalidRecord(f"a key lasts 1 to {_MAX_DAYS} days, or until it is revoked")
    return int(typed)


@router.post("/admin/keys/{key_id}/revoke", dependencies=[needs("admin")])
def revoke_key(request: Request, caller: TheCaller, key_id: str) -> Response:
    """End a key: from the next request on it opens nothing."""
    desk = desk_of(request)
    auth.revoke_key(desk.engine, key_id, by=caller, now=desk.now())
    return RedirectResponse("/admin/keys?told=ended", status_code=303)


def _keys_page(
    request: Request, *, new: str | None = None, again: bool = False, status: int = 200
) -> Response:
    desk = desk_of(request)
    keys = sorted(
        auth.list_keys(desk.engine), key=lambda key: (key.ended_at is not None, key.created_at)
    )
    context = {
        "keys": keys,
        "new": new,
        "again": again,
        "is_first": _is_first(request),
        "next_id": auth.new_key_id(),
        "roles": get_args(Role),
        "now": desk.now(),
    }
    return templates.TemplateResponse(request, "admin_keys.html", context, status_code=status)


@router.get("/admin/people", dependencies=[needs("admin")])
def show_people(request: Request) -> Response:
    """Who may sign in."""
    return _people_page(request)


@router.post("/admin/people", dependencies=[needs("admin")])
def take_person(
    request: Request,
    caller: TheCaller,
    name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    subject: Annotated[str, Form()] = "",
) -> Response:
    """Let somebody sign in; a name that cannot be is said beside the form, and what was typed stays."""
    desk, is_first = desk_of(request), _is_first(request)
    try:
        auth.add_staff(
            desk.engine,
            auth.to_staff_name(name),
            role="admin" if is_first else role_of(role),
            by=caller,
            now=desk.now(),
            password=password or None,
            # a code with a slip in it would let nobody in
            subject=None if is_first else subject.strip() or None,
        )
    except InputError as error:
        typed = {"name": name, "role": role, "subject": subject}
        return _people_page(request, typed=typed, wrong=_wrong_field(error), status=422)
    if is_first:
        return RedirectResponse("/sign-in?next=/admin/people&told=first_admin", status_code=303)
    return RedirectResponse("/admin/people?told=made", status_code=303)


def _wrong_field(error: InputError) -> str:
    if isinstance(error, Conflict):
        return "taken"
    return error.field if isinstance(error, WrongField) else "role"


@router.post("/admin/people/{name}/password", dependencies=[needs("admin")])
def take_password(
    request: Request, caller: TheCaller, name: str, password: Annotated[str, Form()] = ""
) -> Response:
    """Give somebody another password, and end their sessions."""
    desk = desk_of(request)
    try:
        auth.set_password(desk.engine, name, password=password, by=caller, now=desk.now())
    except WrongField:
        return _people_page(request, short_for=name, status=422)
    return RedirectResponse("/admin/people?told=made", status_code=303)


@router.post("/admin/people/{name}/end", dependencies=[needs("admin")])
def end_person(request: Request, caller: TheCaller, name: str) -> Response:
    """Let somebody sign in no more, and end their sessions at once."""
    desk = desk_of(request)
    try:
        auth.end_staff(desk.engine, name, by=caller, now=desk.now())
    except LastAdmin:
        return _people_page(request, last=name, status=409)
    return RedirectResponse("/admin/people?told=ended", status_code=303)


def _people_page(
    request: Request,
    *,
    typed: dict[str, str] | None = None,
    wrong: str = "",
    short_for: str = "",
    last: str = "",
    status: int = 200,
) -> Response:
    people = auth.list_staff(desk_of(request).engine)
    admins = [staff.name for staff in people if staff.role == "admin" and staff.ended_at is None]
    context = {
        "is_first": _is_first(request),
        "only_admin": admins[0] if len(admins) == 1 else "",
        "short_for": short_for,
        "last": last,
        "people": sorted(people, key=lambda staff: (staff.ended_at is not None, staff.name)),
        "roles": [role for role, scopes in ROLES.items() if "read" in scopes],
        "typed": typed or {},
        "wrong": wrong,
        "min_chars": MIN_PASSWORD_CHARS,
    }
    return templates.TemplateResponse(request, "admin_people.html", context, status_code=status)


@router.get("/admin/log", dependencies=[needs("admin")])
def show_log(
    request: Request,
    actor: Annotated[str, Query(max_length=80)] = "",
    subject: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The access log, newest first: who did what to which thing, never a text."""
    journal: Journal = request.app.state.journal
    journal.settle(_SETTLE_S)
    asked = LogQuery(_actors(actor.strip()), subject.strip() or None, cursor, _PAGE_LINES)
    with desk_of(request).engine.connect() as connection:
        page = list_entries(connection, asked)
    context = {"page": page, "actor": actor, "subject": subject}
    return templates.TemplateResponse(request, "admin_log.html", context)


def _actors(typed: str) -> tuple[str, ...]:
    """Whom somebody means who types a name as the log has it, or as people know it."""
    if not typed:
        return ()
    if typed.casefold() == say("page.anyone").casefold():
        return (ANYONE.name,)
    return (typed, f"staff:{auth.to_staff_name(typed)}", f"key:{typed}")
