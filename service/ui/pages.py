"""The pages: what came in lately, and one item."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.access import UPLOAD_COST, TheCaller, needs, notes
from service.actions import Desk, KindAsked, Upload, open_item
from service.opinions import store_pasted
from service.schemas import Cursor
from service.store.jobs import list_faults, read_job
from service.store.query import Query as StoreQuery
from service.store.views import list_items
from service.ui.rendering import templates
from service.ui.view import cut_passages, facet_views, find_lit
from service.uploading import take_upload

_PAGE_ITEMS = 10
_PAGE_FAULTS = 100

router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[needs("read")])
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
    return templates.TemplateResponse(request, "home.html", context)


@router.post("/documents", dependencies=[needs("intake", cost=UPLOAD_COST)])
def take_document(
    request: Request,
    file: Annotated[UploadFile, File()],
    kind: Annotated[KindAsked, Form()] = "auto",
    *,
    caller: TheCaller,
) -> Response:
    """Keep a file and show it."""
    upload = Upload(file.file.read(), file.filename or "", kind)
    taken = take_upload(_desk(request), upload, asked_by=caller.name)
    page = f"/documents/{taken.item.id}" if taken.item else f"/jobs/{taken.job_id}"
    return RedirectResponse(page, status_code=303)


@router.get("/jobs/{job_id}", dependencies=[needs("read")])
def show_job(request: Request, job_id: str) -> Response:
    """How far a file is that a worker reads; its items once they are there."""
    engine = _desk(request).engine
    job = read_job(engine, job_id)
    context = {"job": job, "faults": list_faults(engine, job_id, limit=_PAGE_FAULTS)}
    return templates.TemplateResponse(request, "job.html", context)


@router.post("/opinions", dependencies=[needs("intake")])
def take_opinion(request: Request, text: Annotated[str, Form()]) -> Response:
    """Keep a pasted opinion and show it."""
    stored = store_pasted(_desk(request), text)
    return RedirectResponse(f"/documents/{stored.id}", status_code=303)


@router.get("/documents/{item_id}", dependencies=[needs("read"), notes("item.opened")])
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
    return templates.TemplateResponse(request, "item.html", context)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk
