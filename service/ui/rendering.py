"""How pages are put together: templates, what they may use, and errors said in Vietnamese."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from service.access import caller_of
from service.faults import Fault
from service.store.days import VIETNAM
from service.ui.view import category_name

_HERE = Path(__file__).parent


def _show_moment(moment: datetime) -> str:
    return moment.astimezone(VIETNAM).strftime("%H:%M, %d/%m/%Y")


def _show_date(value: str) -> str:
    """Day/month/year; a date that is not whole is shown as it is."""
    try:
        return date.fromisoformat(value).strftime("%d/%m/%Y")
    except ValueError:
        return value


def _know_caller(request: Request) -> dict[str, Any]:
    """What every template may use. `Any`: Starlette's own type."""
    return {"caller": caller_of(request)}


templates = Jinja2Templates(_HERE / "templates", context_processors=[_know_caller])
templates.env.filters |= {"moment": _show_moment, "date": _show_date}
templates.env.globals |= {"category_name": category_name}


def static_files() -> StaticFiles:
    """The style sheet, the scripts and what is vendored."""
    return StaticFiles(directory=_HERE / "static")


def error_page(request: Request, fault: Fault) -> Response:
    """An error in words of the reader, with the forms to try again."""
    return templates.TemplateResponse(
        request,
        "error.html",
        {"fault": fault, "limits": request.app.state.desk.limits},
        status_code=fault.status,
        headers=dict(fault.headers),
    )
