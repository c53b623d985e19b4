"""`/v1/restricted`: how many texts read like a denunciation, and nothing else of them."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.access import needs
from service.api.desk import TheDesk, TheSettings
from service.api.problems import problems
from service.messages import words_of
from service.monitor.denunciations import ToldMonth, tell

router = APIRouter(prefix="/v1/restricted", tags=["monitoring"])


class RestrictedOut(BaseModel):
    """Counts by month, the newest first. A month or source that has fewer than `min_group` is not there."""

    min_group: int
    note: str = Field(description="in Vietnamese: what these figures are, and what they are not")
    sources: tuple[str, ...]
    months: tuple[ToldMonth, ...]


@router.get("", responses=problems(), dependencies=[needs("analyse")])
def get_restricted(desk: TheDesk, settings: TheSettings) -> RestrictedOut:
    """How many texts were sealed as denunciations, by month; rounded, and never a small number."""
    k = settings.min_group
    with desk.engine.connect() as connection:
        told = tell(connection, k=k)
    note = words_of("restricted")["note"].format(k=k)
    return RestrictedOut(min_group=k, note=note, sources=told.sources, months=told.months)
