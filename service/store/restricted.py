"""Texts that read like a denunciation (tố cáo): kept sealed, counted, handed over, forgotten in time.

They are no items: no list, search, model or export ever meets them. A row without its sealed text has been
handed over and only counts.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.store import tables
from service.store.days import VIETNAM
from service.store.dialect import insert_new, lots
from service.store.intake import Key, look_up


@dataclass(frozen=True, slots=True)
class Month:
    """How many came in within one month of Vietnam ("2026-01"), and how many of them were handed over."""

    month: str
    n_received: int
    n_handed_over: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """One text that waits to be handed over."""

    id: str
    source: str
    external_id: str
    received_at: datetime
    sealed: bytes


def put(
    connection: sa.Connection,
    *,
    id: str,
    source: str,
    external_id: str,
    sealed: bytes,
    received_at: datetime,
) -> str:
    """Keep one sealed text, unless something is kept under this source and external_id already.

    Returns:
        the id that stands under them: the one given if the text is new, else that of the first.
    """
    row = {"id": id, "source": source, "external_id": external_id, "received_at": received_at}
    connection.execute(insert_new(connection, tables.restricted), row | {"sealed": sealed})
    return find(connection, [(source, external_id)])[source, external_id]


def find(connection: sa.Connection, keys: Collection[Key]) -> dict[Key, str]:
    """Which of these keys are taken by a restricted text, and its id; handed over ones too."""
    found = look_up(connection, tables.restricted, keys, shown=("id",))
    return {key: item_id for key, (item_id,) in found}


def count_months(connection: sa.Connection) -> tuple[Month, ...]:
    """How many came in, month by month, the newest first; months without any between others are there."""
    restricted = tables.restricted.c
    ends = sa.select(sa.func.min(restricted.received_at), sa.func.max(restricted.received_at))
    oldest, newest = connection.execute(ends).one()
    if oldest is None:
        return ()
    months = []
    for begin, end in _months(oldest, newest):
        query = sa.select(sa.func.count(), sa.func.count(restricted.handed_over_at)).where(
            restricted.received_at >= begin, restricted.received_at < end
        )
        n_received, n_handed_over = connection.execute(query).one()
        months.append(Month(f"{begin:%Y-%m}", n_received, n_handed_over))
    return tuple(reversed(months))


def _months(oldest: datetime, newest: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The months of Vietnam from one moment to another: where each begins and ends."""
    first = oldest.astimezone(VIETNAM)
    begin = datetime(first.year, first.month, 1, tzinfo=VIETNAM)
    while begin <= newest:
        end = (begin + timedelta(days=32)).replace(day=1)
        yield begin, end
        begin = end


def count_sources(connection: sa.Connection) -> dict[str, int]:
    """How many came from each source, by its name."""
    source = tables.restricted.c.source
    query = sa.select(source, sa.func.count()).group_by(source).order_by(source)
    return dict(connection.execute(query).all())


def count_waiting(connection: sa.Connection) -> int:
    """How many wait to be handed over."""
    waiting = tables.restricted.c.sealed.is_not(None)
    return connection.scalar(sa.select(sa.func.count()).where(waiting)) or 0


def oldest_waiting(connection: sa.Connection, *, limit: int) -> tuple[Sealed, ...]:
    """The oldest texts that wait to be handed over; nobody else can take them meanwhile."""
    restricted = tables.restricted.c
    query = (
        sa.select(*(restricted[name] for name in Sealed.__slots__))
        .where(restricted.sealed.is_not(None))
        .order_by(restricted.received_at, restricted.id)
        .limit(limit)
        .with_for_update()
    )
    return tuple(Sealed(**row) for row in connection.execute(query).mappings())


def mark_handed_over(connection: sa.Connection, ids: Collection[str], *, now: datetime) -> None:
    """Delete the sealed texts of those that were handed over; they still count."""
    restricted = tables.restricted
    for some in lots(sorted(ids)):
        connection.execute(
            restricted.update()
            .where(restricted.c.id.in_(some))
            .values(sealed=None, handed_over_at=now)
        )


def forget_due(connection: sa.Connection, *, now: datetime) -> int:
    """Delete what is past the retention of its source, handed over or not; how many there were."""
    restricted, sources = tables.restricted, tables.sources.c
    n_forgotten = 0
    kept = sa.select(sources.name, sources.retention_days)
    for source, days in connection.execute(kept).all():
        is_due = (
            restricted.c.source == source,
            restricted.c.received_at <= now - timedelta(days=days),
        )
        n_forgotten += connection.execute(restricted.delete().where(*is_due)).rowcount
    return n_forgotten
