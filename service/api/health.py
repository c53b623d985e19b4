"""`/healthz` and `/readyz`, for whoever watches over the process."""

from fastapi import APIRouter

from service.access import FREE
from service.api.desk import TheDesk
from service.api.problems import problems
from service.schemas import HealthOut, ReadyOut
from service.store.migrate import check_current

router = APIRouter(tags=["health"])


@router.get("/healthz", responses=problems(public=True), dependencies=[FREE])
async def get_health() -> HealthOut:
    """The process lives."""
    return HealthOut()


@router.get("/readyz", responses=problems(public=True), dependencies=[FREE])
def get_readiness(desk: TheDesk) -> ReadyOut:
    """The database answers at the right schema and a model is loaded; 503 otherwise."""
    with desk.engine.connect() as connection:
        check_current(connection)
    made = desk.pipeline.provenance
    return ReadyOut(
        model=made.model,
        model_version=made.model_version,
        taxonomy=made.taxonomy,
        taxonomy_version=made.taxonomy_version,
    )
