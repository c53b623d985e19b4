"""What comes out: pages of items, one item, sources.

Each facet is read from the run that stands for it (`service.store.stack`), corrections on top.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from typing import Any

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter

from nlp.types import Block, Document, Place
from service.store import tables
from service.store.corrections import Correction, as_corrected, read_history
from service.store.intake import Source
from service.store.records import Answer, Row
from service.store.search import matching
from service.store.stack import Stack, current_run, read_answers, read_stack
from service.store.tables import FACETS

EXCERPT_CHARS = 280
_SHOWN = ("id", "intake", "kind", "file_name", "media_type", "source", "external_id")
_MOMENTS = ("received_at", "posted_at")
# The whole Analysis is read from the run that answers this facet.
_WHOLE = FACETS[0]
_UNINDEXED = {"labelled", "not_applicable"}
_COUNTED = 5_000  # rows looked at to learn which of several conditions is the rarest


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


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """A facet's answer in a list."""

    decision: str
    primary: str | None
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """An item in a list; `headline` has kind, canonical, date, issuer and subject of a document."""

    id: str
    intake: str
    kind: str
    file_name: str | None
    media_type: str
    source: str
    external_id: str
    received_at: datetime
    posted_at: datetime | None
    excerpt: str
    headline: Mapping[str, str | None]
    labels: Mapping[str, LabelSummary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Some items and the cursor of the next page; None on the last."""

    items: tuple[Summary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """One item with its text and the whole Analysis as JSON values."""

    id: str
    intake: str
    kind: str
    file_name: str | None
    media_type: str
    source: str
    external_id: str
    received_at: datetime
    posted_at: datetime | None
    doc: Document
    analysis: Mapping[str, Any]  # the contract of service/README.md; empty while the item waits
    seq: int
    corrections: tuple[Correction, ...] = ()  # the newest first


def ping(engine: sa.Engine) -> None:
    """Ask the database for a row; raises what the driver raises when it cannot be reached."""
    with engine.connect() as connection:
        connection.execute(sa.select(tables.sources.c.name).limit(1)).first()


def list_sources(engine: sa.Engine) -> tuple[Source, ...]:
    """Every registered source, by name."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.sources).order_by(tables.sources.c.name))
        return tuple(Source(**row) for row in rows.mappings())


def list_items(engine: sa.Engine, query: Query) -> Page:
    """One page of items; one row more is read to know whether there is another page."""
    items = tables.items.c
    with engine.connect() as connection:
        stack = read_stack(connection)
        shown = (
            items.seq,
            items.run_id,
            *(items[name] for name in (*_SHOWN, *_MOMENTS)),
            sa.func.substr(items.text, 1, EXCERPT_CHARS).label("excerpt"),
        )
        statement = select_items(connection, query, stack=stack, columns=shown)
        if statement is None:
            return Page((), None)
        rows = connection.execute(statement.limit(query.limit + 1)).mappings().all()
        page = [dict(row) for row in rows[: query.limit]]
        summaries = tuple(_summaries(connection, page, stack=stack))
    return Page(summaries, str(page[-1]["seq"]) if len(rows) > query.limit else None)


def select_items(
    connection: sa.Connection,
    query: Query,
    *,
    stack: Stack,
    columns: Sequence[sa.ColumnElement[Any]],
) -> sa.Select[Any] | None:
    """The statement that finds items, newest first and without limit; None when nothing can be found.

    It walks along the rarest of the conditions that have an index in the order of `seq`, and looks the
    others up: SQLite keeps no statistics that would let it choose by itself.
    """
    items = tables.items.c
    drivers = [_by_label(own, stack=stack) for own in query.labels if own.code not in _UNINDEXED]
    if query.text is not None:
        found = matching(connection, query.text)
        if found is None:
            return None
        drivers.append(_Driver(*found))
    conditions = _conditions(query, stack=stack)
    bounds = _bounds(connection, query)
    if not drivers:
        within = (compare(items.seq) for compare in bounds)
        return sa.select(*columns).where(*conditions, *within).order_by(items.seq.desc())
    if query.source is not None:
        drivers.append(_by_source(query.source))
    rarest = drivers[0] if len(drivers) == 1 else min(drivers, key=lambda d: _count(connection, d))
    conditions += [_holds(other) for other in drivers if other is not rarest]
    return (
        sa.select(*columns)
        .select_from(rarest.table.join(tables.items, items.seq == rarest.seq))
        .where(*conditions, *rarest.conditions, *(compare(rarest.seq) for compare in bounds))
        .order_by(rarest.seq.desc())
    )


@dataclass(frozen=True, slots=True)
class _Driver:
    """A condition that can be walked along in the order of `seq`, or looked up for one item."""

    table: sa.FromClause
    seq: sa.ColumnElement[int]
    conditions: tuple[sa.ColumnElement[bool], ...] = ()


def _by_label(label: LabelFilter, *, stack: Stack) -> _Driver:
    """The items found under a code by the run that stands for them."""
    index = tables.label_index.alias()
    found = (index.c.facet == label.facet, index.c.code == label.code)
    stands = index.c.run_id == current_run(stack, label.facet)
    return _Driver(index, index.c.seq, (*found, stands))


def _by_source(source: str) -> _Driver:
    mine = tables.items.alias()
    return _Driver(mine, mine.c.seq, (mine.c.source == source,))


_Bound = Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]


def _bounds(connection: sa.Connection, query: Query) -> list[_Bound]:
    """Between which numbers the items lie, so that a walk along them starts and ends there.

    The moments of receipt say it, though not by themselves: a clock may have been set back.
    """
    items = tables.items.c
    cursor = int(query.cursor) if query.cursor is not None else None
    given = ((_at_least, query.from_seq), (_below, query.to_seq), (_below, cursor))
    found: list[_Bound] = [partial(side, edge) for side, edge in given if edge is not None]
    moments = _received(query)
    if moments:
        # an expression, or PostgreSQL walks along all numbers to find the least of some
        seq = items.seq + 0
        span = sa.select(sa.func.min(seq), sa.func.max(seq)).where(*moments)
        first, last = connection.execute(span).one()
        found += [partial(_at_least, first or 0), partial(_below, (last or 0) + 1)]
    return found


def _at_least(edge: int, seq: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return seq >= edge


def _below(edge: int, seq: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return seq < edge


def _received(query: Query) -> list[sa.ColumnElement[bool]]:
    received = tables.items.c.received_at
    bounds = ((query.received_from, received.__ge__), (query.received_to, received.__lt__))
    return [compare(value) for value, compare in bounds if value is not None]


def _holds(driver: _Driver) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(driver.seq == tables.items.c.seq, *driver.conditions)
        .correlate(tables.items)
    )


def _count(connection: sa.Connection, driver: _Driver) -> int:
    """About how many items a condition finds; counting ends where more makes no difference."""
    plain = driver.conditions[:2]  # not whether it stands: that is slow and mostly true
    some = sa.select(driver.seq).select_from(driver.table).where(*plain).limit(_COUNTED).subquery()
    n_rows: int = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    return n_rows


def _conditions(query: Query, *, stack: Stack) -> list[sa.ColumnElement[bool]]:
    items = tables.items.c
    asked = (
        (query.intake, items.intake.__eq__),
        (query.kind, items.kind.__eq__),
        (query.source, items.source.__eq__),
    )
    plain = [compare(value) for value, compare in asked if value is not None] + _received(query)
    if query.ids is not None:
        plain.append(items.id.in_(query.ids))
    if query.unread_by is not None:
        read = tables.answers.c
        plain.append(~sa.exists().where(read.run_id == query.unread_by, read.seq == items.seq))
    if query.waits:
        plain.append(items.run_id.is_(None))
    if query.any_of:
        plain.append(sa.or_(*(_holds(_by_label(own, stack=stack)) for own in query.any_of)))
    unindexed = [own for own in query.labels if own.code in _UNINDEXED]
    return plain + _dated(query, stack=stack) + [_decided(own, stack=stack) for own in unindexed]


def _decided(label: LabelFilter, *, stack: Stack) -> sa.ColumnElement[bool]:
    """A decision that most items have, and that no index is kept of."""
    answers = tables.answers.c
    codes = answers[f"{label.facet}_codes"]
    asserted = codes != ""
    return sa.exists().where(
        answers.run_id == current_run(stack, label.facet),
        answers.seq == tables.items.c.seq,
        asserted if label.code == "labelled" else answers[f"{label.facet}_label"] == label.code,
    )


def _dated(query: Query, *, stack: Stack) -> list[sa.ColumnElement[bool]]:
    if query.dated_from is None and query.dated_to is None:
        return []
    analyses = tables.analyses.c
    bounds = ((query.dated_from, analyses.dated.__ge__), (query.dated_to, analyses.dated.__lt__))
    return [
        sa.exists().where(
            analyses.seq == tables.items.c.seq,
            analyses.run_id == current_run(stack.of_models(), _WHOLE),
            *(compare(value) for value, compare in bounds if value is not None),
        )
    ]


def _summaries(
    connection: sa.Connection, rows: Sequence[Row], *, stack: Stack
) -> Iterator[Summary]:
    first_runs = {row["seq"]: row["run_id"] for row in rows}
    labels = read_answers(connection, first_runs, stack=stack)
    headlines = _headlines(connection, first_runs, stack=stack)
    for row in rows:
        said = {facet: _label_summary(one.answer) for facet, one in labels[row["seq"]].items()}
        shown = {name: row[name] for name in (*_SHOWN, *_MOMENTS, "excerpt")}
        yield Summary(**shown, headline=headlines.get(row["seq"], {}), labels=said)


def _headlines(
    connection: sa.Connection, first_runs: Mapping[int, int | None], *, stack: Stack
) -> dict[int, Mapping[str, str | None]]:
    analyses = tables.analyses.c
    whole = read_answers(connection, first_runs, stack=stack.of_models())
    keys = {seq: said[_WHOLE].run_id for seq, said in whole.items() if _WHOLE in said}
    # SQLite finds pairs by no index
    query = sa.select(analyses.run_id, analyses.seq, analyses.headline).where(
        analyses.run_id.in_(set(keys.values())), analyses.seq.in_(keys)
    )
    rows = connection.execute(query)
    return {row.seq: row.headline for row in rows if keys[row.seq] == row.run_id}


def _label_summary(answer: Answer) -> LabelSummary:
    return LabelSummary(answer.decision, answer.codes[0] if answer.codes else None, answer.codes)


def read_item(engine: sa.Engine, item_id: str, *, corrected: bool = True) -> Stored | None:
    """One item, or None; if not `corrected`, as models alone have it."""
    items = tables.items
    with engine.connect() as connection:
        row = connection.execute(sa.select(items).where(items.c.id == item_id)).mappings().first()
        if row is None:
            return None
        stack = read_stack(connection) if corrected else read_stack(connection).of_models()
        analysis = _read_analysis(connection, row["seq"], first_run=row["run_id"], stack=stack)
        history = read_history(connection, row["seq"]) if corrected else ()
    return Stored(
        **{name: row[name] for name in (*_SHOWN, *_MOMENTS)},
        seq=row["seq"],
        doc=read_document(dict(row)),
        analysis=analysis,
        corrections=history[::-1],
    )


def read_document(row: Mapping[str, Any]) -> Document:
    """The document in a row of `items`."""
    blocks = tuple(Block(**block) for block in row["blocks"])
    places = tuple(Place(**place) for place in row["places"])
    return Document(row["text"], blocks, row["media_type"], tuple(row["issues"]), places)


def _read_analysis(
    connection: sa.Connection, seq: int, *, first_run: int | None, stack: Stack
) -> Row:
    """The Analysis of one item: of the run that stands for the whole, with the answers that stand on top."""
    by_models = read_answers(connection, {seq: first_run}, stack=stack.of_models())[seq]
    if _WHOLE not in by_models:
        return {}
    analyses = tables.analyses.c
    wanted = {said.run_id for said in by_models.values()}
    query = sa.select(analyses.run_id, analyses.analysis).where(
        analyses.run_id.in_(wanted), analyses.seq == seq
    )
    read = {run_id: orjson.loads(text) for run_id, text in connection.execute(query)}
    whole: Row = read[by_models[_WHOLE].run_id]
    for facet, said in by_models.items():
        whole[facet] = read[said.run_id][facet]
    for facet, said in read_answers(connection, {seq: first_run}, stack=stack)[seq].items():
        if said.run_id in stack.human:
            whole[facet] = as_corrected(whole[facet], said.answer)
    return whole
