"""What comes out: pages of items, one item, sources.

A view reads the active run of a facet; for an item that run has not seen, the newest live run that has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from nlp.types import Block, Document, Place
from service.store import tables
from service.store.intake import Source
from service.store.records import FACETS

EXCERPT_CHARS = 280
_SHOWN = ("id", "intake", "kind", "file_name", "media_type", "source", "external_id")
_MOMENTS = ("received_at", "posted_at")
# The whole Analysis is read from the run that answers this facet.
_WHOLE: sa.ColumnElement[str] = sa.literal(FACETS[0])


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Items whose answer to one question asserts one of `codes`, or has this decision."""

    facet: str
    codes: tuple[str, ...] = ()
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which items, newest first. Lower bounds are inclusive, upper ones exclusive."""

    intake: str | None = None
    kind: str | None = None
    source: str | None = None
    labels: tuple[LabelFilter, ...] = ()
    received_from: datetime | None = None
    received_to: datetime | None = None
    dated_from: date | None = None
    dated_to: date | None = None
    cursor: str | None = None
    limit: int = 50


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
    analysis: Mapping[str, Any]  # the JSON contract of service/README.md


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
    items, analyses = tables.items, tables.analyses
    statement = (
        sa.select(
            *(items.c[name] for name in (*_SHOWN, *_MOMENTS)),
            sa.func.substr(items.c.text, 1, EXCERPT_CHARS).label("excerpt"),
            analyses.c.headline,
        )
        .join(analyses, analyses.c.item_id == items.c.id)
        .where(analyses.c.run_id == _current_run(items.c.id, _WHOLE), *_conditions(query))
        .order_by(items.c.id.desc())
        .limit(query.limit + 1)
    )
    with engine.connect() as connection:
        rows = connection.execute(statement).mappings().all()
        shown = rows[: query.limit]
        labels = _labels(connection, [row["id"] for row in shown])
    page = tuple(Summary(**row, labels=labels.get(row["id"], {})) for row in shown)
    return Page(page, page[-1].id if len(rows) > query.limit else None)


def read_item(engine: sa.Engine, item_id: str) -> Stored | None:
    """One item, or None."""
    items, analyses = tables.items, tables.analyses
    statement = (
        sa.select(items, analyses.c.analysis)
        .join(analyses, analyses.c.item_id == items.c.id)
        .where(items.c.id == item_id, analyses.c.run_id == _current_run(items.c.id, _WHOLE))
    )
    with engine.connect() as connection:
        row = connection.execute(statement).mappings().first()
    if row is None:
        return None
    blocks = tuple(Block(**block) for block in row["blocks"])
    places = tuple(Place(**place) for place in row["places"])
    return Stored(
        **{name: row[name] for name in (*_SHOWN, *_MOMENTS)},
        doc=Document(row["text"], blocks, row["media_type"], tuple(row["issues"]), places),
        analysis=row["analysis"],
    )


def _current_run(
    item_id: sa.ColumnElement[str], facet: sa.ColumnElement[str]
) -> sa.ScalarSelect[int]:
    """The run that a view reads for an item, to stand in a query about that item."""
    seen, runs, active = tables.analyses.alias(), tables.runs.alias(), tables.active_runs.alias()
    is_active = sa.and_(active.c.run_id == runs.c.id, active.c.facet == facet)
    return (
        sa.select(seen.c.run_id)
        .join(runs, runs.c.id == seen.c.run_id)
        .join(active, is_active, isouter=True)
        .where(seen.c.item_id == item_id, runs.c.state == "live")
        .order_by(active.c.facet.is_(None), runs.c.id.desc())
        .limit(1)
        .correlate_except(seen, runs, active)
        .scalar_subquery()
    )


def _conditions(query: Query) -> list[sa.ColumnElement[bool]]:
    items, analyses = tables.items.c, tables.analyses.c
    asked = (
        (query.intake, items.intake.__eq__),
        (query.kind, items.kind.__eq__),
        (query.source, items.source.__eq__),
        (query.received_from, items.received_at.__ge__),
        (query.received_to, items.received_at.__lt__),
        (query.dated_from, analyses.dated.__ge__),
        (query.dated_to, analyses.dated.__lt__),
        (query.cursor, items.id.__lt__),
    )
    plain = [compare(value) for value, compare in asked if value is not None]
    return plain + [condition for labels in query.labels for condition in _label_conditions(labels)]


def _label_conditions(labels: LabelFilter) -> Iterator[sa.ColumnElement[bool]]:
    pairs = (
        (tables.label_codes, "code", labels.codes),
        (tables.label_sets, "decision", (labels.decision,) if labels.decision else ()),
    )
    for table, column, values in pairs:
        if values:
            yield sa.exists().where(
                table.c.item_id == tables.items.c.id,
                table.c.facet == labels.facet,
                table.c[column].in_(values),
                table.c.run_id == _current_run(table.c.item_id, sa.literal(labels.facet)),
            )


def _labels(
    connection: sa.Connection, item_ids: Sequence[str]
) -> dict[str, dict[str, LabelSummary]]:
    """The answers to every facet for the items of one page."""
    sets = tables.label_sets
    statement = sa.select(
        sets.c.item_id, sets.c.facet, sets.c.decision, sets.c.primary_code, sets.c.labels
    ).where(
        sets.c.item_id.in_(item_ids),
        sets.c.run_id == _current_run(sets.c.item_id, sets.c.facet),
    )
    found: dict[str, dict[str, LabelSummary]] = {}
    for row in connection.execute(statement):
        codes = tuple(label["code"] for label in row.labels)
        answer = LabelSummary(row.decision, row.primary_code, codes)
        found.setdefault(row.item_id, {})[row.facet] = answer
    return found
