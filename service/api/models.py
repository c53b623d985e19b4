"""`/v1/models`: the models at hand and the one that answers."""

from fastapi import APIRouter

from service.access import needs
from service.api.desk import TheDesk
from service.api.problems import problems
from service.schemas import ModelOut

router = APIRouter(tags=["models"])


@router.get("/v1/models", responses=problems(), dependencies=[needs()])
def get_models(desk: TheDesk) -> list[ModelOut]:
    """Every model at hand; the active one answers."""
    active = desk.pipeline.provenance.model_sha256
    return [
        ModelOut(
            name=info.name,
            version=info.version,
            sha256=info.sha256,
            taxonomy=info.taxonomy,
            taxonomy_version=info.taxonomy_version,
            active=info.sha256 == active,
        )
        for info in desk.models()
    ]
