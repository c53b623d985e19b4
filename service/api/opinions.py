"""`/v1/opinions`: rows in, each with its own outcome; masked opinions with their analyses out."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from service.access import TheCaller, needs, notes
from service.actions import Desk, open_item
from service.api.desk import ForLater, TheDesk, media_type_of, takes
from service.api.problems import problems
from service.faults import describe
from service.jobs import waiting
from service.opinions import Opinion, Outcome, store_opinions
from service.schemas import (
    ItemOut,
    OpinionFilter,
    OpinionIn,
    OutcomesOut,
    item_json,
    to_outcomes,
    to_query,
)
from service.store.dialect import writing
from service.store.views import Page, list_items

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
    responses={
        202: {"model": OutcomesOut, "description": "Kept; a worker reads them"},
        **problems(400, 403, 413, 415, 422),
    },
    dependencies=[needs("intake"), Depends(takes("application/json", _NDJSON))],
    openapi_extra={"requestBody": _BODY},
)
async def post_opinions(
    desk: TheDesk, request: Request, response: Response, *, later: ForLater, caller: TheCaller
) -> OutcomesOut:
    """Take opinions in; sending a row again changes nothing. A bad row does not keep others out.

    With `Prefer: respond-async` they are kept at once and read by a worker: 202 and the job.

    Personal data in the text are masked before anything is stored. A key that would name an author is
    refused.
    """
    body = await request.body()
    rows = await run_in_threadpool(_parse, body, is_lines=media_type_of(request) == _NDJSON)
    if later:
        taken = await run_in_threadpool(_take_for_later, desk, rows, asked_by=caller.name)
        response.status_code = 202
        return taken
    return await run_in_threadpool(_take, desk, rows)


@router.get("", responses=problems(422), dependencies=[needs("read")])
def get_opinions(desk: TheDesk, asked: Annotated[OpinionFilter, Query()]) -> Page:
    """Opinions, newest first."""
    return list_items(desk.engine, to_query(asked, views=desk.pipeline.taxonomy.views))


@router.get(
    "/{item_id}",
    response_model=ItemOut,
    responses=problems(404),
    dependencies=[needs("read"), notes("item.opened")],
)
def get_opinion(desk: TheDesk, item_id: str) -> JSONResponse:
    """One item with its masked text and analysis."""
    return JSONResponse(item_json(open_item(desk, item_id)))


_Parsed = Opinion | Outcome  # an outcome says what is wrong with the row


def _parse(body: bytes, *, is_lines: bool) -> list[_Parsed]:
    return [_parse_line(line) for line in _lines(body)] if is_lines else _parse_array(body)


def _take(desk: Desk, rows: list[_Parsed]) -> OutcomesOut:
    return _answer(rows, store_opinions(desk, _good(rows)))


def _take_for_later(desk: Desk, rows: list[_Parsed], *, asked_by: str) -> OutcomesOut:
    outcomes = store_opinions(desk, _good(rows), later=True)
    answer = _answer(rows, outcomes)
    if not answer.accepted and not answer.duplicate:
        return answer
    with writing(desk.engine) as connection:
        job_id = waiting.order(connection, asked_by=asked_by, now=desk.now())
    return answer.model_copy(update={"job_id": job_id})


def _good(rows: list[_Parsed]) -> list[Opinion]:
    return [row for row in rows if isinstance(row, Opinion)]


def _answer(rows: list[_Parsed], outcomes: tuple[Outcome, ...]) -> OutcomesOut:
    taken = iter(outcomes)
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
