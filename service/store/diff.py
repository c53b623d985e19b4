"""What a run would change: its answers beside those that stand without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from service.store import tables
from service.store.records import Answer, Row, labels_of, read_answer
from service.store.stack import Stack, current_run, read_stack
from service.store.views import EXCERPT_CHARS


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
    old, new = pairs.label(pairs.old), pairs.label(pairs.new)
    n_items = sa.func.count().label("n_items")
    query = sa.select(old, new, n_items).select_from(pairs.joined).where(*pairs.conditions)
    rows = connection.execute(query.group_by(old, new).order_by(n_items.desc(), old, new))
    return tuple(Transition(facet, row[0] or "not_read", row[1], row[2]) for row in rows)


def list_changes(connection: sa.Connection, run_id: int, *, shown: Shown) -> tuple[Change, ...]:
    """Items whose labels of a facet change, the newest first, with the words that prove them."""
    stack = _beneath(connection, run_id)
    pairs = _Pairs(run_id, shown.facet, stack=stack)
    codes_differ = sa.or_(
        pairs.codes(pairs.old).is_distinct_from(pairs.codes(pairs.new)),
        pairs.label(pairs.old).is_distinct_from(pairs.label(pairs.new)),
    )
    asked = (
        (shown.old, pairs.label(pairs.old).__eq__),
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


def agreement(connection: sa.Connection, run_id: int, *, facet: str) -> Agreement:
    """How often the answers before and after say what people said, over the items they corrected."""
    stack = read_stack(connection)
    human = tables.answers.alias("human")
    pairs = _Pairs(run_id, facet, stack=_beneath(connection, run_id))
    said = pairs.codes(human)
    old_right = sa.func.sum(sa.case((pairs.codes(pairs.old) == said, 1), else_=0))
    new_right = sa.func.sum(sa.case((pairs.codes(pairs.new) == said, 1), else_=0))
    joined = pairs.joined.join(human, human.c.seq == pairs.new.c.seq)
    query = (
        sa.select(sa.func.count(), old_right, new_right)
        .select_from(joined)
        .where(*pairs.conditions, human.c.run_id.in_(stack.human), said.is_not(None))
    )
    n_items, n_old, n_new = connection.execute(query).one()
    return Agreement(facet, n_items, n_old or 0, n_new or 0)


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
