"""Opinions as monitoring counts them: rows written as intake writes them, without a model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import sqlalchemy as sa

from nlp.readers import from_text
from service.messages import words_of
from service.monitor.dimensions import WORDS, Lexicon
from service.store import tables
from service.store.dialect import writing
from service.store.intake import ensure_run
from service.store.records import Answer, NewItem, answer_row, index_rows, item_row
from tests.service.rules import PACK
from tests.service.shelf import NOON, RULES

LEXICON = Lexicon(
    PACK, {section: words_of(section) for section in WORDS}, {("ward", "00004"): "Phường Ba Đình"}
)
MONDAY = date(2026, 1, 5)
TABLES = (tables.items, tables.answers, tables.label_index, tables.traits, tables.mentions)


@dataclass(frozen=True, slots=True)
class Heard:
    """One opinion; `again_of` is the number of the first that says the same.

    `places` are kind and code of names, those of `vague` have a second meaning.
    """

    day: date = MONDAY
    fields: tuple[str, ...] = ("LV03",)
    areas: tuple[str, ...] = ()
    sentiment: str = "negative"
    source: str = "demo"
    urgency: str = "normal"
    places: tuple[tuple[str, str], ...] = ()
    vague: tuple[tuple[str, str], ...] = ()
    again_of: int | None = None


def keep(engine: sa.Engine, opinions: Iterable[Heard]) -> None:
    """Store them; they are numbered from 1."""
    run_id = ensure_run(engine, RULES, now=NOON)
    with writing(engine) as connection:
        start = connection.scalar(sa.select(sa.func.max(tables.items.c.seq))) or 0
        every = [
            _rows(own, seq=seq, run_id=run_id) for seq, own in enumerate(opinions, start=start + 1)
        ]
        for table in TABLES:
            rows = [row for own in every for row in own[table.name]]
            if rows:
                connection.execute(table.insert(), rows)


def _rows(own: Heard, *, seq: int, run_id: int) -> dict[str, list[dict[str, object]]]:
    at = datetime.combine(own.day, time(5), tzinfo=UTC)
    item = NewItem(
        id=f"{seq:032x}",
        intake="opinion",
        kind="opinion",
        doc=from_text(f"ý kiến {seq}"),
        source=own.source,
        external_id=str(seq),
        received_at=at,
        posted_at=at,
    )
    said = {
        "civic_field": _answer(own.fields),
        "task_area": _answer(own.areas),
        "sentiment": _answer((own.sentiment,)),
        "intent": _answer(("complaint",)),
    }
    names = [(*name, 1) for name in own.places] + [(*name, 2) for name in own.vague]
    return {
        "items": [item_row(item) | {"seq": seq, "run_id": run_id}],
        "answers": [answer_row(said, seq=seq, run_id=run_id)],
        "label_index": list(index_rows(said, seq=seq, run_id=run_id, parents=PACK.parents)),
        "traits": [_trait(own, seq=seq)],
        "mentions": [
            {"kind": kind, "code": code, "seq": seq, "n_candidates": n} for kind, code, n in names
        ],
    }


def _trait(own: Heard, *, seq: int) -> dict[str, object]:
    return {
        "seq": seq,
        "day": own.day,
        "source": own.source,
        "channel": "phản ánh",
        "urgency": own.urgency,
        "group_seq": own.again_of or seq,
        "n_syllables": 3,
        "plain_share": 0.0,
        "unknown_share": 0.0,
    }


def _answer(codes: Sequence[str]) -> Answer:
    if not codes:
        return Answer("abstain", guess="LV02", probability=0.3)
    return Answer("labelled", tuple(codes), codes[0], 0.9)


def add_traits(engine: sa.Engine, seqs: Sequence[int], *, day: date) -> None:
    """Give items that are there their traits."""
    with writing(engine) as connection:
        rows = [_trait(Heard(day=day), seq=seq) for seq in seqs]
        connection.execute(tables.traits.insert(), rows)
