"""`/v1/items`: any item by its id, and what people say of its labels."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from service.access import TheCaller, needs, notes
from service.actions import open_item
from service.api.desk import TheDesk, takes
from service.api.problems import problems
from service.reviewing import MAX_CODES, Word, correct_item
from service.schemas import Code, Facet, ItemOut, item_json

router = APIRouter(prefix="/v1/items", tags=["review"])
_Strict = ConfigDict(extra="forbid", frozen=True)
_Codes = Annotated[list[Code], Field(max_length=max(MAX_CODES.values()))]
_Expected = Annotated[
    _Codes | None,
    Field(description="the labels that were seen, the primary one first; 409 when others stand"),
]


class LabelsIn(BaseModel):
    """The labels that are right, the primary one first."""

    model_config = _Strict

    facet: Facet
    codes: Annotated[_Codes, Field(min_length=1, examples=[["LV03"]])]
    expected: _Expected = None


class DecisionIn(BaseModel):
    """None of the categories fits; or the caller's last word is taken back."""

    model_config = _Strict

    facet: Facet
    decision: Literal["none_of_these", "withdrawn"]
    expected: _Expected = None


def _which(value: object) -> str:
    return "decision" if isinstance(value, dict) and "decision" in value else "labels"


CorrectionIn = Annotated[
    Annotated[LabelsIn, Tag("labels")] | Annotated[DecisionIn, Tag("decision")],
    Discriminator(_which),
]
_Blind = Annotated[
    bool,
    Query(description="as models have it, without what people said: for a second reading"),
]


@router.get(
    "/{item_id}",
    response_model=ItemOut,
    responses=problems(404, 422),
    dependencies=[needs("read"), notes("item.opened")],
)
def get_item(desk: TheDesk, item_id: str, *, blind: _Blind = False) -> JSONResponse:
    """One item with its text, analysis and corrections, whichever way it came."""
    return JSONResponse(item_json(open_item(desk, item_id, corrected=not blind)))


@router.patch(
    "/{item_id}/labels",
    response_model=ItemOut,
    responses=problems(400, 403, 404, 409, 413, 415, 422),
    dependencies=[
        needs("review"),
        notes("item.corrected"),
        Depends(takes("application/json")),
    ],
)
def patch_labels(
    desk: TheDesk, item_id: str, body: CorrectionIn, caller: TheCaller
) -> JSONResponse:
    """Put one facet right. Views read it from now on; the model's answer is kept beneath it."""
    expected = None if body.expected is None else tuple(body.expected)
    if isinstance(body, LabelsIn):
        word = Word(body.facet, "labelled", tuple(body.codes), expected)
    else:
        word = Word(body.facet, body.decision, expected=expected)
    return JSONResponse(item_json(correct_item(desk, item_id, word, made_by=caller.name)))
