"""From facts to a report: which sentences, tables and charts tell them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlencode

from nlp.gazetteer import MentionKind
from service.formats import show_day
from service.messages import say
from service.monitor.alerts import list_of, reason_of
from service.monitor.periods import Period
from service.monitor.told import Figure, Point, Trends
from service.reports.asked import Asked, full_name
from service.reports.facts import Facts, Ground, gather, is_mostly_told
from service.reports.report import (
    Bar,
    Chart,
    Link,
    Quotes,
    Report,
    Row,
    Section,
    Table,
    compare_counts,
    days_in_words,
    name_columns,
    name_of_days,
    notes_of,
    show_count,
    tell_figure,
)
from service.reports.topics import few_left, largest, write_areas, write_fields, write_places

_PLACE_KINDS: Mapping[str, MentionKind] = {"ward": "ward", "body": "body"}


def make_report(ground: Ground, asked: Asked) -> Report:
    """The report that is asked for.

    Raises:
        InputError: there would be more figures than an answer can hold.
    """
    return compose(gather(ground, asked), ground, asked=asked)


def compose(facts: Facts, ground: Ground, *, asked: Asked) -> Report:
    """Put facts into words; a section that has nothing to tell is left out, or says so."""
    scope = tuple(_scope(ground, asked))
    subject = say("reports.subject", days=name_of_days(asked))
    sections = (write(facts, ground, asked) for write in _WRITERS)
    now = facts.received.now
    return Report(
        subject=f"{subject} ({'; '.join(f'{name}: {value}' for name, value in scope)})"
        if scope
        else subject,
        asked=asked,
        scope=scope,
        made_at=ground.now,
        k=ground.k,
        total=now.total,
        sample=now.sample,
        sections=tuple(section for section in sections if section is not None),
        notes=tuple(notes_of(now.sample, made_at=ground.now, k=ground.k)),
    )


def _scope(ground: Ground, asked: Asked) -> Iterator[tuple[str, str]]:
    """The filters in words."""
    for name, code in asked.filters.items():
        title = say(f"reports.{name}")
        if name in ground.taxonomy.facets:
            categories = ground.taxonomy.facets[name].categories
            yield title, next((own.name for own in categories if own.code == code), code)
        elif name in _PLACE_KINDS:
            yield title, full_name(_PLACE_KINDS[name], code, places=ground.places)
        else:
            yield title, code


def _received(facts: Facts, ground: Ground, asked: Asked) -> Section:
    now, k = facts.received.now, ground.k
    return Section(
        "received",
        say("reports.received"),
        says=tuple(_received_says(facts, ground, asked)),
        tables=(
            Table(
                say("reports.sheet_source"),
                say("reports.by_source"),
                name_columns(
                    ("source", "text", 4), ("channel", "text", 4), ("opinions", "figure", 4)
                ),
                tuple(_source_rows(now)),
                rest="" if "source" in asked.filters else few_left(now.groups, k=k),
            ),
            Table(
                say("reports.sheet_days"),
                say(f"reports.by_{now.step}"),
                name_columns(("days", "text", 6), ("opinions", "count", 3)),
                tuple(Row((days_in_words(point.period), point.figure)) for point in now.points),
                is_detail=True,
            ),
        ),
        charts=_time_chart(now, asked),
    )


def _received_says(facts: Facts, ground: Ground, asked: Asked) -> Iterator[str]:
    now, before, k = facts.received.now.total, facts.received.before.total, ground.k
    days = days_in_words(asked.period)
    if now.suppressed:
        yield say("reports.received_few", days=days, k=k)
    elif now.reposts is None:
        yield say("reports.received_n", days=days, n=now.count or 0)
    else:
        yield say("reports.received_again", days=days, n=now.count or 0, again=now.reposts)
    if facts.documents is not None:
        yield say("reports.documents_n", n=facts.documents.count or 0)
    change = compare_counts(now, before, asked=asked)
    yield say(
        f"reports.total_{change}", days=days_in_words(asked.before), n=show_count(before.count, k=k)
    )


def _source_rows(now: Trends) -> Iterator[Row]:
    channels = {own.name: own.channel for own in now.sample.sources}
    for group in largest(now.groups):
        yield Row(
            (group.name, channels.get(group.code, ""), group.figure), narrows=("source", group.code)
        )
    if not now.total.suppressed:
        yield Row((say("reports.all_sources"), "", now.total))


def _time_chart(now: Trends, asked: Asked) -> tuple[Chart, ...]:
    points = [point for point in now.points if _is_whole(point.period, step=now.step)]
    if now.total.suppressed or len(points) < 2:
        return ()
    if asked.filters and not is_mostly_told(points):
        return ()
    counts = tuple(point.figure.count for point in points)
    most = max(points, key=lambda point: point.figure.count or 0)
    return (
        Chart(
            "time",
            say(f"reports.chart_{now.step}"),
            say(
                "reports.chart_time_alt",
                days=days_in_words(most.period),
                n=most.figure.count or 0,
                n_points=len(points),
            )
            if most.figure.count
            else say("reports.chart_time_few", n_points=len(points)),
            labels=tuple(_mark(point, step=now.step) for point in points),
            bars=(Bar(say("reports.opinions"), counts),),
        ),
    )


def _is_whole(period: Period, *, step: str) -> bool:
    """Whether nothing is cut off: half a week at the end of a period would look like a fall."""
    if step == "month":
        return period.day_from.day == period.day_to.day == 1
    return step != "week" or (period.day_to - period.day_from).days == 7


def _mark(point: Point, *, step: str) -> str:
    day = point.period.day_from
    return f"{day:%m/%Y}" if step == "month" else f"{day:%d/%m}"


def _limitations(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    """Official documents by the task areas in which they admit limitations, exactly."""
    found = facts.limitations
    if found is None:
        return None
    names = {own.code: own.name for own in ground.taxonomy.facets["task_area"].categories}
    passages = [one.areas or ("",) for own in found.documents for one in own.passages]
    n_passages = Counter(code for own in passages for code in own)
    n_documents = Counter(
        code
        for own in found.documents
        for code in {code for one in own.passages for code in one.areas or ("",)}
    )
    ordered = sorted(n_documents, key=lambda code: (code == "", -n_documents[code], code))
    rows = tuple(
        Row(
            (
                names.get(code, code) if code else say("page.none_of_areas"),
                Figure(n_documents[code], suppressed=False, list=_limits_list(code, asked)),
                Figure(n_passages[code], suppressed=False),
            )
        )
        for code in ordered
    )
    told = [say("reports.limitations_note") if rows else say("reports.limitations_none")]
    told += [] if found.is_all else [say("reports.limitations_newest", n=found.n_read)]
    columns = name_columns(
        ("task_area", "text", 9), ("n_documents", "count", 3), ("n_passages", "count", 3)
    )
    title = say("reports.by_limitation")
    table = Table(say("reports.sheet_limitations"), title, columns, rows)
    tables = (table,) if rows else ()
    return Section("limitations", say("reports.limitations"), says=tuple(told), tables=tables)


def _limits_list(code: str, asked: Asked) -> str:
    """Where these passages are listed."""
    last = asked.period.day_to - timedelta(days=1)
    days = {"from": asked.period.day_from.isoformat(), "to": last.isoformat()}
    return f"/overview/limitations?{urlencode({'area': code, **days})}"


def _alerts(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    if "alerts" not in asked.parts:
        return None
    rows = tuple(
        Row(
            (
                show_day(own.day),
                Link(reason_of(own, k=ground.k), list_of(own)),
                say("reports.alert_open")
                if own.acknowledged_at is None
                else own.note or say("reports.alert_seen"),
            )
        )
        for own in facts.alerts
    )
    n_open = sum(own.acknowledged_at is None for own in facts.alerts)
    told = (
        say("reports.alerts_n", n=len(rows), n_open=n_open) if rows else say("reports.alerts_none")
    )
    columns = name_columns(("day", "text", 3), ("alert", "text", 11), ("noted", "text", 5))
    tables = (
        (Table(say("reports.sheet_alerts"), say("reports.by_alert"), columns, rows),)
        if rows
        else ()
    )
    return Section("alerts", say("reports.alerts"), says=(told,), tables=tables)


def _restricted(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    if facts.restricted is None:
        return None
    rows = tuple(
        Row(
            (
                f"{own.month[5:]}/{own.month[:4]}",
                Figure(own.received, suppressed=False),
                Figure(own.handed_over, suppressed=own.handed_over is None),
            )
        )
        for own in facts.restricted
    )
    columns = name_columns(
        ("month", "text", 3), ("received_n_head", "count", 3), ("handed_over", "count", 3)
    )
    tables = (
        (Table(say("reports.sheet_restricted"), say("reports.by_month_restricted"), columns, rows),)
        if rows
        else ()
    )
    told = [] if rows else [say("reports.restricted_few", k=ground.k)]
    told.append(say("restricted.note", k=ground.k))
    return Section("restricted", say("reports.restricted"), says=tuple(told), tables=tables)


def _examples(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    if "examples" not in asked.parts:
        return None
    quotes = tuple(Quotes(own.name, own.items) for own in facts.examples if own.items)
    told = say("reports.examples_note") if quotes else say("reports.examples_few", k=ground.k)
    return Section("examples", say("reports.examples"), says=(told,), quotes=quotes)


def _method(facts: Facts, ground: Ground, asked: Asked) -> Section:
    rows = tuple(
        Row(
            (
                f"{own.origin.model} {own.origin.model_version}",
                f"{own.origin.taxonomy} {own.origin.taxonomy_version}",
                own.read,
            )
        )
        for own in facts.makers
    )
    columns = name_columns(("model", "text", 5), ("taxonomy", "text", 5), ("opinions", "figure", 5))
    tables = (
        (Table(say("reports.sheet_model"), say("reports.by_model"), columns, rows),) if rows else ()
    )
    corrected = facts.corrected
    told = (
        say("reports.corrected_few", k=ground.k)
        if corrected.suppressed
        else say("reports.corrected_n", n=tell_figure(corrected, k=ground.k))
    )
    return Section("method", say("reports.method"), says=(told,), tables=tables)


_Writer = Callable[[Facts, Ground, Asked], Section | None]
_WRITERS: tuple[_Writer, ...] = (
    _received,
    write_fields,
    write_areas,
    write_places,
    _limitations,
    _alerts,
    _restricted,
    _examples,
    _method,
)
