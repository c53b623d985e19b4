"""What can be asked of the archive: which items."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from service.store.records import Row

Reposts = Literal["all", "once"]


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Items found under this code in a facet: a label, the category above it, or a decision."""

    facet: str
    code: str


@dataclass(frozen=True, slots=True)
class Query:
    """Which items, newest first. Lower bounds are inclusive, upper ones exclusive.

    `text` is searched as `service.store.search.matching` says. All of `labels` must hold, and one of
    `any_of` where there are some. `unread_by` leaves out what a run has read; `waits` finds only what
    none has. `from_seq` and `to_seq` choose by the internal number of items.

    The rest asks for opinions by their traits: `day_from` and `day_to` are days in Vietnam; a text is found
    by a `province`, `ward` or `body` where a name in it can mean nothing else; `reposts` once leaves out what
    says the same as an earlier text; `group` is an item, and finds all that say the same.
    """

    intake: str | None = None
    kind: str | None = None
    source: str | None = None
    text: str | None = None
    labels: tuple[LabelFilter, ...] = ()
    any_of: tuple[LabelFilter, ...] = ()
    received_from: datetime | None = None
    received_to: datetime | None = None
    dated_from: date | None = None
    dated_to: date | None = None
    ids: tuple[str, ...] | None = None
    unread_by: int | None = None
    waits: bool = False
    from_seq: int | None = None
    to_seq: int | None = None
    day_from: date | None = None
    day_to: date | None = None
    channel: str | None = None
    urgency: str | None = None
    province: str | None = None
    ward: str | None = None
    body: str | None = None
    reposts: Reposts = "all"
    group: str | None = None
    cursor: str | None = None
    limit: int = 50


@cache
def _query_type() -> TypeAdapter[Query]:
    return TypeAdapter(Query)


def query_to_json(query: Query) -> Row:
    """A query as JSON values, without what it does not ask."""
    values: Row = _query_type().dump_python(query, mode="json", exclude_defaults=True)
    return values


def query_from_json(values: Mapping[str, Any]) -> Query:
    """The query of `query_to_json`."""
    return _query_type().validate_python(values)
