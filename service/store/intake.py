"""What goes in: items with their analyses, runs, sources."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from nlp.types import Analysis, Provenance
from service.store import tables
from service.store.days import day_of
from service.store.dialect import Then, insert_new, lots, writing
from service.store.errors import Conflict
from service.store.records import (
    NewItem,
    Parents,
    Row,
    analysis_row,
    answer_row,
    answers_of,
    index_rows,
    item_row,
)
from service.store.search import index_texts
from service.store.traits import Fresh, keep_traits


@dataclass(frozen=True, slots=True)
class Source:
    """Where texts come from, why they may be read, and how long they are kept."""

    name: str
    channel: str
    legal_basis: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class Known:
    """An item that is already there."""

    seq: int
    id: str
    text_sha256: str


Key = tuple[str, str]  # source, external_id


def register_source(
    engine: sa.Engine, source: Source, *, then: Then = lambda connection: None
) -> bool:
    """Add a source; False when the very same one was there.

    `then` is done in the same transaction, for a new one.

    Raises:
        Conflict: the name is taken by a source with other properties.
    """
    with writing(engine) as connection:
        query = sa.select(tables.sources).where(tables.sources.c.name == source.name)
        row = connection.execute(query).mappings().first()
        if row is None:
            connection.execute(tables.sources.insert(), asdict(source))
            then(connection)
            return True
    if Source(**row) != source:
        raise Conflict(f"source {source.name!r} is registered with other properties")
    return False


def ensure_run(engine: sa.Engine, provenance: Provenance, *, now: datetime) -> int:
    """The run that new items join under this model, pack and code; made on first use.

    It answers for the items it reads first and takes over no other.
    """
    runs = tables.runs
    identity = {**asdict(provenance), "kind": "intake", "state": "live"}
    with writing(engine) as connection:
        same = sa.and_(*(runs.c[name] == value for name, value in identity.items()))
        newest = sa.select(runs.c.id).where(same).order_by(runs.c.id.desc()).limit(1)
        if connection.scalar(newest) is None:
            facts = {"scope": {}, "made_by": "service", "created_at": now}
            connection.execute(runs.insert().values(**identity, **facts))
        run_id: int = connection.execute(newest).scalar_one()
    return run_id


def find(connection: sa.Connection, keys: Collection[Key]) -> dict[Key, Known]:
    """Which of these keys are taken, and by what."""
    found = look_up(connection, tables.items, keys, shown=("seq", "id", "text_sha256"))
    return {key: Known(*row) for key, row in found}


def look_up(
    connection: sa.Connection, table: sa.Table, keys: Collection[Key], *, shown: Sequence[str]
) -> Iterator[tuple[Key, Sequence[Any]]]:
    """What stands in a table under these keys. `Any`: a value's type depends on its column."""
    columns = [table.c[name] for name in ("external_id", *shown)]
    named: dict[str, set[str]] = {}
    for source, external_id in keys:
        named.setdefault(source, set()).add(external_id)
    for source, external_ids in named.items():
        for some in lots(sorted(external_ids)):
            # SQLite finds pairs by no index, but one source after the other
            query = sa.select(*columns).where(
                table.c.source == source, table.c.external_id.in_(some)
            )
            for external_id, *row in connection.execute(query):
                yield (source, external_id), row


def add(
    engine: sa.Engine,
    entries: Sequence[tuple[NewItem, Analysis | None]],
    *,
    run_id: int,
    parents: Parents,
) -> dict[Key, Known]:
    """Store items with their analyses, all or none; a key that is taken keeps its first item.

    An item without an analysis waits: see `service.reading`.

    Returns:
        what now stands under each key, in no order: compare ids to see whose item it is.
    """
    keys = [(item.source, item.external_id) for item, _ in entries]
    with writing(engine) as connection:
        rows = [
            item_row(item) | {"run_id": run_id if analysis else None} for item, analysis in entries
        ]
        connection.execute(insert_new(connection, tables.items), rows)
        standing = find(connection, keys)
        seqs = {known.id: known.seq for known in standing.values()}
        fresh = {seqs[item.id]: (item, read) for item, read in entries if item.id in seqs}
        index_texts(connection, ((seq, item.doc.text) for seq, (item, _) in fresh.items()))
        analyses = {seq: analysis for seq, (_, analysis) in fresh.items() if analysis}
        append_answers(connection, analyses, run_id=run_id, parents=parents)
        keep_traits(
            connection,
            [
                Fresh(seq, item.doc.text, item.source, _day(item), item.traits)
                for seq, (item, _) in sorted(fresh.items(), key=lambda one: one[0])
                if item.traits
            ],
        )
    return standing


def _day(item: NewItem) -> date:
    return day_of(item.posted_at, received_at=item.received_at)


def append_answers(
    connection: sa.Connection, analyses: Mapping[int, Analysis], *, run_id: int, parents: Parents
) -> None:
    """Keep what a run says of items, by their `seq`; what it has said before stays.

    Items that were erased meanwhile are passed over, and none is erased before the transaction ends.
    """
    items = tables.items.c
    # in the order in which `retention.erase` takes hold of them: neither then waits for the other for ever
    there = sa.select(items.seq).where(items.seq.in_(analyses)).order_by(items.seq)
    held = set(connection.scalars(there.with_for_update(read=True, key_share=True)))
    wholes, answers, codes = list[Row](), list[Row](), list[Row]()
    for seq, analysis in analyses.items():
        if seq in held:
            said = answers_of(analysis)
            wholes.append(analysis_row(analysis, seq=seq, run_id=run_id))
            answers.append(answer_row(said, seq=seq, run_id=run_id))
            codes += index_rows(said, seq=seq, run_id=run_id, parents=parents)
    pairs = ((tables.analyses, wholes), (tables.answers, answers), (tables.label_index, codes))
    for table, rows in pairs:
        if rows:
            connection.execute(insert_new(connection, table), rows)
