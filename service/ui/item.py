"""The page of one item, whichever door it came through."""

from starlette.requests import Request
from starlette.responses import Response

from service.actions import open_item
from service.ui.rendering import desk_of, templates
from service.ui.view import cut_passages, facet_views, find_lit


def item_page(request: Request, item_id: str, *, show: str) -> Response:
    """The text with its labels beside it; `show` says which words are lit.

    Raises:
        NotFound: no item has this id.
    """
    desk = desk_of(request)
    stored = open_item(desk, item_id)
    context = {
        "item": stored,
        "address": f"/{'opinions' if stored.intake == 'opinion' else 'documents'}/{stored.id}",
        "analysis": stored.analysis,
        "facets": facet_views(stored.analysis, desk.pipeline.taxonomy),
        "passages": cut_passages(stored, find_lit(stored.analysis, show)),
        "show": show,
        "taxonomy": desk.pipeline.taxonomy,
    }
    return templates.TemplateResponse(request, "item.html", context)
