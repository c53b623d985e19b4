"""What a report is made from: counts that may be told, alerts, who has labelled; no words yet."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import sqlalchemy as sa

from nlp.gazetteer import Gazetteer
from nlp.privacy import mask
from nlp.taxonomy import Taxonomy
from service.messages import words_of
from service.monitor.denunciations import ToldMonth, tell
from service.monitor.dimensions import WORDS, Lexicon, Name
from service.monitor.figures import Share, share_of
from service.monitor.periods import Period, Step
from service.monitor.suppression import disclose
from service.monitor.told import Figure, Point, Trend, Trends
from service.monitor.trends import Question, find_trends
from service.reports.asked import Asked
from service.store.alerts import Alert, AlertQuery, list_alerts
from service.store.days import VIETNAM
from service.store.origins import Origin, count_origins
from service.store.passages import Found, find_passages
from service.store.query import LabelFilter, Query
from service.store.rows import count_rows
from service.store.typical import Typical, find_typical

_AT_ONCE = 3  # questions; the database counts without holding up Python
_FIELDS: tuple[Name, bool] = ("civic_field", False)
_PLACES: tuple[Name, ...] = ("ward", "body")
_LABELS = ("civic_field", "task_area")
_MOST_ALERTS = 200
_READ_DOCUMENTS = 500  # the newest, for what they admit
_EXAMPLE_FIELDS = 3
_EXAMPLES = 5
_ALL = Share(1.0, 1.0, 1.0)
# the longest period that is told by this step, in days: up to a month, up to half a year
_STEPS: tuple[tuple[int, Step], ...] = ((31, "day"), (190, "week"))


@dataclass(frozen=True, slots=True)
class Ground:
    """Where figures come from, what things are called, and which groups are too small to be told."""

    engine: sa.Engine
    taxonomy: Taxonomy
    places: Gazetteer
    k: int
    now: datetime

    @property
    def lexicon(self) -> Lexicon:
        """What categories and places are called."""
        words = {section: words_of(section) for section in WORDS}
        places: dict[tuple[str, str], str] = {}
        places |= {(kind, code): name for (kind, code), name in self.places.names.items()}
        return Lexicon(self.taxonomy, words, places)


@dataclass(frozen=True, slots=True)
class Twice:
    """The same question about the period and about the days before it."""

    now: Trends
    before: Trends


@dataclass(frozen=True, slots=True)
class Examples:
    """Masked opinions of one field."""

    code: str
    name: str
    items: tuple[Typical, ...]


@dataclass(frozen=True, slots=True)
class Maker:
    """A model under a version of a taxonomy, and what may be told of how much it has read."""

    origin: Origin
    read: Figure


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a report tells; what was not asked for is None or empty."""

    received: Twice
    documents: Figure | None
    feelings: Twice | None
    fields: Twice | None
    areas: Twice | None
    wards: Trends | None
    bodies: Trends | None
    limitations: Found | None
    alerts: tuple[Alert, ...]
    restricted: tuple[ToldMonth, ...] | None
    examples: tuple[Examples, ...]
    makers: tuple[Maker, ...]
    corrected: Figure


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question about the period, or about the days before it."""

    by: Name
    then: Name | None = None
    step: Step = "none"
    is_before: bool = False


def gather(ground: Ground, asked: Asked) -> Facts:
    """Ask the store and the monitor for what a report holds, several questions at a time.

    Raises:
        InputError: there would be more figures than an answer can hold.
    """
    wanted = tuple(_wanted(asked))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = pool.map(lambda one: _tell(ground, asked, one), wanted)
        answers = {(one.by, one.is_before): own for one, own in zip(wanted, told, strict=True)}
    parts, documents = set(asked.parts), _documents(ground, asked)
    with ground.engine.connect() as connection:
        makers, corrected = _makers(ground, asked, connection=connection)
        return Facts(
            received=Twice(answers["source", False], answers["source", True]),
            documents=documents,
            feelings=_twice(answers, "sentiment"),
            fields=_twice(answers, "civic_field") if "fields" in parts else None,
            areas=_twice(answers, "task_area"),
            wards=answers.get(("ward", False)),
            bodies=answers.get(("body", False)),
            limitations=_limitations(asked, connection=connection),
            alerts=_alerts(ground, asked, connection=connection),
            restricted=_months(ground, asked, connection=connection),
            examples=_examples(ground, asked, answers[_FIELDS].groups, connection=connection)
            if "examples" in parts
            else (),
            makers=makers,
            corrected=corrected,
        )


def _wanted(asked: Asked) -> Iterator[_Ask]:
    """What is counted, what takes longest first."""
    parts = set(asked.parts)
    if parts & {"fields", "examples"}:
        yield _Ask("civic_field", "sentiment")
    if "fields" in parts:
        yield _Ask("civic_field", "sentiment", is_before=True)
    if "places" in parts:
        yield from (_Ask(kind, "sentiment") for kind in _PLACES if kind not in asked.filters)
    names: tuple[Name, ...] = ("source",)
    names += ("sentiment",) if "fields" in parts else ()
    names += ("task_area",) if "areas" in parts else ()
    for name in names:
        yield _Ask(name, step=_step(asked.period) if name == "source" else "none")
        yield _Ask(name, is_before=True)


def _twice(answers: Mapping[tuple[Name, bool], Trends], by: Name) -> Twice | None:
    now, before = answers.get((by, False)), answers.get((by, True))
    return Twice(now, before) if now is not None and before is not None else None


def query_of(asked: Asked) -> Query:
    """The opinions of a report."""
    days = asked.period
    labels = tuple(
        LabelFilter(name, asked.filters[name]) for name in _LABELS if name in asked.filters
    )
    return Query(
        kind="opinion",
        labels=labels,
        day_from=days.day_from,
        day_to=days.day_to,
        source=asked.filters.get("source"),
        ward=asked.filters.get("ward"),
        body=asked.filters.get("body"),
    )


def _tell(ground: Ground, asked: Asked, one: _Ask) -> Trends:
    days = replace(asked, period=asked.before) if one.is_before else asked
    question = Question(
        query=query_of(days),
        period=days.period,
        by=one.by,
        then=one.then,
        step=one.step,
        k=ground.k,
        asked=asked.filters,
    )
    trends = find_trends(ground.engine, question, lexicon=ground.lexicon, confusions={})
    if one.step == "day" and asked.filters and not is_mostly_told(trends.points):
        return _tell(ground, asked, replace(one, step="week"))
    return _settle(trends, ground=ground, filters=asked.filters)


def is_mostly_told(points: Sequence[Point]) -> bool:
    """Whether no more than half of the periods have too few for a count."""
    return 2 * sum(not point.figure.suppressed for point in points) >= len(points)


def _settle(trends: Trends, *, ground: Ground, filters: Mapping[str, str]) -> Trends:
    """Shares without an interval where none but all is possible: what is asked for, the only source.

    Others may have sent too few to be told of: a share without an interval must not tell that they sent none.
    """
    code = filters.get(trends.by, "")
    asked_for = {code, ground.taxonomy.parents.get(trends.by, {}).get(code)}

    def settle(own: Trend) -> Trend:
        share = own.figure.share
        is_sure = own.code in asked_for or trends.by == "source"
        if share is None or share.value < 1 or not is_sure:
            return own
        return replace(own, figure=replace(own.figure, share=_ALL))

    return replace(trends, groups=tuple(settle(own) for own in trends.groups))


def _step(period: Period) -> Step:
    """A month at most by the day, half a year at most by the week, what is longer by the month.

    The counts of days go up and down with chance and weekends: over a quarter they hide what weeks tell.
    """
    n_days = (period.day_to - period.day_from).days
    return next((step for longest, step in _STEPS if n_days <= longest), "month")


def _documents(ground: Ground, asked: Asked) -> Figure | None:
    """Official documents that came in, exactly: none of them is a citizen's.

    None where a filter asks for what only opinions have.
    """
    if {*asked.filters} - {"task_area", "source"}:
        return None
    begin, end = _moments(asked.period)
    area = asked.filters.get("task_area")
    query = Query(
        intake="document",
        kind="official",
        source=asked.filters.get("source"),
        labels=(LabelFilter("task_area", area),) if area else (),
        received_from=begin,
        received_to=end,
    )
    return Figure(count_rows(ground.engine, query), suppressed=False)


def _limitations(asked: Asked, *, connection: sa.Connection) -> Found | None:
    """What official documents admit themselves; None under filters, which are of opinions."""
    if asked.filters or "limitations" not in asked.parts:
        return None
    begin, end = _moments(asked.period)
    return find_passages(
        connection, tone="limitation", received_from=begin, received_to=end, limit=_READ_DOCUMENTS
    )


def _moments(period: Period) -> tuple[datetime, datetime]:
    """When a period begins and ends in Vietnam."""
    days = (period.day_from, period.day_to)
    begin, end = (datetime.combine(day, time(), tzinfo=VIETNAM) for day in days)
    return begin, end


def _alerts(ground: Ground, asked: Asked, *, connection: sa.Connection) -> tuple[Alert, ...]:
    """The alerts of the period, by day; under filters those whose series is one of them."""
    if "alerts" not in asked.parts:
        return ()
    wanted = AlertQuery(
        day_from=asked.period.day_from,
        day_to=asked.period.day_to,
        at_least=ground.k,
        limit=_MOST_ALERTS,
    )
    found = list_alerts(connection, wanted)
    if asked.filters:
        found = tuple(
            one for one in found if (one.series.kind, one.series.code) in asked.filters.items()
        )
    # what was noted under older rules of masking is masked by those of today
    masked = (replace(one, note=mask(one.note)) if one.note else one for one in found)
    return tuple(sorted(masked, key=lambda one: (one.day, one.id)))


def _months(
    ground: Ground, asked: Asked, *, connection: sa.Connection
) -> tuple[ToldMonth, ...] | None:
    """The months that the period touches, the oldest first; None under filters, which cannot hold here."""
    if asked.filters or "restricted" not in asked.parts:
        return None
    first = f"{asked.period.day_from:%Y-%m}"
    last = f"{asked.period.day_to - timedelta(days=1):%Y-%m}"
    told = tell(connection, k=ground.k).months
    return tuple(
        sorted((one for one in told if first <= one.month <= last), key=lambda one: one.month)
    )


def _examples(
    ground: Ground, asked: Asked, fields: Sequence[Trend], *, connection: sa.Connection
) -> tuple[Examples, ...]:
    """Some opinions of each of the largest fields, masked once more by the rules of today."""
    known = {own.code for own in ground.taxonomy.facets["civic_field"].categories}
    told = [own for own in fields if own.code in known and own.figure.count is not None]
    told.sort(key=lambda own: -(own.figure.count or 0))
    found = []
    for own in told[:_EXAMPLE_FIELDS]:
        label = LabelFilter("civic_field", own.code)
        items = find_typical(connection, query_of(asked), label=label, limit=_EXAMPLES)
        masked = tuple(replace(item, excerpt=mask(_to_word(item))) for item in items)
        found.append(Examples(own.code, own.name, masked))
    return tuple(found)


def _to_word(item: Typical) -> str:
    """How an opinion begins, up to the end of a word."""
    whole = " ".join(item.excerpt.split())
    return whole.rpartition(" ")[0] if item.is_cut and " " in whole else whole


def _makers(
    ground: Ground, asked: Asked, *, connection: sa.Connection
) -> tuple[tuple[Maker, ...], Figure]:
    origins = count_origins(connection, query_of(asked))
    n_all = disclose(sum(own.n for own in origins), k=ground.k)
    makers = tuple(Maker(own, _figure(own.n, whole=n_all, k=ground.k)) for own in origins)
    if len(makers) == 1 and makers[0].read.share:
        makers = (replace(makers[0], read=replace(makers[0].read, share=_ALL)),)
    n_corrected = sum(own.n_corrected for own in origins)
    return makers, _figure(n_corrected, whole=n_all, k=ground.k)


def _figure(n: int, *, whole: int | None, k: int) -> Figure:
    told = disclose(n, k=k)
    if told is None:
        return Figure(None, suppressed=True)
    return Figure(told, suppressed=False, share=share_of(told, whole, k=k))


def by_code(trends: Trends) -> Mapping[str, Trend]:
    """The groups of an answer by their codes."""
    return {group.code: group for group in trends.groups}
