"""How pages are put together: templates, what they may use, and errors said in Vietnamese."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from service.access import caller_of
from service.actions import Desk
from service.auth import ANYONE, Caller, Scope
from service.faults import Fault
from service.formats import show_day, show_moment, show_number, show_percent
from service.messages import say, words_of
from service.settings import Settings
from service.ui.view import category_name

_HERE = Path(__file__).parent
_INTAKE = ("/documents", "/opinions")  # whose forms are shown again when they failed


@dataclass(frozen=True, slots=True)
class Screen:
    """An entry of the menu: the name of its message, its address, and who sees it."""

    name: str
    path: str
    scope: Scope


SCREENS = (
    Screen("overview", "/", "read"),
    Screen("upload", "/upload", "intake"),
    Screen("documents", "/documents", "read"),
    Screen("opinions", "/opinions", "read"),
    Screen("review", "/review", "review"),
    Screen("reclassifications", "/reclassifications", "analyse"),
    Screen("reports", "/reports", "read"),
    Screen("admin", "/admin", "read"),
)


def _know_caller(request: Request) -> dict[str, Any]:
    """What every template may use. `Any`: Starlette's own type."""
    caller = caller_of(request)
    return {
        "caller": caller,
        "menu": _menu(request.url.path, caller) if caller else (),
        "told": words_of("told").get(request.query_params.get("told", "")),
    }


def _menu(path: str, caller: Caller) -> list[tuple[Screen, bool]]:
    """What the caller may open, each with whether the page belongs to it."""
    return [
        (screen, path == screen.path or (screen.path != "/" and path.startswith(f"{screen.path}/")))
        for screen in SCREENS
        if screen.scope in caller.scopes
    ]


templates = Jinja2Templates(_HERE / "templates", context_processors=[_know_caller])
templates.env.filters |= {
    "moment": show_moment,
    "date": show_day,
    "number": show_number,
    "percent": show_percent,
    "person": lambda name: say("page.anyone") if name == ANYONE.name else name,
}
templates.env.globals |= {"say": say, "words_of": words_of, "category_name": category_name}


def desk_of(request: Request) -> Desk:
    """The desk of the application that serves."""
    desk: Desk = request.app.state.desk
    return desk


def settings_of(request: Request) -> Settings:
    """The settings of the application that serves."""
    settings: Settings = request.app.state.settings
    return settings


def static_files() -> StaticFiles:
    """The style sheets, the scripts and what is vendored."""
    return StaticFiles(directory=_HERE / "static")


def error_page(request: Request, fault: Fault) -> Response:
    """An error in words of the reader, with the way back."""
    limits = request.app.state.desk.limits
    name = fault.name if fault.name in words_of("faults") else "other"
    told = say(
        f"fault_help.{name}",
        n_mb=limits.max_upload_bytes // 1_048_576,
        n_chars=limits.max_document_chars,
        n_seconds=fault.headers.get("retry-after", "60"),
    )
    context = {
        "fault": fault,
        "title": say(f"faults.{name}"),
        "help": told,
        "limits": limits,
        "again": request.method == "POST" and request.url.path in _INTAKE and fault.status < 500,
    }
    return templates.TemplateResponse(
        request, "error.html", context, status_code=fault.status, headers=dict(fault.headers)
    )
