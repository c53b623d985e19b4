"""`/v1/access-log`: who opened, signed in, made or ended what."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.access import needs
from service.api.desk import TheDesk
from service.api.problems import problems
from service.journal import Journal
from service.schemas import Limit
from service.store.access import LogQuery, list_entries

router = APIRouter(prefix="/v1/access-log", tags=["access"])
_SETTLE_S = 2.0


class LogFilter(BaseModel):
    """Which lines of the access log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    actor: str | None = Field(None, pattern=r"^[\x21-\x7e]{1,80}$", examples=["staff:lan"])
    subject: str | None = Field(None, pattern=r"^[\x21-\x7e]{1,64}$", description="id of a thing")
    cursor: str | None = Field(
        None, pattern="^[0-9]{1,18}$", description="`next_cursor` of the page before; opaque"
    )
    limit: Limit = 50


class EntryOut(BaseModel):
    """One line: who did what to which thing."""

    at: datetime
    actor: str
    action: str
    subject: str


class LogOut(BaseModel):
    """A page of lines, newest first."""

    items: list[EntryOut]
    next_cursor: str | None


@router.get("", responses=problems(422), dependencies=[needs("admin")])
def get_access_log(desk: TheDesk, request: Request, asked: Annotated[LogFilter, Query()]) -> LogOut:
    """The access log, newest first. It holds ids and names of things, never a text."""
    journal: Journal = request.app.state.journal
    journal.settle(_SETTLE_S)
    cursor = None if asked.cursor is None else int(asked.cursor)
    query = LogQuery((asked.actor,) if asked.actor else (), asked.subject, cursor, asked.limit)
    with desk.engine.connect() as connection:
        page = list_entries(connection, query)
    return LogOut(
        items=[
            EntryOut(at=line.at, actor=line.actor, action=line.action, subject=line.subject)
            for line in page.entries
        ],
        next_cursor=None if page.next_cursor is None else str(page.next_cursor),
    )
