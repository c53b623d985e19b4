"""From facts to a report: which sentences, tables and charts tell them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from nlp.gazetteer import MentionKind
from service.formats import show_day
from service.messages import say
from service.monitor.alerts import list_of, reason_of
from service.monitor.told import Figure, Part, Point, Trend, Trends
from service.reports.asked import Asked, full_name
from service.reports.facts import Facts, Ground, Twice, by_code, gather
from service.reports.report import (
    Bar,
    Cell,
    Change,
    Chart,
    Column,
    Kind,
    Link,
    Quotes,
    Report,
    Reposts,
    Row,
    Section,
    Table,
    compare,
    compare_counts,
    days_in_words,
    name_of_days,
    notes_of,
    show_count,
    tell_figure,
)

_FEELINGS = ("negative", "neutral", "positive")
_FEELING_COLUMNS: tuple[tuple[str, Kind, int], ...] = tuple(
    (code, "figure", 4) for code in _FEELINGS
)
_UNDECIDED = ("none_of_these", "abstain")
_ARE = {"civic_field": "fields", "task_area": "areas"}
_NAMED = 3  # groups that a sentence names
_PLACES = 10
_BARS = 10
_PLACE_KINDS: Mapping[str, MentionKind] = {"ward": "ward", "body": "body"}
_UNKNOWN = Figure(None, suppressed=True)


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
    now, before, k = facts.received.now, facts.received.before, ground.k
    return Section(
        "received",
        say("reports.received"),
        says=tuple(_received_says(facts, ground, asked)),
        tables=(
            Table(
                say("reports.sheet_source"),
                say("reports.by_source"),
                _columns(("source", "text", 4), ("channel", "text", 4), ("opinions", "figure", 4)),
                tuple(_source_rows(now)),
                rest=_few_left(now.groups, k=k),
            ),
            Table(
                say("reports.sheet_days"),
                say(f"reports.by_{now.step}"),
                _columns(("days", "text", 6), ("opinions", "count", 3)),
                tuple(Row((days_in_words(point.period), point.figure)) for point in now.points),
                is_detail=True,
            ),
        ),
        charts=_time_chart(now) if not before.total.suppressed or not now.total.suppressed else (),
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
    for group in _largest(now.groups):
        yield Row(
            (group.name, channels.get(group.code, ""), group.figure), narrows=("source", group.code)
        )
    if not now.total.suppressed:
        yield Row((say("reports.all_sources"), "", now.total))


def _time_chart(now: Trends) -> tuple[Chart, ...]:
    if now.total.suppressed or len(now.points) < 2:
        return ()
    counts = tuple(point.figure.count for point in now.points)
    most = max(now.points, key=lambda point: point.figure.count or 0)
    return (
        Chart(
            "time",
            say(f"reports.chart_{now.step}"),
            say(
                "reports.chart_time_alt",
                days=days_in_words(most.period),
                n=most.figure.count or 0,
                n_points=len(now.points),
            )
            if most.figure.count
            else say("reports.chart_time_few", n_points=len(now.points)),
            labels=tuple(_mark(point, step=now.step) for point in now.points),
            bars=(Bar(say("reports.opinions"), counts),),
        ),
    )


def _mark(point: Point, *, step: str) -> str:
    day = point.period.day_from
    return f"{day:%m/%Y}" if step == "month" else f"{day:%d/%m}"


def _fields(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    if facts.fields is None or facts.feelings is None:
        return None
    k = ground.k
    fields = _largest(facts.fields.now.groups, last=_UNDECIDED)
    return Section(
        "fields",
        say("reports.fields"),
        says=tuple(_fields_says(facts.fields, facts.feelings, k=k)),
        tables=(
            _changes(
                facts.fields, title=say("reports.by_field"), of="civic_field", k=k, rows=fields
            ),
            _by_feeling(facts.fields, rows=fields, k=k),
        ),
        charts=_feelings_chart(fields, ground=ground),
    )


def _fields_says(fields: Twice, feelings: Twice, *, k: int) -> Iterator[str]:
    told = [own for own in _largest(fields.now.groups) if own.code not in _UNDECIDED]
    if not told:
        yield say("reports.fields_few", k=k)
        return
    named = (f"{own.name} ({tell_figure(own.figure, k=k)})" for own in told[:_NAMED])
    yield say("reports.fields_most", names="; ".join(named))
    yield from _moves(fields, said="fields")
    now = by_code(feelings.now)
    feeling = (
        f"{now[code].name.lower()} ({tell_figure(now[code].figure, k=k)})"
        for code in _FEELINGS
        if code in now
    )
    yield say("reports.feelings", names="; ".join(feeling))
    if "negative" in now:
        before = by_code(feelings.before).get("negative")
        change = compare(now["negative"].figure.share, before.figure.share if before else None)
        yield say(f"reports.negative_{change}")


def _moves(twice: Twice, *, said: str) -> Iterator[str]:
    """Which groups have risen or fallen."""
    before = by_code(twice.before)
    moved: dict[Change, list[str]] = {"rise": [], "fall": []}
    for own in _largest(twice.now.groups):
        then = before.get(own.code)
        change = compare(own.figure.share, then.figure.share if then else None)
        if change in moved and own.code not in _UNDECIDED:
            moved[change].append(own.name)
    for change, names in moved.items():
        if names:
            yield say(f"reports.{said}_{change}", names="; ".join(names))
    if not any(moved.values()):
        yield say(f"reports.{said}_unclear")


def _changes(
    twice: Twice,
    *,
    title: str,
    of: str,
    rows: Sequence[Trend],
    k: int,
    parents: Mapping[str, str] | None = None,
) -> Table:
    """Groups with their shares of all opinions, now and before."""
    before = by_code(twice.before)
    lines = []
    for own in rows:
        then = before[own.code].figure if own.code in before else _UNKNOWN
        cells: tuple[Cell, ...] = (
            _name_of(own, of),
            own.figure,
            Reposts(own.figure.reposts),
            then,
            compare(own.figure.share, then.share),
        )
        narrows = (of, own.code) if own.code not in _UNDECIDED else None
        lines.append(Row(cells, narrows, is_part=own.code in (parents or {})))
    return Table(
        say(f"reports.sheet_{of}"),
        title,
        _columns(
            (of, "text", 8),
            ("opinions", "figure", 4),
            ("reposts", "reposts", 2),
            ("before", "figure", 4),
            ("change", "change", 4),
        ),
        tuple(lines),
        rest=_few_left(twice.now.groups, k=k),
    )


def _name_of(group: Trend, of: str) -> str:
    """What a group is called; those without a label by what they are not."""
    names = {"none_of_these": f"page.none_of_{_ARE[of]}", "abstain": "page.abstain"}
    return say(names[group.code]) if group.code in names else group.name


def _by_feeling(fields: Twice, *, rows: Sequence[Trend], k: int) -> Table:
    """Fields with the shares of each feeling within them."""
    before = by_code(fields.before)
    lines = []
    for own in rows:
        now = {part.code: part for part in own.parts}
        then = {part.code: part for part in before[own.code].parts} if own.code in before else {}
        figures = tuple(_figure_of(now, code) for code in _FEELINGS)
        change = compare(_figure_of(now, "negative").share, _figure_of(then, "negative").share)
        lines.append(Row((_name_of(own, "civic_field"), *figures, change)))
    return Table(
        say("reports.sheet_feelings"),
        say("reports.by_feeling"),
        _columns(("civic_field", "text", 6), *_FEELING_COLUMNS, ("negative_change", "change", 4)),
        tuple(lines),
        rest=say("reports.feeling_rest", k=k),
    )


def _figure_of(parts: Mapping[str, Part], code: str) -> Figure:
    return parts[code].figure if code in parts else _UNKNOWN


def _feelings_chart(fields: Sequence[Trend], *, ground: Ground) -> tuple[Chart, ...]:
    shown = [own for own in fields if own.code not in _UNDECIDED][:_BARS]
    if not shown:
        return ()
    parts = [{part.code: part for part in own.parts} for own in shown]
    names = {own.code: own.name for own in ground.taxonomy.facets["sentiment"].categories}
    bars = [
        Bar(names.get(code, code), tuple(_figure_of(own, code).count for own in parts))
        for code in _FEELINGS
    ]
    told = [
        sum(own)
        for own in zip(*([count or 0 for count in bar.counts] for bar in bars), strict=True)
    ]
    rest = (max((own.figure.count or 0) - n, 0) for own, n in zip(shown, told, strict=True))
    bars.append(Bar(say("reports.not_apart"), tuple(rest)))
    alt = "; ".join(f"{own.name}: {show_count(own.figure.count, k=ground.k)}" for own in shown)
    return (
        Chart(
            "parts",
            say("reports.chart_fields"),
            say("reports.chart_fields_alt", names=alt),
            labels=tuple(own.name for own in shown),
            bars=tuple(bars),
        ),
    )


def _areas(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    if facts.areas is None:
        return None
    parents = ground.taxonomy.parents["task_area"]
    rows = list(_as_tree(facts.areas.now.groups, parents=parents))
    leaves = [own for own in _largest(facts.areas.now.groups) if own.code in parents]
    named = (f"{own.name} ({tell_figure(own.figure, k=ground.k)})" for own in leaves[:_NAMED])
    told = "; ".join(named)
    return Section(
        "areas",
        say("reports.areas"),
        says=(
            say("reports.areas_most", names=told) if told else say("reports.areas_few", k=ground.k),
            *(_moves(facts.areas, said="areas") if told else ()),
        ),
        tables=(
            _changes(
                facts.areas,
                title=say("reports.by_area"),
                of="task_area",
                rows=rows,
                k=ground.k,
                parents=parents,
            ),
        ),
    )


def _as_tree(groups: Iterable[Trend], *, parents: Mapping[str, str]) -> Iterator[Trend]:
    """Each area, its parts below it; the largest first."""
    told = _largest(groups, last=_UNDECIDED)
    for own in told:
        if own.code not in parents:
            yield own
            yield from (part for part in told if parents.get(part.code) == own.code)


def _places(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    asked_for = {"ward": facts.wards, "body": facts.bodies}
    answers = {kind: trends for kind, trends in asked_for.items() if trends is not None}
    if not answers:
        return None
    tables = [_places_table(kind, trends, ground=ground) for kind, trends in answers.items()]
    told = tuple(table for table in tables if table.rows)
    says = say("reports.places_note") if told else say("reports.places_few", k=ground.k)
    return Section("places", say("reports.places"), says=(says,), tables=told)


def _places_table(kind: str, trends: Trends, *, ground: Ground) -> Table:
    rows = []
    for own in _largest(trends.groups)[:_PLACES]:
        name = full_name("ward", own.code, places=ground.places) if kind == "ward" else own.name
        negative = _figure_of({part.code: part for part in own.parts}, "negative")
        rows.append(Row((name, own.figure, negative), narrows=(kind, own.code)))
    return Table(
        say(f"reports.sheet_{kind}"),
        say(f"reports.by_{kind}"),
        _columns((kind, "text", 8), ("opinions", "figure", 5), ("negative", "figure", 5)),
        tuple(rows),
        rest=say("reports.places_rest", n=_PLACES, k=ground.k),
    )


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
    columns = _columns(
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
    columns = _columns(("day", "text", 3), ("alert", "text", 11), ("noted", "text", 5))
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
    columns = _columns(
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
    columns = _columns(("model", "text", 5), ("taxonomy", "text", 5), ("opinions", "figure", 5))
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
    _fields,
    _areas,
    _places,
    _limitations,
    _alerts,
    _restricted,
    _examples,
    _method,
)


def _columns(*columns: tuple[str, Kind, int]) -> tuple[Column, ...]:
    return tuple(Column(say(f"reports.{name}"), kind, width) for name, kind, width in columns)


def _largest(groups: Iterable[Trend], *, last: Sequence[str] = ()) -> list[Trend]:
    """The groups that may be told, the largest first, some of them at the end."""
    told = [own for own in groups if not own.figure.suppressed]
    return sorted(told, key=lambda own: (own.code in last, -(own.figure.count or 0), own.name))


def _few_left(groups: Iterable[Trend], *, k: int) -> str:
    """Which groups are too small to be told; an empty one and a small one alike."""
    few = [own.name for own in groups if own.figure.suppressed and own.code not in _UNDECIDED]
    return say("reports.few_left", k=k, names="; ".join(few)) if few else ""
