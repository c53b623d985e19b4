"""Who is told when something happens, and what could not be delivered to them yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from service.store import tables

_hooks = tables.webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver and the events it asked for; one that has ended is told nothing any more."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    ended_at: datetime | None = None
    rests_until: datetime | None = None
    secret: str = field(default="", repr=False)


def add_webhook(connection: sa.Connection, hook: Webhook) -> None:
    """Keep a new receiver."""
    row = {name: getattr(hook, name) for name in Webhook.__slots__}
    connection.execute(_hooks.insert(), row | {"events": list(hook.events)})


def find_webhook(connection: sa.Connection, hook_id: str) -> Webhook | None:
    """A receiver with its secret, ended or not; None when there is none."""
    row = connection.execute(sa.select(_hooks).where(_hooks.c.id == hook_id)).mappings().first()
    return None if row is None else _to_webhook(row)


def list_webhooks(connection: sa.Connection) -> tuple[Webhook, ...]:
    """Every receiver there ever was, oldest first."""
    query = sa.select(_hooks).order_by(_hooks.c.created_at, _hooks.c.id)
    return tuple(_to_webhook(row) for row in connection.execute(query).mappings())


def live_webhooks(connection: sa.Connection, *, event: str) -> tuple[str, ...]:
    """The ids of the receivers that asked for an event."""
    query = sa.select(_hooks.c.id, _hooks.c.events).where(_hooks.c.ended_at.is_(None))
    return tuple(
        row.id for row in connection.execute(query.order_by(_hooks.c.id)) if event in row.events
    )


def count_live(connection: sa.Connection) -> int:
    """How many receivers are told of events."""
    query = sa.select(sa.func.count()).where(_hooks.c.ended_at.is_(None))
    return connection.scalar(query) or 0


def end_webhook(connection: sa.Connection, hook_id: str, *, now: datetime) -> bool:
    """Tell a receiver nothing any more and forget its secret; False when it had ended, or there is none."""
    live = (_hooks.c.id == hook_id, _hooks.c.ended_at.is_(None))
    ended = _hooks.update().where(*live).values(ended_at=now, secret="")
    return connection.execute(ended).rowcount == 1


def let_rest(connection: sa.Connection, hook_id: str, *, until: datetime) -> None:
    """Leave a receiver alone until a moment."""
    resting = _hooks.update().where(_hooks.c.id == hook_id).values(rests_until=until)
    connection.execute(resting)


def list_undelivered(
    engine: sa.Engine,
    kind: str,
    *,
    after: datetime,
    failed_before: Sequence[datetime],
    limit: int,
) -> Sequence[str]:
    """The jobs of this kind whose time to be tried again has come, the oldest first.

    Args:
        engine: the store.
        kind: of jobs that deliver.
        after: older ones are not tried any more.
        failed_before: when those of the first attempt, the second and so on must have failed; the last
            goes for all later ones.
        limit: how many at most.
    """
    jobs = tables.jobs
    last = len(failed_before)
    is_due = [
        sa.and_(
            jobs.c.attempt >= number if number == last else jobs.c.attempt == number,
            jobs.c.finished_at <= moment,
        )
        for number, moment in enumerate(failed_before, start=1)
    ]
    failed = (jobs.c.kind == kind, jobs.c.state == "failed", jobs.c.created_at > after)
    query = sa.select(jobs.c.id).where(*failed, sa.or_(*is_due)).order_by(jobs.c.created_at)
    with engine.connect() as connection:
        return connection.scalars(query.limit(limit)).all()


def _to_webhook(row: sa.RowMapping) -> Webhook:
    values = {name: row[name] for name in Webhook.__slots__}
    return Webhook(**values | {"events": tuple(row["events"])})
