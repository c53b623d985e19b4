"""Citizens' texts that were kept before the rules at the door were: read by them now.

What reads like a denunciation is sealed and no item any more, as if it had come in today.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from service.actions import Desk, seal_apart
from service.jobs.archive import find_chunks, plan_stretches
from service.jobs.retention import order_wiping
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.upload import desk_of
from service.monitor.traits import is_denunciation, read_traits
from service.store import tables
from service.store.days import day_of
from service.store.dialect import writing
from service.store.jobs import Job
from service.store.query import Query
from service.store.records import Traits
from service.store.retention import erase
from service.store.traits import Fresh, keep_traits

_OPINIONS = Query(kind="opinion")


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """Stretches of the archive that hold opinions."""
    return plan_stretches(ctx.engine, _OPINIONS)


def shard(ctx: Context, run: Run) -> Json:
    """Read what has no traits in one stretch; how many texts were set apart."""
    start, end = run.data
    desk = desk_of(ctx)
    n_apart = 0
    for found in find_chunks(
        ctx.engine, Query(kind="opinion", from_seq=start, to_seq=end), aside=run.aside
    ):
        run.check()
        seqs = [one.seq for one in found]
        with writing(ctx.engine) as connection:
            n_apart += _read(connection, seqs, desk=desk)
            run.report(len(found), within=connection)
    return n_apart


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Wipe out what the texts that were set apart left behind."""
    if any(results):
        with writing(ctx.engine) as connection:
            order_wiping(connection, asked_by=job.asked_by, now=ctx.now())
    return None


TRAITS = Kind(plan, shard, finish)


def _read(connection: sa.Connection, seqs: Sequence[int], *, desk: Desk) -> int:
    """Keep the traits of those of these items that have none; how many are items no more."""
    items = tables.items
    has_some = sa.exists().where(tables.traits.c.seq == items.c.seq)
    query = sa.select(items).where(items.c.seq.in_(seqs), ~has_some).order_by(items.c.seq)
    rows = connection.execute(query.with_for_update(of=items)).mappings().all()
    found = list(
        zip(rows, read_traits([row["text"] for row in rows], rules=desk.rules), strict=True)
    )
    keep_traits(connection, [_fresh(row, own) for row, own in found if not is_denunciation(own)])
    apart = [row for row, own in found if is_denunciation(own)]
    for row in apart:
        key = (row["source"], row["external_id"])
        kept = {name: row[name] for name in ("id", "text", "received_at")}
        seal_apart(connection, key, sealer=desk.sealer, **kept)
    if apart:
        erase(connection, [row["seq"] for row in apart])
    return len(apart)


def _fresh(row: sa.RowMapping, own: Traits) -> Fresh:
    day = day_of(row["posted_at"], received_at=row["received_at"])
    return Fresh(row["seq"], row["text"], row["source"], day, own)
