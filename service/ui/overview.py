"""Tổng quan: what came in, what people are unhappy about, what waits."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs
from service.store.query import Query as StoreQuery
from service.store.views import list_items
from service.ui.rendering import desk_of, templates

_PAGE_ITEMS = 10

router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[needs("read")])
def show_overview(request: Request) -> Response:
    """What came in lately."""
    desk = desk_of(request)
    page = list_items(desk.engine, StoreQuery(limit=_PAGE_ITEMS))
    context = {"page": page, "taxonomy": desk.pipeline.taxonomy}
    return templates.TemplateResponse(request, "overview.html", context)
