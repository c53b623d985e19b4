"""Where texts are fetched from, and how far that has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import sqlalchemy as sa

from service.store.tables import feeds, jobs

FeedKind = Literal["feed", "folder", "mailbox"]
KINDS: tuple[FeedKind, ...] = get_args(FeedKind)
_LONGEST_PAUSE = timedelta(days=1)
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class Feed:
    """A place that is looked at every `every_s` seconds; one that has ended keeps its name and nothing else.

    `state` is JSON of the connector's.
    """

    name: str
    kind: FeedKind
    address: str = field(repr=False)  # of a mailbox it has the login
    source: str
    options: Mapping[str, str]
    every_s: int
    created_at: datetime
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ended_at: datetime | None = None
    looked_at: datetime | None = None
    reason: str | None = None
    n_failed: int = 0
    job_id: str | None = None

    @property
    def due_at(self) -> datetime:
        """When to look next: after each look that failed the pause is twice as long, up to a day."""
        if self.looked_at is None:
            return self.created_at
        pause = timedelta(seconds=self.every_s)
        patient = pause * 2 ** min(self.n_failed, _MOST_DOUBLINGS)
        due_at: datetime = self.looked_at + max(pause, min(patient, _LONGEST_PAUSE))
        return due_at


def add_feed(connection: sa.Connection, feed: Feed) -> None:
    """Keep a new feed; its name must be free."""
    connection.execute(feeds.insert(), {name: getattr(feed, name) for name in Feed.__slots__})


def find_feed(connection: sa.Connection, name: str) -> Feed | None:
    """A feed, ended or not; None when there never was one of this name."""
    row = connection.execute(sa.select(feeds).where(feeds.c.name == name)).mappings().first()
    return None if row is None else Feed(**row)


def list_feeds(connection: sa.Connection) -> tuple[Feed, ...]:
    """Every feed there ever was, oldest first."""
    query = sa.select(feeds).order_by(feeds.c.created_at, feeds.c.name)
    return tuple(Feed(**row) for row in connection.execute(query).mappings())


def end_feed(connection: sa.Connection, name: str, *, now: datetime) -> bool:
    """Look there no more and forget how far it came; False when it had ended, or there is none."""
    live = (feeds.c.name == name, feeds.c.ended_at.is_(None))
    ended = feeds.update().where(*live).values(ended_at=now, state={}, reason=None, n_failed=0)
    return connection.execute(ended).rowcount == 1


def note_order(connection: sa.Connection, feed: Feed, *, job_id: str, now: datetime) -> bool:
    """Note that a look is ordered by this job; False when somebody else was quicker.

    The job before it is forgotten where it found nothing: a feed that is looked at every minute would
    otherwise fill the list of jobs.
    """
    same = (feeds.c.name == feed.name, feeds.c.ended_at.is_(None))
    as_seen = feeds.c.job_id.is_not_distinct_from(feed.job_id)
    ordered = feeds.update().where(*same, as_seen).values(looked_at=now, job_id=job_id)
    if connection.execute(ordered).rowcount != 1:
        return False
    last = (jobs.c.id == feed.job_id, jobs.c.state == "done")
    found = connection.execute(sa.select(jobs.c.result).where(*last)).scalar_one_or_none()
    if found is not None and not (found["accepted"] or found["refused"]):
        connection.execute(jobs.delete().where(*last))
    return True


def note_progress(connection: sa.Connection, name: str, *, state: Mapping[str, Any]) -> None:
    """Remember how far a look has come."""
    live = (feeds.c.name == name, feeds.c.ended_at.is_(None))
    connection.execute(feeds.update().where(*live).values(state=dict(state)))


def note_look(
    connection: sa.Connection, name: str, *, now: datetime, reason: str | None = None
) -> None:
    """Note that somebody has looked, and what kept them from it."""
    n_failed = 0 if reason is None else feeds.c.n_failed + 1
    live = (feeds.c.name == name, feeds.c.ended_at.is_(None))
    told = feeds.update().where(*live).values(looked_at=now, reason=reason, n_failed=n_failed)
    connection.execute(told)
