"""`/healthz` and `/readyz`, for whoever watches over the process."""

from fastapi import APIRouter

from service.api.desk import TheDesk
from service.api.problems import problems
from service.schemas import HealthOut, ReadyOut
from service.store.views import ping

router = APIRouter(tags=["health"])


@router.get("/healthz", responses=problems())
async def get_health() -> HealthOut:
    """The process lives."""
    return HealthOut()


@router.get("/readyz", responses=problems())
def get_readiness(desk: TheDesk) -> ReadyOut:
    """The database answers and a model is loaded; 503 otherwise."""
    ping(desk.engine)
    made = desk.pipeline.provenance
    return ReadyOut(
        model=made.model,
        model_version=made.model_version,
        taxonomy=made.taxonomy,
        taxonomy_version=made.taxonomy_version,
    )
