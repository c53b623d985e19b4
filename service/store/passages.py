"""Passages of official documents by their tone: what reports say themselves went wrong, for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from service.store import tables
from service.store.choosing import select_items
from service.store.dialect import lots
from service.store.query import Query
from service.store.records import Row
from service.store.stack import WHOLE, Said, Stack, read_answers, read_stack


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document; `areas` are its own, else the main one of the document."""

    start: int
    end: int
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speaking:
    """A document that has such passages; `headline` as in a list of documents."""

    seq: int
    id: str
    file_name: str | None
    received_at: datetime
    headline: Mapping[str, str | None]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The documents that have such passages, newest first, among the `n_read` newest of a time.

    `is_all` where there were no more documents to read.
    """

    documents: tuple[Speaking, ...]
    n_read: int
    is_all: bool


def find_passages(
    connection: sa.Connection,
    *,
    tone: str,
    received_from: datetime,
    received_to: datetime,
    limit: int,
) -> Found:
    """Read the analyses of the newest `limit` official documents that came in within a time.

    No index is kept of passages: the analyses themselves are read, as models gave them.
    """
    items, stack = tables.items.c, read_stack(connection)
    within = Query(
        intake="document", kind="official", received_from=received_from, received_to=received_to
    )
    columns = (items.seq, items.id, items.run_id, items.file_name, items.received_at)
    statement = select_items(connection, within, stack=stack, columns=columns)
    if statement is None:
        return Found((), 0, is_all=True)
    rows = connection.execute(statement.limit(limit + 1)).mappings().all()
    read = [dict(row) for row in rows[:limit]]
    documents = tuple(
        speaking
        for some in lots(read)
        for speaking in _speaking(connection, some, stack=stack, tone=tone)
    )
    return Found(documents, len(read), is_all=len(rows) <= limit)


def read_quotes(
    connection: sa.Connection, documents: Sequence[Speaking], *, n_chars: int
) -> dict[tuple[int, int], str]:
    """How the passages of some documents begin, by the `seq` of the document and where they start."""
    items = tables.items.c
    seqs = [document.seq for document in documents]
    query = sa.select(items.seq, items.text).where(items.seq.in_(seqs))
    texts: dict[int, str] = dict(connection.execute(query).all())
    return {
        (document.seq, passage.start): texts[document.seq][passage.start : passage.end][:n_chars]
        for document in documents
        for passage in document.passages
        if document.seq in texts
    }


def _speaking(
    connection: sa.Connection, rows: Sequence[Row], *, stack: Stack, tone: str
) -> list[Speaking]:
    first_runs = {row["seq"]: row["run_id"] for row in rows}
    by_models = read_answers(connection, first_runs, stack=stack.of_models())
    standing = read_answers(connection, first_runs, stack=stack)
    runs = {seq: said[WHOLE].run_id for seq, said in by_models.items() if WHOLE in said}
    analyses = tables.analyses.c
    # SQLite finds pairs by no index
    query = sa.select(analyses.run_id, analyses.seq, analyses.analysis, analyses.headline).where(
        analyses.run_id.in_(set(runs.values())), analyses.seq.in_(runs)
    )
    of_item = {row["seq"]: row for row in rows}
    found = []
    for run_id, seq, text, headline in connection.execute(query):
        if runs[seq] != run_id or f'"{tone}"' not in text:
            continue
        main = _main_area(standing[seq].get(WHOLE))
        passages = tuple(
            Passage(own["start"], own["end"], tuple(own["task_area"]) or main)
            for own in orjson.loads(text)["segments"]
            if own["tone"] == tone
        )
        if passages:
            row = of_item[seq]
            found.append(
                Speaking(seq, row["id"], row["file_name"], row["received_at"], headline, passages)
            )
    return sorted(found, key=lambda one: -one.seq)


def _main_area(said: Said | None) -> tuple[str, ...]:
    return said.answer.codes[:1] if said is not None else ()
