"""The pages of an official document as they look."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs
from service.store.errors import NotFound
from service.store.pictures import read_page
from service.store.retention import find_seq
from service.ui.rendering import desk_of

_ItemId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_Number = Annotated[int, Path(ge=1, le=1_000)]

router = APIRouter(include_in_schema=False)


# opening the document was noted; its pages are parts of that
@router.get("/documents/{item_id}/pages/{number}.webp", dependencies=[needs("read")])
def show_picture(request: Request, item_id: _ItemId, number: _Number) -> Response:
    """One page as a picture, which the reader's own browser may keep for an hour.

    Raises:
        NotFound: there is no such page, or nothing is kept of how it looks.
    """
    engine = desk_of(request).engine
    with engine.connect() as connection:
        seq = find_seq(connection, item_id)
    picture = None if seq is None else read_page(engine, seq, number)
    if picture is None:
        raise NotFound("no item has this page; it may have been deleted")
    headers = {"cache-control": "private, max-age=3600"}
    return Response(picture, media_type="image/webp", headers=headers)
