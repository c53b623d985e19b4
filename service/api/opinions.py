"""`/v1/opinions`: rows in, each with its own outcome; masked opinions with their analyses out."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from service.actions import Desk, Opinion, Outcome, open_item, store_opinions, with_children
from service.api.desk import TheDesk, media_type_of, takes
from service.api.problems import problems
from service.faults import describe
from service.schemas import (
    ItemOut,
    OpinionFilter,
    OpinionIn,
    OutcomesOut,
    item_json,
    to_outcomes,
)
from service.store.views import LabelFilter, Page, list_items
from service.store.views import Query as StoreQuery

router = APIRouter(prefix="/v1/opinions", tags=["opinions"])
_NDJSON = "application/x-ndjson"
_ROW = {
    "anyOf": [
        OpinionIn.model_json_schema(),
        {"description": "anything else is answered as an error of this row"},
    ]
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "array", "items": _ROW}},
        _NDJSON: {"schema": {"type": "string", "description": "one row a line"}},
    },
}


@router.post(
    "",
    response_model=OutcomesOut,
    responses=problems(400, 403, 413, 415, 422),
    dependencies=[Depends(takes("application/json", _NDJSON))],
    openapi_extra={"requestBody": _BODY},
)
async def post_opinions(desk: TheDesk, request: Request) -> OutcomesOut:
    """Take opinions in; sending a row again changes nothing. A bad row does not keep others out.

    Personal data in the text are masked before anything is stored. A key that would name an author is
    refused.
    """
    body = await request.body()
    is_lines = media_type_of(request) == _NDJSON
    return await run_in_threadpool(_take, desk, body, is_lines=is_lines)


@router.get("", responses=problems(422))
def get_opinions(desk: TheDesk, asked: Annotated[OpinionFilter, Query()]) -> Page:
    """Opinions, newest first."""
    fields = with_children(desk, "civic_field", code=asked.civic_field) if asked.civic_field else ()
    query = StoreQuery(
        kind="opinion",
        labels=(
            LabelFilter("civic_field", fields, asked.decision),
            LabelFilter("sentiment", (asked.sentiment,) if asked.sentiment else ()),
            LabelFilter("intent", (asked.intent,) if asked.intent else ()),
        ),
        **asked.model_dump(exclude={"civic_field", "decision", "sentiment", "intent"}),
    )
    return list_items(desk.engine, query)


@router.get("/{item_id}", response_model=ItemOut, responses=problems(404))
def get_opinion(desk: TheDesk, item_id: str) -> JSONResponse:
    """One item with its masked text and analysis."""
    return JSONResponse(item_json(open_item(desk, item_id)))


def _take(desk: Desk, body: bytes, *, is_lines: bool) -> OutcomesOut:
    rows = [_parse_line(line) for line in _lines(body)] if is_lines else _parse_array(body)
    taken = iter(store_opinions(desk, [row for row in rows if isinstance(row, Opinion)]))
    return to_outcomes([next(taken) if isinstance(row, Opinion) else row for row in rows])


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def _parse_line(line: bytes) -> Opinion | Outcome:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # neither JSON nor UTF-8
        return Outcome("error", reason="the line is not valid JSON in UTF-8")
    return _parse_row(row)


def _parse_array(body: bytes) -> list[Opinion | Outcome]:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not valid JSON in UTF-8") from error
    if not isinstance(rows, list):
        raise HTTPException(422, "the body must be an array of opinions")
    return [_parse_row(row) for row in rows]


def _parse_row(row: object) -> Opinion | Outcome:
    try:
        given = OpinionIn.model_validate(row)
    except ValidationError as error:
        return Outcome("error", reason=describe(error))
    return Opinion(given.source, given.external_id, given.text, given.posted_at)
