"""What the two lists have in common: where a form leads, the page of items, and ordering it as a file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.auth import Caller
from service.item_table import Export
from service.jobs.export import order_export
from service.schemas import DocumentFilter, DocumentScope, OpinionFilter, OpinionScope, to_query
from service.store.agreed import read_agreed
from service.store.views import Page, list_items
from service.ui.filters import FORM, Asked
from service.ui.rendering import desk_of, templates

_PAGE_ITEMS = 20
FileFormat = Annotated[Literal["xlsx", "csv"], Form()]
_Asked = Asked[DocumentFilter] | Asked[OpinionFilter]


def read_page(request: Request, asked: _Asked) -> Page:
    """The items that are asked for; none where the filters cannot be read."""
    if asked.filter is None:
        return Page((), None)
    desk = desk_of(request)
    query = to_query(asked.filter, views=desk.pipeline.taxonomy.views)
    return list_items(desk.engine, replace(query, limit=_PAGE_ITEMS))


def show_list(
    request: Request, asked: _Asked, template: str, *, page: Page, context: Mapping[str, Any]
) -> Response:
    """The page under its own address: a form is led to the one that says what it asks. `Any`: Jinja's type.

    htmx is told the address instead, and takes no page with the status of an error.
    """
    is_htmx, is_form = "hx-request" in request.headers, FORM in request.query_params
    if is_form and not is_htmx:
        return RedirectResponse(asked.address(), status_code=303)
    desk = desk_of(request)
    return templates.TemplateResponse(
        request,
        template,
        {
            "asked": asked,
            "can_export": _scope_of(asked) is not None,
            "page": page,
            "agreed": read_agreed(desk.engine, [item.id for item in page.items]),
            "taxonomy": desk.pipeline.taxonomy,
            **context,
        },
        status_code=200 if asked.filter is not None or is_htmx else 422,
        headers={"hx-push-url": asked.address()} if is_form else None,
    )


def order_list(
    request: Request, asked: _Asked, *, file_format: Literal["xlsx", "csv"], by: Caller
) -> Response:
    """Order a list as a file and show how far it is; where it cannot be one, the list says why."""
    scope = _scope_of(asked)
    if scope is None:
        return RedirectResponse(asked.address("cursor"), status_code=303)
    desk = desk_of(request)
    export = Export(file_format, to_query(scope))
    job = order_export(desk.engine, export, by=by, now=desk.now())
    return RedirectResponse(f"/jobs/{job.id}?told=ordered", status_code=303)


def _scope_of(asked: _Asked) -> DocumentScope | OpinionScope | None:
    """What an export takes of the filters; None where it cannot take them all."""
    if asked.filter is None:
        return None
    model = DocumentScope if isinstance(asked.filter, DocumentFilter) else OpinionScope
    given = asked.filter.model_dump(exclude_none=True, exclude={"cursor", "limit"})
    return model(**given) if given.keys() <= model.model_fields.keys() else None
