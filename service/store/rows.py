"""What is stored, row by row for an export: any number of items, a few in memory at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from service.store import tables
from service.store.choosing import select_items
from service.store.query import Query
from service.store.records import Row
from service.store.stack import Said, Stack, read_answers, read_stack

_PAGE_ROWS = 500
_TEXT_CHARS = 4_000_000  # of texts read at once: a document may have two million
_WHOLE = tables.FACETS[0]  # the run that answers this facet has read what kind of document it is
_PLAIN = ("id", "intake", "kind", "source", "received_at", "posted_at")


@dataclass(frozen=True, slots=True)
class Labeller:
    """Who gave an answer: a model, or people under a version of a taxonomy."""

    is_human: bool
    model: str
    model_version: str
    taxonomy: str
    taxonomy_version: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item with what stands for it; `headline` is empty for opinions, `text` where none was asked for."""

    id: str
    intake: str
    kind: str
    source: str
    received_at: datetime
    posted_at: datetime | None
    said: Mapping[str, Said]
    labellers: Mapping[int, Labeller]
    headline: Mapping[str, str | None]
    text: str | None = None


def count_rows(engine: sa.Engine, query: Query) -> int:
    """How many items a query finds now."""
    with engine.connect() as connection:
        seq = tables.items.c.seq
        found = select_items(connection, query, stack=read_stack(connection), columns=[seq])
        if found is None:
            return 0
        some = found.order_by(None).subquery()
        return connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def read_rows(engine: sa.Engine, query: Query, *, with_text: bool) -> Iterator[list[ItemRow]]:
    """The items that a query finds, newest first, in pages.

    Each page is read for itself: what is erased meanwhile is left out, and no transaction stays open. All
    are read as the stack stood at the first.
    """
    with engine.connect() as connection:
        stack = read_stack(connection)
    cursor = query.cursor
    while True:
        with engine.connect() as connection:
            page = _read_page(connection, replace(query, cursor=cursor), stack=stack)
            if not page:
                return
            rows = _complete(connection, page, stack=stack)
        yield from _with_texts(engine, rows) if with_text else [list(rows.values())]
        cursor = str(page[-1]["seq"])


def _read_page(connection: sa.Connection, query: Query, *, stack: Stack) -> list[Row]:
    items = tables.items.c
    columns = [items.seq, items.run_id, *(items[name] for name in _PLAIN)]
    statement = select_items(connection, query, stack=stack, columns=columns)
    if statement is None:
        return []
    found = connection.execute(statement.limit(_PAGE_ROWS)).mappings()
    return [dict(row) for row in found]


def _complete(
    connection: sa.Connection, page: Sequence[Row], *, stack: Stack
) -> dict[int, ItemRow]:
    first_runs = {row["seq"]: row["run_id"] for row in page}
    said = read_answers(connection, first_runs, stack=stack)
    labellers = _read_labellers(
        connection, {one.run_id for answers in said.values() for one in answers.values()}
    )
    documents = {row["seq"]: row["run_id"] for row in page if row["intake"] == "document"}
    headlines = _read_headlines(connection, documents, stack=stack) if documents else {}
    return {
        row["seq"]: ItemRow(
            **{name: row[name] for name in _PLAIN},
            said=said[row["seq"]],
            labellers=labellers,
            headline=headlines.get(row["seq"], {}),
        )
        for row in page
    }


def _read_labellers(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, Labeller]:
    runs = tables.runs.c
    columns = (runs.id, runs.kind, *(runs[name] for name in Labeller.__slots__[1:]))
    rows = connection.execute(sa.select(*columns).where(runs.id.in_(run_ids)))
    return {run_id: Labeller(kind == "human", *others) for run_id, kind, *others in rows}


def _read_headlines(
    connection: sa.Connection, first_runs: Mapping[int, int | None], *, stack: Stack
) -> dict[int, Mapping[str, str | None]]:
    analyses = tables.analyses.c
    by_models = read_answers(connection, first_runs, stack=stack.of_models())
    keys = [(own[_WHOLE].run_id, seq) for seq, own in by_models.items() if _WHOLE in own]
    query = sa.select(analyses.seq, analyses.headline).where(
        sa.tuple_(analyses.run_id, analyses.seq).in_(keys)
    )
    return {row.seq: row.headline for row in connection.execute(query)}


def _with_texts(engine: sa.Engine, rows: Mapping[int, ItemRow]) -> Iterator[list[ItemRow]]:
    """The same rows with their texts, as many at a time as memory allows."""
    items = tables.items.c
    length = sa.func.length(items.text).label("length")
    lengths = sa.select(items.seq, length).where(items.seq.in_(rows))
    with engine.connect() as connection:
        n_chars = {row.seq: row.length for row in connection.execute(lengths)}
    for some in _parts(n_chars, order=rows):
        with engine.connect() as connection:
            query = sa.select(items.seq, items.text).where(items.seq.in_(some))
            texts = {row.seq: row.text for row in connection.execute(query)}
        yield [replace(rows[seq], text=texts[seq]) for seq in some if seq in texts]


def _parts(n_chars: Mapping[int, int], *, order: Collection[int]) -> Iterator[list[int]]:
    part: list[int] = []
    total = 0
    for seq in order:
        if seq not in n_chars:
            continue  # erased since
        part.append(seq)
        total += n_chars[seq]
        if total >= _TEXT_CHARS:
            yield part
            part, total = [], 0
    if part:
        yield part
