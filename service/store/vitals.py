"""How the store is: a few cheap questions for whoever watches over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.store import tables
from service.store.jobs import STATES


@dataclass(frozen=True, slots=True)
class Vitals:
    """Jobs by state (each of them, 0 too), live workers, what has waited longest, feeds that fail."""

    jobs: Mapping[str, int]
    n_workers: int
    oldest_queued_s: float
    n_feeds_failing: int


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may come in: keys that open, and staff who may sign in."""

    n_keys: int
    n_staff: int


def read_vitals(engine: sa.Engine, *, now: datetime, dead_after_s: float) -> Vitals:
    """Ask the database; a worker lives whose last beat is at most `dead_after_s` old.

    Raises:
        SQLAlchemyError: it cannot be reached, or was not migrated.
    """
    jobs, workers = tables.jobs.c, tables.workers.c
    states = sa.select(jobs.state, sa.func.count()).group_by(jobs.state)
    fresh = sa.and_(
        workers.state == "live", workers.beat_at >= now - timedelta(seconds=dead_after_s)
    )
    oldest = sa.select(sa.func.min(jobs.created_at)).where(jobs.state == "queued")
    feeds = tables.feeds.c
    failing = sa.and_(feeds.ended_at.is_(None), feeds.n_failed > 0)
    with engine.connect() as connection:
        counted: dict[str, int] = {row[0]: row[1] for row in connection.execute(states)}
        n_workers = connection.scalar(sa.select(sa.func.count()).where(fresh)) or 0
        since = connection.scalar(oldest)
        n_failing = connection.scalar(sa.select(sa.func.count()).where(failing)) or 0
    waited_s = (now - since).total_seconds() if since else 0.0
    # a clock that was set back would make it negative
    return Vitals(dict.fromkeys(STATES, 0) | counted, n_workers, max(0.0, waited_s), n_failing)


def newest_moment(connection: sa.Connection) -> datetime | None:
    """When the last item came in, as the clock of that time had it; None where there is none."""
    newest: datetime | None = connection.scalar(sa.select(sa.func.max(tables.items.c.received_at)))
    return newest


def count_doors(connection: sa.Connection, *, now: datetime) -> Doors:
    """How many keys open and how many people may sign in."""
    keys, staff = tables.api_keys.c, tables.staff.c
    opens = sa.and_(
        keys.ended_at.is_(None), sa.or_(keys.expires_at.is_(None), keys.expires_at > now)
    )
    n_keys = connection.scalar(sa.select(sa.func.count()).where(opens))
    n_staff = connection.scalar(sa.select(sa.func.count()).where(staff.ended_at.is_(None)))
    return Doors(n_keys or 0, n_staff or 0)
