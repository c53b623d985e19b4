"""Stored items as a table: which columns, in which words, with which notes, in which file format.

A table says what it is made of: when, under which filter, how many items of which sources, and that they are
no sample of anything.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import IO, Any, Literal

import sqlalchemy as sa

from nlp.taxonomy import Taxonomy
from service.messages import all_words, say
from service.sheets import Cell, Sheet, write_csv, write_lines, write_xlsx
from service.store.days import VIETNAM
from service.store.query import Query
from service.store.rows import ItemRow, Labeller, read_rows
from service.store.stack import Said
from service.store.tables import FACETS
from service.store.views import list_sources

Format = Literal["csv", "xlsx", "jsonl"]
Words = Mapping[str, Mapping[str, str]]
Names = Mapping[tuple[str, str, str, str], str]  # by pack, version, facet, code
_HEADLINE = ("canonical", "date", "issuer", "subject")
# what is told of each facet, with widths in characters
_TOLD = {
    "decision": 16,
    "primary": 10,
    "name": 34,
    "probability": 10,
    "codes": 16,
    "corrected": 12,
}
_FILTERS = (
    "text",
    "kind",
    "source",
    "received_from",
    "received_to",
    "dated_from",
    "dated_to",
    "day_from",
    "day_to",
    "province",
    "ward",
    "body",
    "channel",
    "urgency",
    "reposts",
)
_USUAL = (("kind", "opinion"), ("reposts", "all"))


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported. Texts are left out unless somebody asks for them: see service/README.md."""

    format: Format
    query: Query
    with_text: bool = False

    @property
    def door(self) -> Literal["document", "opinion"]:
        """What the table is about."""
        return "document" if self.query.intake == "document" else "opinion"


def write_items(
    engine: sa.Engine,
    export: Export,
    *,
    out: IO[bytes],
    packs: Sequence[Taxonomy],
    now: datetime,
    report: Callable[[int], None] = lambda n_rows: None,
) -> dict[str, int]:
    """Write the items to a file that has a name; `report` is told how many rows came with each page.

    Returns:
        how many items of each source were written.
    """
    made: Counter[str] = Counter()
    names = _name_all(packs)
    rows = _counted(engine, export, made=made, report=report)
    if export.format == "jsonl":
        facts = partial(_facts, engine, export, made=made, now=now)
        write_lines(out, (_to_json(row, names=names) for row in rows), notes=facts)
        return dict(made)
    words = all_words()
    titles = words["items"]
    sheet = Sheet(titles[export.door], titles["notes"], list(_columns(export, words=words)))
    cells = (list(_to_cells(row, export, names=names, words=words)) for row in rows)
    write = write_csv if export.format == "csv" else write_xlsx
    notes = partial(_notes, engine, export, made=made, now=now, words=words)
    write(out, sheet, rows=cells, notes=notes)
    return dict(made)


def _name_all(packs: Sequence[Taxonomy]) -> Names:
    """The Vietnamese names of all codes; a version that is not at hand borrows from the others."""
    found: dict[tuple[str, str, str, str], str] = {}
    for pack in packs:
        for facet, own in pack.facets.items():
            for category in own.categories:
                found[pack.name, pack.version, facet, category.code] = category.name
                found[pack.name, "", facet, category.code] = category.name
    return found


def _name(code: str, facet: str, *, by: Labeller, names: Names) -> str | None:
    return names.get(
        (by.taxonomy, by.taxonomy_version, facet, code), names.get((by.taxonomy, "", facet, code))
    )


def _counted(
    engine: sa.Engine, export: Export, *, made: Counter[str], report: Callable[[int], None]
) -> Iterator[ItemRow]:
    for page in read_rows(engine, export.query, with_text=export.with_text):
        made.update(row.source for row in page)
        yield from page
        report(len(page))


def _columns(export: Export, *, words: Words) -> Iterator[tuple[str, int]]:
    titles = words["items"]
    yield from ((titles["id"], 34), (titles["received_at"], 22), (titles["posted_at"], 22))
    yield from ((titles["source"], 14), (titles["kind"], 10))
    if export.door == "document":
        yield from ((titles[name], 24) for name in _HEADLINE)
    for facet in FACETS:
        title = words["headings"][facet]
        yield from ((f"{title}: {titles[told]}", width) for told, width in _TOLD.items())
    yield from ((titles["model"], 20), (titles["taxonomy"], 16))
    if export.with_text:
        yield titles["text"], 80


def _to_cells(row: ItemRow, export: Export, *, names: Names, words: Words) -> Iterator[Cell]:
    yield row.id
    yield from (_local(moment) for moment in (row.received_at, row.posted_at))
    yield from (row.source, words["kind"][row.kind])
    if export.door == "document":
        yield from (
            _day(row.headline.get(name)) if name == "date" else row.headline.get(name)
            for name in _HEADLINE
        )
    for facet in FACETS:
        said = row.said.get(facet)
        told = {} if said is None else _tell(said, facet, by=row.labellers, names=names)
        what = words["headings"][facet].lower()
        yield words["decision"][told["decision"]].format(what=what) if told else None
        yield from (told.get(name) for name in ("primary", "name", "probability"))
        yield " ".join(told.get("codes", ()))
        yield words["items"]["yes"] if told.get("corrected") else None
    yield from (_versions(row, of=part) for part in ("model", "taxonomy"))
    if export.with_text:
        yield row.text


def _to_json(row: ItemRow, *, names: Names) -> dict[str, object]:
    told = {
        facet: _tell(said, facet, by=row.labellers, names=names)
        | {
            "model": _version(row.labellers[said.run_id], of="model"),
            "taxonomy": _version(row.labellers[said.run_id], of="taxonomy"),
        }
        for facet, said in row.said.items()
    }
    return {
        "id": row.id,
        "intake": row.intake,
        "kind": row.kind,
        "source": row.source,
        "received_at": _iso(row.received_at),
        "posted_at": row.posted_at and _iso(row.posted_at),
        **({"headline": dict(row.headline)} if row.headline else {}),
        **{facet: told.get(facet) for facet in FACETS},
        **({"text": row.text} if row.text is not None else {}),
    }


def _tell(said: Said, facet: str, *, by: Mapping[int, Labeller], names: Names) -> dict[str, Any]:
    """A facet's answer. `Any`: words, a number, a list of codes."""
    answer, labeller = said.answer, by[said.run_id]
    primary = answer.codes[0] if answer.codes else None
    return {
        "decision": answer.decision,
        "primary": primary,
        "name": _name(primary, facet, by=labeller, names=names) if primary else None,
        "probability": answer.probability if primary and not labeller.is_human else None,
        "codes": answer.codes,
        "corrected": labeller.is_human,
    }


def _versions(row: ItemRow, *, of: Literal["model", "taxonomy"]) -> str:
    """The versions that gave the answers of an item, most often one; people have none of a model."""
    runs = [row.labellers[said.run_id] for said in row.said.values()]
    found = [_version(run, of=of) for run in runs if of == "taxonomy" or not run.is_human]
    return "; ".join(dict.fromkeys(found))


def _version(run: Labeller, *, of: Literal["model", "taxonomy"]) -> str:
    return f"{getattr(run, of)}@{getattr(run, f'{of}_version')}".removesuffix("@")


def _notes(
    engine: sa.Engine, export: Export, *, made: Counter[str], now: datetime, words: Words
) -> list[Sequence[Cell]]:
    titles = words["items"]
    filters = [f"{words['filters'][name]}: {value}" for name, value in _asked(export.query)]
    filters += [f"{words['headings'][one.facet]}: {one.code}" for one in export.query.labels]
    channels = {source.name: source.channel for source in list_sources(engine)}
    notes: list[Sequence[Cell]] = [
        (titles["made_at"], _local(now)),
        (titles["n_rows"], made.total()),
        (titles["filters"], "; ".join(filters) or titles["no_filters"]),
    ]
    for source, n_rows in sorted(made.items()):
        notes.append((titles["source"], f"{source} ({channels.get(source, '')}): {n_rows}"))
    notes.append((titles["no_survey_name"], titles["no_survey"]))
    notes.append((titles["labels_name"], titles["labels"]))
    if export.with_text:
        notes.append((titles["privacy_name"], titles["privacy"]))
    return notes


def _facts(
    engine: sa.Engine, export: Export, *, made: Counter[str], now: datetime
) -> dict[str, object]:
    """The notes for programs."""
    channels = {source.name: source.channel for source in list_sources(engine)}
    return {
        "made_at": _iso(now),
        "n_rows": made.total(),
        "filters": {
            **{name: str(value) for name, value in _asked(export.query)},
            **{one.facet: one.code for one in export.query.labels},
        },
        "sources": [
            {"name": name, "channel": channels.get(name), "n_rows": n_rows}
            for name, n_rows in sorted(made.items())
        ],
        "no_survey": say("items.no_survey"),
    }


def _asked(query: Query) -> Iterator[tuple[str, object]]:
    """What was asked for, but for which door: every row is of it."""
    for name in _FILTERS:
        value = getattr(query, name)
        if value is not None and (name, value) not in _USUAL:
            yield name, value


def _local(moment: datetime | None) -> datetime | None:
    """The moment as clocks in Vietnam show it, to the second."""
    return moment and moment.astimezone(VIETNAM).replace(tzinfo=None, microsecond=0)


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _day(value: str | None) -> Cell:
    try:
        return date.fromisoformat(value or "")
    except ValueError:  # a date that is not whole
        return value
