"""What comes out: pages of items, one item, sources.

Each facet is read from the run that stands for it (`service.store.stack`), corrections on top.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from nlp.types import Block, Document, Place
from service.store import tables
from service.store.choosing import select_items
from service.store.corrections import Correction, as_corrected, read_history
from service.store.intake import Source
from service.store.query import Query
from service.store.records import Answer, Row
from service.store.stack import WHOLE, Stack, read_answers, read_stack

EXCERPT_CHARS = 280
_SHOWN = ("id", "intake", "kind", "file_name", "media_type", "source", "external_id")
_MOMENTS = ("received_at", "posted_at")


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
    keys = {seq: said[WHOLE].run_id for seq, said in whole.items() if WHOLE in said}
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
    if WHOLE not in by_models:
        return {}
    analyses = tables.analyses.c
    wanted = {said.run_id for said in by_models.values()}
    query = sa.select(analyses.run_id, analyses.analysis).where(
        analyses.run_id.in_(wanted), analyses.seq == seq
    )
    read = {run_id: orjson.loads(text) for run_id, text in connection.execute(query)}
    whole: Row = read[by_models[WHOLE].run_id]
    for facet, said in by_models.items():
        whole[facet] = read[said.run_id][facet]
    for facet, said in read_answers(connection, {seq: first_run}, stack=stack)[seq].items():
        if said.run_id in stack.human:
            whole[facet] = as_corrected(whole[facet], said.answer)
    return whole
