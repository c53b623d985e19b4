"""What a run would change: its answers beside those that stand without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from nlp.taxonomy import carry_codes, version_key
from service.store import tables
from service.store.corrections import Pack, Packs, read_layer
from service.store.records import Answer, Row, labels_of, read_answer
from service.store.stack import Stack, current_run, read_stack
from service.store.views import EXCERPT_CHARS

NOT_READ = "not_read"  # in place of a label, where nobody had read an item


@dataclass(frozen=True, slots=True)
class Transition:
    """How many items go from one primary label (or decision) to another."""

    facet: str
    old: str
    new: str
    n_items: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many corrected items of a facet the old and the new answer get as people did."""

    facet: str
    n_corrected: int
    n_old_right: int
    n_new_right: int


@dataclass(frozen=True, slots=True)
class Proven:
    """An answer with its labels as the Analysis has them: code, probability, evidence."""

    answer: Answer
    labels: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Change:
    """One item whose answer to a facet would be another; `corrected`: a person's word stands anyway."""

    seq: int
    id: str
    kind: str
    excerpt: str
    old: Proven | None
    new: Proven
    corrected: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Which changes to list: of one facet, from and to a label, or any other."""

    facet: str
    old: str | None = None
    new: str | None = None
    below: int | None = None
    limit: int = 20


def transitions(connection: sa.Connection, run_id: int, *, facet: str) -> tuple[Transition, ...]:
    """From what to what a facet's primary label goes, the most frequent first; unchanged ones too."""
    pairs = _Pairs(run_id, facet, stack=_beneath(connection, run_id))
    old, new = pairs.old_label(), pairs.label(pairs.new)
    n_items = sa.func.count().label("n_items")
    query = sa.select(old, new, n_items).select_from(pairs.joined).where(*pairs.conditions)
    rows = connection.execute(query.group_by(old, new).order_by(n_items.desc(), old, new))
    return tuple(Transition(facet, *row) for row in rows)


def list_changes(connection: sa.Connection, run_id: int, *, shown: Shown) -> tuple[Change, ...]:
    """Items whose labels of a facet change, the newest first, with the words that prove them."""
    stack = _beneath(connection, run_id)
    pairs = _Pairs(run_id, shown.facet, stack=stack)
    codes_differ = sa.or_(
        pairs.codes(pairs.old).is_distinct_from(pairs.codes(pairs.new)),
        pairs.label(pairs.old).is_distinct_from(pairs.label(pairs.new)),
    )
    asked = (
        (shown.old, pairs.old_label().__eq__),
        (shown.new, pairs.label(pairs.new).__eq__),
        (shown.below, tables.items.c.seq.__lt__),
    )
    wanted = [compare(value) for value, compare in asked if value is not None]
    items = tables.items.c
    query = (
        sa.select(
            items.seq,
            items.id,
            items.kind,
            sa.func.substr(items.text, 1, EXCERPT_CHARS).label("excerpt"),
            pairs.old.c.run_id,
        )
        .select_from(pairs.joined)
        .where(*pairs.conditions, codes_differ, *wanted)
        .order_by(pairs.new.c.seq.desc())
        .limit(shown.limit)
    )
    rows = connection.execute(query).all()
    keys = {(run_id, row.seq) for row in rows}
    keys |= {(row.run_id, row.seq) for row in rows if row.run_id is not None}
    proven = _proven(connection, keys, facet=shown.facet)
    people = _corrected(connection, [row.seq for row in rows], facet=shown.facet)
    return tuple(
        Change(
            *row[:4],
            old=proven.get((row.run_id, row.seq)),
            new=proven[run_id, row.seq],
            corrected=row.seq in people,
        )
        for row in rows
    )


def agreement(connection: sa.Connection, run_id: int, *, facet: str, packs: Packs) -> Agreement:
    """How often the answers before and after say what people said, over the items they corrected.

    What people said is carried over to the taxonomy version of the run; what cannot be is not counted.
    """
    layer = read_layer(connection)
    if layer is None:
        return Agreement(facet, 0, 0, 0)
    pairs = _Pairs(run_id, facet, stack=_beneath(connection, run_id))
    human = tables.answers.alias("human")
    sides = [
        column
        for side in (human, pairs.old, pairs.new)
        for column in (pairs.label(side), pairs.codes(side))
    ]
    query = (
        sa.select(sa.func.count(), *sides)
        .select_from(pairs.joined.join(human, human.c.seq == pairs.new.c.seq))
        .where(*pairs.conditions, human.c.run_id == layer.run_id, pairs.label(human).is_not(None))
        .group_by(*sides)
    )
    runs = tables.runs.c
    of_run = sa.select(runs.taxonomy, runs.taxonomy_version).where(runs.id == run_id)
    taxonomy, version = connection.execute(of_run).one()
    n_corrected, n_old_right, n_new_right = 0, 0, 0
    for n_items, label, codes, *said in connection.execute(query):
        expected = _carried(
            codes, facet=facet, under=layer.pack, to=(taxonomy, version), packs=packs
        )
        if expected is not None:
            n_corrected += n_items
            n_old_right += n_items * (said[:2] == [label, codes])
            n_new_right += n_items * (said[2:] == [*(expected[:1] or [label]), " ".join(expected)])
    return Agreement(facet, n_corrected, n_old_right, n_new_right)


def _carried(codes: str, *, facet: str, under: Pack, to: Pack, packs: Packs) -> list[str] | None:
    """What people said, under another version of a pack; None where that cannot be told."""
    given = tuple(codes.split())
    if under == to:
        return list(given)
    if to not in packs or under[0] != to[0]:
        return None
    newest = max(
        (own for (name, _), own in packs.items() if name == to[0]),
        key=lambda own: version_key(own.version),
    )
    carried = carry_codes(given, facet=facet, under=under[1], to=packs[to], newest=newest)
    return None if carried is None else list(carried)


class _Pairs:
    """SQL for each item of a run beside the answer that stands for a facet without it."""

    def __init__(self, run_id: int, facet: str, *, stack: Stack) -> None:
        self.facet = facet
        self.new, self.old = tables.answers.alias("new"), tables.answers.alias("old")
        items = tables.items
        stands = current_run(stack, facet)
        self.joined = self.new.join(items, items.c.seq == self.new.c.seq).join(
            self.old,
            sa.and_(self.old.c.seq == self.new.c.seq, self.old.c.run_id == stands),
            isouter=True,
        )
        self.conditions = (self.new.c.run_id == run_id, self.label(self.new).is_not(None))

    def label(self, side: sa.FromClause) -> sa.ColumnElement[str]:
        return side.c[f"{self.facet}_label"]

    def old_label(self) -> sa.ColumnElement[str]:
        return sa.func.coalesce(self.label(self.old), NOT_READ)

    def codes(self, side: sa.FromClause) -> sa.ColumnElement[str]:
        return side.c[f"{self.facet}_codes"]


def _beneath(connection: sa.Connection, run_id: int) -> Stack:
    """What stands without the run and without corrections."""
    return read_stack(connection).of_models().without({run_id})


def _proven(
    connection: sa.Connection, keys: set[tuple[int, int]], *, facet: str
) -> dict[tuple[int, int], Proven]:
    answers, analyses = tables.answers.c, tables.analyses.c
    both = sa.and_(answers.run_id == analyses.run_id, answers.seq == analyses.seq)
    query = (
        sa.select(tables.answers, analyses.analysis)
        .join(tables.analyses, both)
        .where(
            answers.run_id.in_({run_id for run_id, _ in keys}),
            answers.seq.in_({seq for _, seq in keys}),
        )
    )
    found = {}
    for row in connection.execute(query).mappings():
        answer = read_answer(dict(row), facet)
        if answer is not None:
            verdict: dict[str, Any] = orjson.loads(row["analysis"])[facet]
            found[row["run_id"], row["seq"]] = Proven(answer, labels_of(verdict))
    return found


def _corrected(connection: sa.Connection, seqs: Sequence[int], *, facet: str) -> set[int]:
    answers = tables.answers.c
    query = sa.select(answers.seq).where(
        answers.run_id.in_(read_stack(connection).human),
        answers.seq.in_(seqs),
        answers[f"{facet}_label"].is_not(None),
    )
    return set(connection.scalars(query))
