"""Walking along the archive with a model: in stretches for shards, in chunks for memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import sqlalchemy as sa

from nlp.pipeline import Pipeline, Request
from nlp.types import Analysis, KindAsked
from service.actions import analyze_each
from service.jobs.seam import Run, Shard
from service.store import tables
from service.store.choosing import select_items
from service.store.query import Query
from service.store.records import Row
from service.store.stack import read_stack
from service.store.views import read_document

UNREADABLE = "the model could not read this text"
_STRETCH = 20_000  # numbers of items in a shard: some seconds of work
_CHUNK_ROWS = 512
_CHUNK_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """An item that is to be read."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some items with their answers; those that no model could answer are in `failed`."""

    rows: Sequence[Row]
    analyses: Mapping[int, Analysis]
    failed: tuple[str, ...]


def plan_stretches(engine: sa.Engine, query: Query) -> list[Shard]:
    """A shard for each stretch of the archive that holds items in a query: from and to which `seq`."""
    items = tables.items.c
    with engine.connect() as connection:
        stack = read_stack(connection)
        found = select_items(connection, query, stack=stack, columns=[items.seq])
        if found is None:
            return []
        seqs = found.order_by(None).subquery()
        start = (seqs.c.seq - seqs.c.seq % _STRETCH).label("start")
        counts = sa.select(start, sa.func.count()).group_by(start).order_by(start)
        rows = connection.execute(counts).all()
    end = max((start + _STRETCH for start, _ in rows), default=0)
    last = end if query.to_seq is None else query.to_seq
    return [Shard([start, min(start + _STRETCH, last)], size=n_items) for start, n_items in rows]


def read_each(engine: sa.Engine, query: Query, *, pipeline: Pipeline, run: Run) -> Iterator[Chunk]:
    """Let the model read the items that a query finds, as a shard must: what cannot be read is set aside."""
    for found in find_chunks(engine, query, aside=run.aside):
        for some in [[one] for one in found] if run.careful else [found]:
            run.check()
            with run.trying(some[0].id) if run.careful else nullcontext():
                chunk = read_chunk(engine, some, pipeline=pipeline)
            for item_id in chunk.failed:
                run.set_aside(item_id, UNREADABLE)
            yield chunk


def find_chunks(engine: sa.Engine, query: Query, *, aside: frozenset[str]) -> Iterator[list[Found]]:
    """The items that a query finds, in parts that are bounded in number and in text."""
    items = tables.items.c
    with engine.connect() as connection:
        found = select_items(
            connection,
            query,
            stack=read_stack(connection),
            columns=[items.seq, items.id, sa.func.length(items.text)],
        )
        rows = connection.execute(found).all() if found is not None else []
    part: list[Found] = []
    n_chars = 0
    for seq, item_id, length in sorted(tuple(row) for row in rows if row.id not in aside):
        part.append(Found(seq, item_id))
        n_chars += length
        if len(part) == _CHUNK_ROWS or n_chars >= _CHUNK_CHARS:
            yield part
            part, n_chars = [], 0
    if part:
        yield part


def read_chunk(engine: sa.Engine, found: Sequence[Found], *, pipeline: Pipeline) -> Chunk:
    """Let the model read some items; what was erased meanwhile is passed over."""
    with engine.connect() as connection:
        query = sa.select(tables.items).where(tables.items.c.seq.in_([one.seq for one in found]))
        names = tables.items.c.keys()  # a mapping a row would cost as much as the query
        rows = [dict(zip(names, row, strict=True)) for row in connection.execute(query)]
    analyses = analyze_each(pipeline, [_request(row) for row in rows])
    return Chunk(
        rows,
        {row["seq"]: analyses[row["id"]] for row in rows if row["id"] in analyses},
        tuple(row["id"] for row in rows if row["id"] not in analyses),
    )


def _request(row: Row) -> Request:
    """What was found of a text's kind stays: what is no official text was masked as such."""
    kind: KindAsked = "auto" if row["kind"] == "unknown" else row["kind"]
    return Request(row["id"], read_document(row), kind)
