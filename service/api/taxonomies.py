"""`/v1/taxonomies`: the packs, and what their categories mean."""

from fastapi import APIRouter

from nlp.taxonomy import Taxonomy, version_key
from service.access import needs
from service.actions import Desk
from service.api.desk import TheDesk
from service.api.problems import problems
from service.schemas import TaxonomyOut
from service.store.errors import NotFound

router = APIRouter(prefix="/v1/taxonomies", tags=["taxonomies"])


@router.get("", responses=problems(), dependencies=[needs()])
def get_taxonomies(desk: TheDesk) -> list[TaxonomyOut]:
    """Every pack at hand; the active one labels."""
    return [
        TaxonomyOut(
            name=pack.name,
            version=pack.version,
            title=pack.title,
            active=_is_active(pack, desk=desk),
        )
        for pack in desk.taxonomies()
    ]


@router.get("/{name}", responses=problems(404), dependencies=[needs()])
def get_taxonomy(desk: TheDesk, name: str) -> Taxonomy:
    """One pack with every category: name, definition, cues, and where it may be predicted.

    Of several versions it is the one that labels, else the newest.
    """
    found = [pack for pack in desk.taxonomies() if pack.name == name]
    if not found:
        raise NotFound("no taxonomy pack has this name; /v1/taxonomies lists them")
    return max(found, key=lambda pack: (_is_active(pack, desk=desk), version_key(pack.version)))


def _is_active(pack: Taxonomy, *, desk: Desk) -> bool:
    labels = desk.pipeline.taxonomy
    return (pack.name, pack.version) == (labels.name, labels.version)
