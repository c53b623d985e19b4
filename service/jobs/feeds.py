"""Feeds: texts that are fetched for a registered source, again and again, and handed to the intake.

The intake knows what it has by source and name, so a look that was broken off is simply done again: what
is there already is passed over, and how far it came is noted only behind what is kept.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from nlp.errors import DanvanError
from service.actions import Desk, new_id
from service.auth import Caller
from service.feeds.entries import Entry, Step, to_opinion
from service.jobs import waiting
from service.jobs.looking import Wish, check, look
from service.jobs.orders import submit_within
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.upload import desk_of
from service.opinions import store_opinions
from service.settings import Settings
from service.store.access import Entry as LogEntry
from service.store.access import add_entries
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound, UnknownSource
from service.store.feeds import (
    Feed,
    add_feed,
    end_feed,
    find_feed,
    list_feeds,
    note_look,
    note_order,
    note_progress,
)
from service.store.jobs import OPEN, Job
from service.store.tables import jobs, sources

KIND = "feed"
MAX_LIVE = 100
_AT_ONCE = 256
_MOST_REASONS = 20
_OTHERWISE = "other reasons"
_NONE = "no feed of this name is looked at; /v1/feeds lists them"


def register(
    engine: sa.Engine, name: str, *, wish: Wish, by: Caller, now: datetime, settings: Settings
) -> Feed:
    """Look somewhere from now on.

    Raises:
        InvalidRecord: a part of the wish cannot be.
        UnknownSource: the source is not registered.
        Conflict: the name is taken, be it by a feed that has ended, or there are too many.
    """
    feed = wish.named(name, now=now)
    check(feed, settings=settings)
    with writing(engine) as connection:
        named = sa.select(sources.c.name).where(sources.c.name == feed.source)
        if connection.scalar(named) is None:
            raise UnknownSource("the source is not registered; register it at /v1/sources")
        if sum(one.ended_at is None for one in list_feeds(connection)) >= MAX_LIVE:
            raise Conflict(f"there are {MAX_LIVE} feeds already; end one first")
        if find_feed(connection, name) is not None:
            raise Conflict("the name is taken, be it by a feed that has ended; choose another one")
        add_feed(connection, feed)
        add_entries(connection, [LogEntry(now, by.name, "feed.made", name)])
    return feed


def find(engine: sa.Engine, name: str) -> Feed:
    """A feed that is looked at.

    Raises:
        NotFound: there is none of this name, or it has ended.
    """
    with engine.connect() as connection:
        feed = find_feed(connection, name)
    if feed is None or feed.ended_at is not None:
        raise NotFound(_NONE)
    return feed


def end(engine: sa.Engine, name: str, *, by: Caller, now: datetime) -> Feed:
    """Look there no more; what was taken stays.

    Raises:
        NotFound: there is no such feed, or it has ended.
    """
    with writing(engine) as connection:
        is_ended = end_feed(connection, name, now=now)
        feed = find_feed(connection, name)
        if feed is None or not is_ended:
            raise NotFound(_NONE)
        add_entries(connection, [LogEntry(now, by.name, "feed.ended", name)])
    return feed


def order_due(ctx: Context) -> None:
    """Have every feed looked at whose time has come; may be called every few seconds."""
    now = ctx.now()
    with ctx.engine.connect() as connection:
        due = [f for f in list_feeds(connection) if f.ended_at is None and f.due_at <= now]
    for feed in due:
        with writing(ctx.engine) as connection:
            _order(connection, feed, now=now)


def _order(connection: sa.Connection, feed: Feed, *, now: datetime) -> None:
    """Order a look, unless one is ordered that has not ended."""
    job_id = new_id(now)
    last = sa.select(jobs.c.id).where(jobs.c.id == feed.job_id, jobs.c.state.in_(OPEN))
    is_under_way = connection.scalar(last) is not None
    if not is_under_way and note_order(connection, feed, job_id=job_id, now=now):
        params = {"name": feed.name}
        submit_within(connection, KIND, params=params, asked_by="danvan", now=now, job_id=job_id)


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """One shard; how much there is nobody knows before looking."""
    return [Shard(None, size=0)]


def shard(ctx: Context, run: Run) -> Json:
    """Look, and hand what is new to the intake; how much was new, known and refused, and why.

    Raises:
        DanvanError: there is no getting at it; the pause before the next look is then longer.
    """
    run.check()
    feed = find(ctx.engine, run.job.params["name"])
    intake = _Intake(desk_of(ctx), run, feed)
    failure = None
    try:
        for step in look(feed, settings=ctx.settings, now=ctx.now()):
            intake.take(step)
    except DanvanError as error:
        failure = error
    with writing(ctx.engine) as connection:
        reason = None if failure is None else str(failure)
        note_look(connection, feed.name, now=ctx.now(), reason=reason)
        if intake.tally["accepted"]:
            waiting.order(connection, asked_by=run.job.asked_by, now=ctx.now())
    if failure is not None:
        raise failure
    return intake.told


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Tell what came of it."""
    return results[0]


FEEDING = Kind(plan, shard, finish)


@dataclass(frozen=True, slots=True)
class _Intake:
    """What a look has found on its way into the store, and what became of it."""

    desk: Desk
    run: Run
    feed: Feed
    tally: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def told(self) -> Json:
        """Counts, and the reasons of what was refused."""
        counts = {name: self.tally[name] for name in ("accepted", "duplicate", "refused")}
        return {**counts, "reasons": dict(self.reasons)}

    def take(self, step: Step) -> None:
        """Keep the entries of a step, masked, for a worker to read; then remember how far it is."""
        for start in range(0, len(step.entries), _AT_ONCE):
            self.run.check()
            some = step.entries[start : start + _AT_ONCE]
            self._keep(some)
            self.run.report(len(some))
        for name, reason in step.faults.items():
            self.run.set_aside(name, reason)
            self._refuse(reason)
        if step.state is not None:
            with writing(self.desk.engine) as connection:
                note_progress(connection, self.feed.name, state=step.state)
                self.run.report(0, within=connection)

    def _keep(self, entries: Sequence[Entry]) -> None:
        good = [to_opinion(e, source=self.feed.source) for e in entries if e.fault is None]
        for outcome in store_opinions(self.desk, good, later=True):
            if outcome.status == "error":
                self._refuse(outcome.reason or "")
            else:
                self.tally[outcome.status] += 1
        for entry in entries:
            if entry.fault is not None:
                self._refuse(entry.fault)

    def _refuse(self, reason: str) -> None:
        self.tally["refused"] += 1
        is_room = reason in self.reasons or len(self.reasons) < _MOST_REASONS
        self.reasons[reason if is_room else _OTHERWISE] += 1
