"""Ý kiến: the list of opinions with its filters, and one of them sentence by sentence."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs, notes
from service.schemas import Cursor
from service.store.query import Query as StoreQuery
from service.store.views import list_items
from service.ui.item import item_page
from service.ui.rendering import desk_of, templates

_PAGE_ITEMS = 20

router = APIRouter(include_in_schema=False)


@router.get("/opinions", dependencies=[needs("read")])
def show_opinions(request: Request, cursor: Annotated[Cursor, Query()] = None) -> Response:
    """Opinions, newest first."""
    desk = desk_of(request)
    query = StoreQuery(intake="opinion", cursor=cursor, limit=_PAGE_ITEMS)
    context = {"page": list_items(desk.engine, query), "taxonomy": desk.pipeline.taxonomy}
    return templates.TemplateResponse(request, "opinions.html", context)


@router.get("/opinions/{item_id}", dependencies=[needs("read"), notes("item.opened")])
def show_opinion(request: Request, item_id: str, show: str = "") -> Response:
    """One opinion; `show` says which words are lit."""
    return item_page(request, item_id, show=show)
