"""Văn bản: the list of documents, and one of them with its structure beside it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import TheCaller, needs, notes
from service.schemas import DocumentFilter
from service.ui.choices import choices_of_documents
from service.ui.filters import Asked, read_filter, settle
from service.ui.item import item_page
from service.ui.listing import FileFormat, order_list, read_page, show_list
from service.ui.rendering import desk_of

_PATH = "/documents"
_USUAL = {"kind": "official"}  # letters that came as files would hide what offices have written

router = APIRouter(include_in_schema=False)


@router.get(_PATH, dependencies=[needs("read")])
def show_documents(request: Request) -> Response:
    """Documents that fit the filters in the address, newest first."""
    asked = _read_asked(request)
    return show_list(request, asked, "documents.html", page=read_page(request, asked), context={})


@router.post(f"{_PATH}/export", dependencies=[needs("analyse")])
def export_documents(request: Request, caller: TheCaller, file_format: FileFormat) -> Response:
    """Order the documents that fit the filters in the address as a file."""
    return order_list(request, _read_asked(request), file_format=file_format, by=caller)


def _read_asked(request: Request) -> Asked[DocumentFilter]:
    values = settle(request.query_params, usual=_USUAL)
    choices = choices_of_documents(desk_of(request))
    return read_filter(DocumentFilter, values, path=_PATH, choices=choices, usual=_USUAL)


@router.get("/documents/{item_id}", dependencies=[needs("read"), notes("item.opened")])
def show_document(request: Request, item_id: str, show: str = "") -> Response:
    """One document; `show` says which words are lit."""
    return item_page(request, item_id, show=show)
