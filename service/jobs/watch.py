"""Watching: every day the counts up to yesterday are looked at, and whoever asked is told of a rise."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from nlp.errors import InvalidRecord
from nlp.gazetteer import load_gazetteer
from nlp.privacy import mask
from nlp.taxonomy import load_packs
from nlp.text import to_nfc
from service.actions import new_id
from service.auth import Caller
from service.jobs.orders import submit_daily
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.webhooks import Fact, emit
from service.monitor.alerts import label_of
from service.monitor.suppression import disclose
from service.monitor.surges import WEEK
from service.monitor.watching import Rise, Watch, find_rises
from service.store import tables
from service.store.access import Entry, add_entries
from service.store.alerts import (
    Alert,
    Series,
    acknowledge_alert,
    add_alert,
    alerts_since,
    find_alert,
    move_alert,
    read_counts,
)
from service.store.days import day_of
from service.store.dialect import snapshot, writing
from service.store.jobs import Job

KIND = "watch"
_DAY_BEGINS = timedelta(hours=19)  # in UTC: two o'clock at night in Vietnam
_MOST_DAYS = 366  # of one look
_AGAIN = timedelta(
    days=WEEK - 1
)  # days before the last look end that are looked at again: texts come late
_ONE = timedelta(days=1)


def order_watch(ctx: Context) -> None:
    """See to it that there is a look once a day; may be called every few seconds."""
    submit_daily(ctx.engine, KIND, now=ctx.now(), day_begins=_DAY_BEGINS)


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """One shard: the days that were asked for, else those since the last look up to yesterday.

    Raises:
        InvalidRecord: the days are none, too many, or not over yet.
    """
    yesterday = day_of(None, received_at=ctx.now()) - _ONE
    asked = {
        name: date.fromisoformat(job.params[name]) for name in ("from", "to") if name in job.params
    }
    last = asked.get("to", yesterday)
    first = asked.get("from") or _day_after_last_look(ctx.engine, upto=last) - _AGAIN
    n_days = (last - first).days + 1
    if last > yesterday or not 1 <= n_days <= _MOST_DAYS:
        raise InvalidRecord(f"look at 1 to {_MOST_DAYS} days that are over, the first one first")
    return [Shard([first.isoformat(), last.isoformat()], size=n_days)]


def _day_after_last_look(engine: sa.Engine, *, upto: date) -> date:
    """The first day that nobody has looked at; where that is long ago, as far back as one look goes."""
    jobs = tables.jobs.c
    looks = sa.select(jobs.result).where(jobs.kind == KIND, jobs.state == "done")
    newest = looks.order_by(jobs.finished_at.desc(), jobs.id.desc()).limit(1)
    with engine.connect() as connection:
        result = connection.scalar(newest)
    if result is None:
        return upto
    oldest = upto + _AGAIN - timedelta(days=_MOST_DAYS - 1)
    return min(max(date.fromisoformat(result["to"]) + _ONE, oldest), upto)


def shard(ctx: Context, run: Run) -> Json:
    """Look, keep what is new, and have it told: all in one transaction."""
    run.check()
    first, last = map(date.fromisoformat, run.data)
    settings = ctx.settings
    watch = Watch(first, last, k=settings.min_group, alarms_per_year=settings.alarms_per_year)
    with snapshot(ctx.engine) as connection:
        standing = alerts_since(connection, first - timedelta(days=WEEK))
        cells = list(read_counts(connection, first=watch.begin, last=last))
    rises = find_rises(cells, standing=standing, watch=watch)
    now, name_of = ctx.now(), _names(ctx)
    with writing(ctx.engine) as connection:
        n_new = 0
        for rise in rises:
            if rise.alert_id is not None:
                move_alert(connection, rise.alert_id, last_day=rise.last_day)
                continue
            alert = _alert_of(rise, name=name_of(rise.series), now=now)
            if add_alert(connection, alert):
                emit(connection, "alert.raised", data=_facts(alert, k=watch.k), now=now)
                n_new += 1
        run.report((last - first).days + 1, within=connection)
    return {"from": first.isoformat(), "to": last.isoformat(), "alerts": n_new}


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Which days were looked at, and how many alerts are new."""
    return results[0]


WATCH = Kind(plan, shard, finish)


def acknowledge(
    engine: sa.Engine,
    alert_id: str,
    *,
    by: Caller,
    note: str | None,
    at_least: int,
    now: datetime,
) -> Alert:
    """Note that somebody has looked at an alert of `at_least` so many opinions; `note` is masked here.

    Raises:
        NotFound: there is no such alert.
        Conflict: somebody was quicker.
    """
    masked = mask(to_nfc(note)) if note else None
    with writing(engine) as connection:
        alert = find_alert(connection, alert_id, at_least=at_least)
        alert = acknowledge_alert(connection, alert, by=by.name, note=masked, now=now)
        add_entries(connection, [Entry(now, by.name, "alert.acknowledged", alert_id)])
    return alert


def _alert_of(rise: Rise, *, name: str, now: datetime) -> Alert:
    return Alert(
        new_id(now),
        rise.series,
        rise.day,
        rise.last_day,
        observed=rise.observed,
        expected=rise.expected,
        n_days=rise.n_days,
        p=rise.p,
        label=label_of(rise.series, name),
        left_out=rise.left_out,
        raised_at=now.astimezone(UTC),
    )


def _facts(alert: Alert, *, k: int) -> dict[str, Fact]:
    """What a receiver is told: the rest is at `/v1/alerts/{id}`."""
    return {
        "alert_id": alert.id,
        "series": alert.series.key,
        "day": alert.day.isoformat(),
        "n_days": alert.n_days,
        "observed": disclose(alert.observed, k=k),
        "expected": disclose(round(alert.expected), k=k),
    }


def _names(ctx: Context) -> Callable[[Series], str]:
    """What categories and places are called; a code that nothing knows is its own name."""
    corpus = ctx.settings.corpus_folder
    packs = load_packs(corpus / "taxonomies")
    fields = {
        own.code: own.name
        for pack in packs
        if pack.name == ctx.settings.taxonomy and "civic_field" in pack.facets
        for own in pack.facets["civic_field"].categories
    }
    places = load_gazetteer(corpus / "registers")

    def name_of(series: Series) -> str:
        if series.kind == "civic_field":
            return fields.get(series.code, series.code)
        if series.kind not in ("province", "ward", "body"):
            return series.code
        name = places.names.get((series.kind, series.code), series.code)
        province = places.provinces.get(series.code) if series.kind == "ward" else None
        return name if province is None else f"{name}, {places.name_of('province', province)}"

    return name_of
