"""Alerts: the daily counts they are found in, and what became of each.

What is counted are opinions by field, feeling, place, body and source. There is no series of a person, and
`Series` takes no other kind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, cast, get_args

import sqlalchemy as sa

from service.store.corrections import UNCARRIED
from service.store.dialect import insert_new
from service.store.errors import Conflict, NotFound
from service.store.records import UNSURE
from service.store.stack import Stack, current_run, read_stack
from service.store.tables import alerts, items, label_index, mentions, traits

SeriesKind = Literal["all", "civic_field", "province", "ward", "body", "source"]
State = Literal["open", "acknowledged"]
_PLACES = ("province", "ward", "body")
_NO_FIELDS = ("abstain", "none_of_these", UNSURE, UNCARRIED)


@dataclass(frozen=True, slots=True)
class Series:
    """Of what the counts are; `negative` narrows a field down to what is said in anger or worry.

    Raises:
        ValueError: the kind is none that may be watched.
    """

    kind: SeriesKind
    code: str = ""
    negative: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(SeriesKind):
            raise ValueError("only opinions by field, place, body and source are watched")

    @property
    def key(self) -> str:
        """The series as the table has it, `civic_field:LV03:negative`."""
        return ":".join((self.kind, self.code, "negative" if self.negative else "")).rstrip(":")


def read_series(key: str) -> Series:
    """The series of a key."""
    kind, code, negative = (*key.split(":"), "", "")[:3]
    return Series(cast(SeriesKind, kind), code, bool(negative))  # checked when it is made


@dataclass(frozen=True, slots=True)
class Cell:
    """How many opinions of a series a source gave on a day; re-posts count in series of a source alone."""

    day: date
    source: str
    series: Series
    n: int


@dataclass(frozen=True, slots=True)
class Alert:
    """A rise: what was seen in the `n_days` up to `day`, what was to be expected, how unlikely that is."""

    id: str
    series: Series
    day: date
    last_day: date
    observed: int
    expected: float
    n_days: int
    p: float
    label: str
    left_out: tuple[str, ...]
    raised_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str | None = None

    @property
    def state(self) -> State:
        """Whether somebody has looked at it."""
        return "open" if self.acknowledged_at is None else "acknowledged"


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts, newest first: by state and by the day that raised them, `day_to` exclusive.

    `at_least` leaves out those of fewer opinions; `cursor` is the id of the last one of the page before.
    """

    state: State | None = None
    day_from: date | None = None
    day_to: date | None = None
    at_least: int = 0
    cursor: str | None = None
    limit: int = 50


def read_counts(connection: sa.Connection, *, first: date, last: date) -> Iterator[Cell]:
    """The counts of the days from `first` to `last`; days without any are left out."""
    days = traits.c.day.between(first, last)
    own = traits.c
    firsts = sa.func.sum(sa.case((own.group_seq == own.seq, 1), else_=0))
    volumes = sa.select(own.day, own.source, sa.func.count(), firsts).where(days)
    for day, source, n_all, n_first in connection.execute(volumes.group_by(own.day, own.source)):
        yield Cell(day, source, Series("source", source), n_all)
        yield Cell(day, source, Series("all"), int(n_first))
    once = (days, own.group_seq == own.seq)
    yield from _count_fields(connection, once)
    # a name that may mean several places is no proof of any of them
    sure = (mentions.c.kind.in_(_PLACES), mentions.c.n_candidates == 1)
    shown = (own.day, own.source, mentions.c.kind, mentions.c.code)
    named = sa.select(*shown, sa.func.count()).join_from(
        traits, mentions, own.seq == mentions.c.seq
    )
    for day, source, kind, code, n in connection.execute(
        named.where(*once, *sure).group_by(*shown)
    ):
        yield Cell(day, source, Series(kind, code), n)


def _count_fields(
    connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]]
) -> Iterator[Cell]:
    stack, own = read_stack(connection), traits.c
    fields, feelings = label_index.alias("fields"), label_index.alias("feelings")
    shown = (own.day, own.source, fields.c.code)
    query = (
        sa.select(*shown, sa.func.count(), sa.func.count(feelings.c.seq))
        .select_from(traits)
        .join(items, items.c.seq == own.seq)
        .join(fields, _stands(fields, "civic_field", stack=stack))
        .outerjoin(
            feelings,
            sa.and_(_stands(feelings, "sentiment", stack=stack), feelings.c.code == "negative"),
        )
        .where(*conditions, fields.c.code.not_in(_NO_FIELDS))
        .group_by(*shown)
    )
    for day, source, code, n_all, n_negative in connection.execute(query):
        yield Cell(day, source, Series("civic_field", code), n_all)
        if n_negative:
            yield Cell(day, source, Series("civic_field", code, negative=True), n_negative)


def _stands(index: sa.FromClause, facet: str, *, stack: Stack) -> sa.ColumnElement[bool]:
    return sa.and_(
        index.c.seq == items.c.seq,
        index.c.facet == facet,
        index.c.run_id == current_run(stack, facet),
    )


def add_alert(connection: sa.Connection, alert: Alert) -> bool:
    """Keep a new alert; False when this day had raised one of the series already."""
    new = insert_new(connection, alerts).returning(alerts.c.id)
    return connection.scalar(new, _to_row(alert)) is not None


def move_alert(connection: sa.Connection, alert_id: str, *, last_day: date) -> None:
    """Note that a series is still high."""
    later = (alerts.c.id == alert_id, alerts.c.last_day < last_day)
    connection.execute(alerts.update().where(*later).values(last_day=last_day))


def alerts_since(connection: sa.Connection, day: date) -> tuple[Alert, ...]:
    """The alerts whose series were high on this day or later, oldest first."""
    query = sa.select(alerts).where(alerts.c.last_day >= day).order_by(alerts.c.day, alerts.c.id)
    return tuple(_to_alert(row) for row in connection.execute(query).mappings())


def list_alerts(connection: sa.Connection, query: AlertQuery) -> tuple[Alert, ...]:
    """Alerts, newest first; those after the cursor's when there is one."""
    own = alerts.c
    newest = sa.select(alerts).order_by(own.raised_at.desc(), own.id.desc())
    newest = newest.where(own.observed >= query.at_least)
    if query.state is not None:
        is_open = own.acknowledged_at.is_(None)
        newest = newest.where(is_open if query.state == "open" else sa.not_(is_open))
    bounds = ((query.day_from, own.day.__ge__), (query.day_to, own.day.__lt__))
    newest = newest.where(*(compare(value) for value, compare in bounds if value is not None))
    if query.cursor is not None:
        last = connection.scalar(sa.select(own.raised_at).where(own.id == query.cursor))
        if last is None:
            return ()
        place = sa.tuple_(sa.literal(last, own.raised_at.type), query.cursor)
        newest = newest.where(sa.tuple_(own.raised_at, own.id) < place)
    rows = connection.execute(newest.limit(query.limit)).mappings()
    return tuple(_to_alert(row) for row in rows)


def find_alert(connection: sa.Connection, alert_id: str, *, at_least: int) -> Alert:
    """One alert.

    Raises:
        NotFound: none has this id, or it is of fewer opinions than may be told.
    """
    query = sa.select(alerts).where(alerts.c.id == alert_id, alerts.c.observed >= at_least)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("no alert has this id; /v1/alerts lists them")
    return _to_alert(row)


def acknowledge_alert(
    connection: sa.Connection, alert: Alert, *, by: str, note: str | None, now: datetime
) -> Alert:
    """Note who has looked at an alert, and what they say; `note` is masked already.

    Raises:
        Conflict: somebody was quicker.
    """
    unseen = (alerts.c.id == alert.id, alerts.c.acknowledged_at.is_(None))
    seen = {"acknowledged_at": now, "acknowledged_by": by, "note": note}
    if not connection.execute(alerts.update().where(*unseen).values(**seen)).rowcount:
        raise Conflict("somebody has acknowledged this alert already")
    return replace(alert, acknowledged_at=now, acknowledged_by=by, note=note)


_FIGURES = ("n_days", "p", "label", "left_out")


def _to_row(alert: Alert) -> dict[str, Any]:
    """The row of `alerts`. `Any`: columns of different types."""
    row = asdict(alert)
    figures = {name: row.pop(name) for name in _FIGURES}
    return row | {"series": alert.series.key, "figures": figures}


def _to_alert(row: Mapping[Any, Any]) -> Alert:
    """A row of `alerts` as the value. `Any`: columns of different types."""
    figures = row["figures"]
    values = {name: row[name] for name in Alert.__slots__ if name not in _FIGURES}
    figures = {**figures, "left_out": tuple(figures["left_out"])}
    return Alert(**{**values, **figures, "series": read_series(row["series"])})
