"""`/v1/sources`: where texts come from; those of an unregistered source are refused."""

from fastapi import APIRouter, Depends, Response

from service.access import TheCaller, needs
from service.actions import add_source
from service.api.desk import TheDesk, takes
from service.api.problems import problems
from service.schemas import SourceIn
from service.store.intake import Source
from service.store.views import list_sources

router = APIRouter(prefix="/v1/sources", tags=["sources"])


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": Source, "description": "The very same source was registered"},
        **problems(400, 403, 409, 413, 415, 422),
    },
    dependencies=[needs("admin"), Depends(takes("application/json"))],
)
def post_source(desk: TheDesk, caller: TheCaller, body: SourceIn, response: Response) -> Source:
    """Register a source with the legal basis for reading it and how long its texts are kept."""
    source = Source(**body.model_dump())
    response.status_code = 201 if add_source(desk, source, made_by=caller.name) else 200
    return source


@router.get("", responses=problems(), dependencies=[needs("read")])
def get_sources(desk: TheDesk) -> tuple[Source, ...]:
    """Every registered source."""
    return list_sources(desk.engine)
