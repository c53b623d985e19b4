"""The pages: what came in lately, one item, and errors said in Vietnamese."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from service.actions import Desk, KindAsked, Upload, open_item, store_document, store_pasted
from service.faults import Fault
from service.schemas import Cursor
from service.store.views import Query as StoreQuery
from service.store.views import list_items
from service.ui.view import category_name, cut_passages, facet_views, find_lit

_HERE = Path(__file__).parent
_PAGE_ITEMS = 10
_VIETNAM = timezone(timedelta(hours=7))  # no daylight saving; spares a time zone database

router = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(_HERE / "templates")


def _show_moment(moment: datetime) -> str:
    return moment.astimezone(_VIETNAM).strftime("%H:%M, %d/%m/%Y")


def _show_date(value: str) -> str:
    """Day/month/year; a date that is not whole is shown as it is."""
    try:
        return date.fromisoformat(value).strftime("%d/%m/%Y")
    except ValueError:
        return value


_templates.env.filters |= {"moment": _show_moment, "date": _show_date}
_templates.env.globals |= {"category_name": category_name}


def static_files() -> StaticFiles:
    """The style sheet, the scripts and what is vendored."""
    return StaticFiles(directory=_HERE / "static")


def error_page(request: Request, fault: Fault) -> Response:
    """An error in words of the reader, with the forms to try again."""
    return _templates.TemplateResponse(
        request,
        "error.html",
        {"fault": fault, "limits": _desk(request).limits},
        status_code=fault.status,
        headers=dict(fault.headers),
    )


@router.get("/")
def show_home(request: Request, cursor: Annotated[Cursor, Query()] = None) -> Response:
    """The forms, and what was handed in lately."""
    desk = _desk(request)
    query = StoreQuery(source="web_upload", cursor=cursor, limit=_PAGE_ITEMS)
    context = {
        "page": list_items(desk.engine, query),
        "taxonomy": desk.pipeline.taxonomy,
        "limits": desk.limits,
        "is_first_page": cursor is None,
    }
    return _templates.TemplateResponse(request, "home.html", context)


@router.post("/documents")
def take_document(
    request: Request,
    file: Annotated[UploadFile, File()],
    kind: Annotated[KindAsked, Form()] = "auto",
) -> Response:
    """Keep a file and show it."""
    upload = Upload(file.file.read(), file.filename or "", kind)
    stored, _ = store_document(_desk(request), upload)
    return RedirectResponse(f"/documents/{stored.id}", status_code=303)


@router.post("/opinions")
def take_opinion(request: Request, text: Annotated[str, Form()]) -> Response:
    """Keep a pasted opinion and show it."""
    stored = store_pasted(_desk(request), text)
    return RedirectResponse(f"/documents/{stored.id}", status_code=303)


@router.get("/documents/{item_id}")
def show_item(request: Request, item_id: str, show: str = "") -> Response:
    """One item; `show` says which words are lit."""
    desk = _desk(request)
    stored = open_item(desk, item_id)
    context = {
        "item": stored,
        "analysis": stored.analysis,
        "facets": facet_views(stored.analysis, desk.pipeline.taxonomy),
        "passages": cut_passages(stored, find_lit(stored.analysis, show)),
        "show": show,
        "taxonomy": desk.pipeline.taxonomy,
    }
    return _templates.TemplateResponse(request, "item.html", context)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk
