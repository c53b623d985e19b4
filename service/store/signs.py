"""Signs of life: whether the clock can be believed when it says that the time of texts is over.

Whatever happens leaves a moment behind: an item, a job, the beat of a worker. As long as they follow each
other closely from the last retention up to now, time has passed. Where a stretch without any lies between,
the service stood still, or the clock has jumped; which of the two only people know. Signs that a wrong clock
leaves behind do not close the gap, so it stays open until somebody says that the clock is right.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.store import tables
from service.store.retention import is_done_retention


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time without a sign of life."""

    since: datetime
    until: datetime


def find_gap(connection: sa.Connection, *, now: datetime, longest: timedelta) -> Gap | None:
    """The first stretch without a sign that is longer than `longest`, from the last retention up to now.

    Before the first retention only the newest item tells. None where time has passed, or nothing is there.
    """
    reached = _last_retention(connection, now=now) or _newest_item(connection, now=now)
    while reached is not None and now - reached > longest:
        following = _newest_sign(connection, after=reached, upto=reached + longest)
        if following is None:
            return Gap(reached, min(_oldest_sign(connection, after=reached) or now, now))
        reached = following
    return None


def _last_retention(connection: sa.Connection, *, now: datetime) -> datetime | None:
    started = tables.jobs.c.started_at
    newest = sa.select(sa.func.max(started)).where(*is_done_retention(), started <= now)
    moment: datetime | None = connection.scalar(newest)
    return moment


def _newest_item(connection: sa.Connection, *, now: datetime) -> datetime | None:
    received = tables.items.c.received_at
    moment: datetime | None = connection.scalar(
        sa.select(sa.func.max(received)).where(received <= now)
    )
    return moment


def _newest_sign(connection: sa.Connection, *, after: datetime, upto: datetime) -> datetime | None:
    found = (
        connection.scalar(sa.select(sa.func.max(sign)).where(sign > after, sign <= upto))
        for sign in _signs()
    )
    return max((moment for moment in found if moment is not None), default=None)


def _oldest_sign(connection: sa.Connection, *, after: datetime) -> datetime | None:
    found = (connection.scalar(sa.select(sa.func.min(s)).where(s > after)) for s in _signs())
    return min((moment for moment in found if moment is not None), default=None)


def _signs() -> tuple[sa.Column[datetime], ...]:
    return (tables.items.c.received_at, tables.jobs.c.created_at, tables.workers.c.beat_at)
