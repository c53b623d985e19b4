"""`/v1/taxonomies`: the packs, and what their categories mean."""

from fastapi import APIRouter

from nlp.taxonomy import Taxonomy
from service.access import needs
from service.api.desk import TheDesk
from service.api.problems import problems
from service.schemas import TaxonomyOut
from service.store.errors import NotFound

router = APIRouter(prefix="/v1/taxonomies", tags=["taxonomies"])


@router.get("", responses=problems(), dependencies=[needs()])
def get_taxonomies(desk: TheDesk) -> list[TaxonomyOut]:
    """Every pack at hand; the active one labels."""
    active = desk.pipeline.taxonomy.name
    return [
        TaxonomyOut(
            name=pack.name, version=pack.version, title=pack.title, active=pack.name == active
        )
        for pack in desk.taxonomies()
    ]


@router.get("/{name}", responses=problems(404), dependencies=[needs()])
def get_taxonomy(desk: TheDesk, name: str) -> Taxonomy:
    """One pack with every category: name, definition, cues, and where it may be predicted."""
    for pack in desk.taxonomies():
        if pack.name == name:
            return pack
    raise NotFound("no taxonomy pack has this name; /v1/taxonomies lists them")
