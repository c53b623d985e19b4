"""`DELETE /v1/items/{item_id}`: one item is erased at once, where somebody has the right to it."""

from typing import Annotated

from fastapi import APIRouter, Path

from service.access import TheCaller, needs
from service.api.desk import TheDesk
from service.api.problems import problems
from service.jobs.retention import erase_item

router = APIRouter(prefix="/v1/items", tags=["retention"])
_ItemId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.delete(
    "/{item_id}",
    status_code=204,
    responses=problems(404, 422),
    dependencies=[needs("admin")],
)
def delete_item(desk: TheDesk, caller: TheCaller, item_id: _ItemId) -> None:
    """Erase an item with all that models and people said of it, for good; the access log keeps its id.

    The text is gone with the answer. A worker then takes its traces out of the files of the database, and
    every export that may hold it.
    """
    erase_item(desk.engine, item_id, by=caller, now=desk.now())
