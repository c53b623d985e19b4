"""What goes in: items with their analyses, runs, sources. Nothing here changes a row that exists."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from nlp.types import Analysis, Provenance
from service.store import tables
from service.store.dialect import insert_new, writing
from service.store.errors import Conflict
from service.store.records import FACETS, NewItem, analysis_row, item_row, label_rows, to_json

_LOOKUP_ROWS = 400  # SQLite takes at most 999 parameters in old builds, and a key has two


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

    id: str
    text_sha256: str


Key = tuple[str, str]  # source, external_id


def register_source(engine: sa.Engine, source: Source) -> bool:
    """Add a source; False when the very same one was there.

    Raises:
        Conflict: the name is taken by a source with other properties.
    """
    with writing(engine) as connection:
        query = sa.select(tables.sources).where(tables.sources.c.name == source.name)
        row = connection.execute(query).mappings().first()
        if row is None:
            connection.execute(tables.sources.insert(), asdict(source))
            return True
    if Source(**row) != source:
        raise Conflict(f"source {source.name!r} is registered with other properties")
    return False


def ensure_run(engine: sa.Engine, provenance: Provenance, *, now: datetime) -> int:
    """The run that new items join under this model, pack and code; made on first use.

    The first run of all becomes the active one of every facet. A later one does not take over what was
    read before: views fall back on it only for items that the active run has not seen.
    """
    runs = tables.runs
    identity = {**asdict(provenance), "scope": "intake", "state": "live"}
    with writing(engine) as connection:
        same = sa.and_(*(runs.c[name] == value for name, value in identity.items()))
        newest = sa.select(runs.c.id).where(same).order_by(runs.c.id.desc()).limit(1)
        if connection.scalar(newest) is None:
            connection.execute(runs.insert().values(**identity, created_at=now))
        run_id: int = connection.execute(newest).scalar_one()
        pointers = [{"facet": facet, "run_id": run_id} for facet in FACETS]
        connection.execute(insert_new(connection, tables.active_runs), pointers)
    return run_id


def find(connection: sa.Connection, keys: Collection[Key]) -> dict[Key, Known]:
    """Which of these keys are taken, and by what."""
    items = tables.items
    known: dict[Key, Known] = {}
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _LOOKUP_ROWS):
        some = ordered[start : start + _LOOKUP_ROWS]
        query = sa.select(
            items.c.source, items.c.external_id, items.c.id, items.c.text_sha256
        ).where(sa.tuple_(items.c.source, items.c.external_id).in_(some))
        known |= {(row[0], row[1]): Known(row[2], row[3]) for row in connection.execute(query)}
    return known


def add(
    engine: sa.Engine, entries: Sequence[tuple[NewItem, Analysis]], *, run_id: int
) -> dict[Key, Known]:
    """Store items with their analyses, all or none; a key that is taken keeps its first item.

    Returns:
        what now stands under each key, in no order: compare ids to see whose item it is.
    """
    keys = [(item.source, item.external_id) for item, _ in entries]
    with writing(engine) as connection:
        rows = [item_row(item) for item, _ in entries]
        connection.execute(insert_new(connection, tables.items), rows)
        standing = find(connection, keys)
        ids = {known.id for known in standing.values()}
        fresh = [analysis for item, analysis in entries if item.id in ids]
        _add_answers(connection, fresh, run_id=run_id)
    return standing


def _add_answers(connection: sa.Connection, analyses: Sequence[Analysis], *, run_id: int) -> None:
    answers = [to_json(analysis) for analysis in analyses]
    labels = [row for answer in answers for row in label_rows(answer, run_id=run_id)]
    codes = [
        {"facet": row["facet"], "code": label["code"], "item_id": row["item_id"], "run_id": run_id}
        for row in labels
        for label in row["labels"]
    ]
    wholes = [analysis_row(answer, run_id=run_id) for answer in answers]
    pairs = ((tables.analyses, wholes), (tables.label_sets, labels), (tables.label_codes, codes))
    for table, rows in pairs:
        if rows:
            connection.execute(table.insert(), rows)
