"""`/v1/review`: what to look at next, and how far those who look agree."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from service.access import TheCaller, needs
from service.api.desk import TheDesk
from service.api.problems import problems
from service.readers import FacetAgreement, agreement_of
from service.review_queue import Entry, next_to_review, turn_of
from service.reviewing import FACETS_OF
from service.schemas import Facet, SourceName
from service.store.review import Reason, Wanted

router = APIRouter(prefix="/v1/review", tags=["review"])


class ReviewFilter(BaseModel):
    """What to look at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    facet: Facet | None = Field(None, description="one facet; else all")
    kind: Literal["official", "opinion"] | None = None
    source: SourceName | None = None
    reason: Reason | None = Field(None, description="only what stands there for this reason")
    limit: int = Field(20, ge=1, le=100, description="entries; nearly the same text counts once")


class ReviewOut(BaseModel):
    """The most useful first."""

    entries: tuple[Entry, ...]


class AgreementOut(BaseModel):
    """Facet by facet; never of one person."""

    facets: tuple[FacetAgreement, ...]


@router.get("", responses=problems(422), dependencies=[needs("review", cost=5)])
def get_queue(
    desk: TheDesk, asked: Annotated[ReviewFilter, Query()], caller: TheCaller
) -> ReviewOut:
    """What a person's answer is worth most for; nothing that the caller has answered."""
    facets = FACETS_OF[asked.kind or "opinion"] if asked.facet is None else (asked.facet,)
    turn = turn_of(desk)
    wanted = Wanted(caller.name, facets, asked.kind, asked.source, turn, asked.reason)
    return ReviewOut(entries=next_to_review(desk, wanted, limit=asked.limit))


@router.get("/agreement", responses=problems(), dependencies=[needs("review", cost=10)])
def get_agreement(desk: TheDesk) -> AgreementOut:
    """How far readers agree with each other, and with models as they answer now."""
    return AgreementOut(facets=agreement_of(desk))
