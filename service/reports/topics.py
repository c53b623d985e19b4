"""The sections about what opinions are about: fields, task areas, places."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from service.messages import say
from service.monitor.told import Figure, Part, Trend, Trends
from service.reports.asked import Asked, full_name
from service.reports.facts import Facts, Ground, Twice, by_code
from service.reports.report import (
    Bar,
    Cell,
    Change,
    Chart,
    Kind,
    Reposts,
    Row,
    Section,
    Table,
    compare,
    name_columns,
    show_count,
    tell_figure,
)

UNDECIDED = ("none_of_these", "abstain")
_FEELINGS = ("negative", "neutral", "positive")
_FEELING_COLUMNS: tuple[tuple[str, Kind, int], ...] = tuple(
    (code, "figure", 4) for code in _FEELINGS
)
_ARE = {"civic_field": "fields", "task_area": "areas"}
_NAMED = 3  # groups that a sentence names
_MOST_PLACES = 10
_BARS = 10
_UNKNOWN = Figure(None, suppressed=True)


def write_fields(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    """The largest fields, what has risen or fallen, and how people feel about them."""
    if facts.fields is None or facts.feelings is None:
        return None
    k = ground.k
    fields = largest(facts.fields.now.groups, last=UNDECIDED)
    told = [own for own in fields if own.code not in UNDECIDED]
    others = _others(told, "civic_field", ground, asked=asked)
    changes = _changes(
        facts.fields, title=say("reports.by_field"), of="civic_field", asked=asked, k=k, rows=fields
    )
    most = _most_says(facts.fields, others, of="civic_field", asked=asked, k=k)
    return Section(
        "fields",
        say("reports.fields"),
        says=(*most, *(_feelings_says(facts.feelings, k=k) if told else ())),
        tables=(
            changes,
            _by_feeling(facts.fields, rows=fields, k=k),
        ),
        charts=_feelings_chart(fields, ground=ground),
    )


def _others(groups: Iterable[Trend], of: str, ground: Ground, *, asked: Asked) -> list[Trend]:
    """Groups but for the one that is asked for and the one above it: those hold all opinions."""
    code = asked.filters.get(of, "")
    whole = {code, ground.taxonomy.parents.get(of, {}).get(code)}
    return [own for own in groups if own.code not in whole]


def _most_says(
    twice: Twice, named: Sequence[Trend], *, of: str, asked: Asked, k: int
) -> Iterator[str]:
    """The largest groups, and which have moved; of a report of one of them, which others there are."""
    said, is_one = _ARE[of], of in asked.filters
    names = "; ".join(f"{own.name} ({tell_figure(own.figure, k=k)})" for own in named[:_NAMED])
    if names:
        yield say(f"reports.{said}_{'also' if is_one else 'most'}", names=names)
        yield from _moves(twice, said=said)
    elif not is_one:
        yield say(f"reports.{said}_few", k=k)


def _feelings_says(feelings: Twice, *, k: int) -> Iterator[str]:
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
    for own in largest(twice.now.groups):
        then = before.get(own.code)
        change = compare(own.figure.share, then.figure.share if then else None)
        if change in moved and own.code not in UNDECIDED:
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
    asked: Asked,
    k: int,
    parents: Mapping[str, str] | None = None,
) -> Table:
    """Groups with their shares of all opinions, now and before; those asked for name no others as few."""
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
        narrows = (of, own.code) if own.code not in UNDECIDED else None
        lines.append(Row(cells, narrows, is_part=own.code in (parents or {})))
    return Table(
        say(f"reports.sheet_{of}"),
        title,
        name_columns(
            (of, "text", 7),
            ("opinions", "figure", 4),
            ("reposts", "reposts", 3),
            ("before", "figure", 4),
            ("change", "change", 3),
        ),
        tuple(lines),
        rest="" if of in asked.filters else few_left(twice.now.groups, k=k),
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
        name_columns(
            ("civic_field", "text", 5), *_FEELING_COLUMNS, ("negative_change", "change", 3)
        ),
        tuple(lines),
        rest=say("reports.feeling_rest", k=k),
    )


def _feelings_chart(fields: Sequence[Trend], *, ground: Ground) -> tuple[Chart, ...]:
    shown = [own for own in fields if own.code not in UNDECIDED][:_BARS]
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


def write_areas(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    """The task areas that opinions bear on, each below the one above it."""
    if facts.areas is None:
        return None
    parents = ground.taxonomy.parents["task_area"]
    rows = list(_as_tree(facts.areas.now.groups, parents=parents))
    others = _others(rows, "task_area", ground, asked=asked)
    leaves = [own for own in largest(others) if own.code in parents]
    changes = _changes(
        facts.areas,
        title=say("reports.by_area"),
        of="task_area",
        rows=rows,
        asked=asked,
        k=ground.k,
        parents=parents,
    )
    return Section(
        "areas",
        say("reports.areas"),
        says=tuple(_most_says(facts.areas, leaves, of="task_area", asked=asked, k=ground.k)),
        tables=(changes,),
    )


def _as_tree(groups: Iterable[Trend], *, parents: Mapping[str, str]) -> Iterator[Trend]:
    """Each area, its parts below it; the largest first."""
    told = largest(groups, last=UNDECIDED)
    for own in told:
        if own.code not in parents:
            yield own
            yield from (part for part in told if parents.get(part.code) == own.code)


def write_places(facts: Facts, ground: Ground, asked: Asked) -> Section | None:
    """The wards and bodies that most opinions name."""
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
    for own in largest(trends.groups)[:_MOST_PLACES]:
        name = full_name("ward", own.code, places=ground.places) if kind == "ward" else own.name
        negative = _figure_of({part.code: part for part in own.parts}, "negative")
        rows.append(Row((name, own.figure, negative), narrows=(kind, own.code)))
    return Table(
        say(f"reports.sheet_{kind}"),
        say(f"reports.by_{kind}"),
        name_columns((kind, "text", 8), ("opinions", "figure", 5), ("negative", "figure", 5)),
        tuple(rows),
        rest=say("reports.places_rest", n=_MOST_PLACES, k=ground.k),
    )


def _figure_of(parts: Mapping[str, Part], code: str) -> Figure:
    return parts[code].figure if code in parts else _UNKNOWN


def largest(groups: Iterable[Trend], *, last: Sequence[str] = ()) -> list[Trend]:
    """The groups that may be told, the largest first, some of them at the end."""
    told = [own for own in groups if not own.figure.suppressed]
    return sorted(told, key=lambda own: (own.code in last, -(own.figure.count or 0), own.name))


def few_left(groups: Iterable[Trend], *, k: int) -> str:
    """Which groups are too small to be told; an empty one and a small one alike."""
    few = [own.name for own in groups if own.figure.suppressed and own.code not in UNDECIDED]
    return say("reports.few_left", k=k, names="; ".join(few)) if few else ""
