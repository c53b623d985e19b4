"""Which run answers for an item: the highest of the stack that has read it, else the one that read it first.

Corrections stand on top as a run of their own kind, so that every view has them for nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from service.store import tables
from service.store.records import Answer, Row, read_answer
from service.store.tables import FACETS

HUMAN_RANK = 1_000_000  # of corrections; re-classifications count from 1
WHOLE = FACETS[0]  # the whole Analysis is read from the run that answers this facet


@dataclass(frozen=True, slots=True)
class Stack:
    """The runs of each facet, the highest first; `human` are those that hold corrections."""

    runs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    human: frozenset[int] = frozenset()

    def of(self, facet: str) -> tuple[int, ...]:
        """The runs of a facet, the highest first."""
        return self.runs.get(facet, ())

    def without(self, hidden: Iterable[int]) -> "Stack":
        """The stack as it would be without some runs."""
        gone = frozenset(hidden)
        runs = {
            facet: tuple(run for run in own if run not in gone) for facet, own in self.runs.items()
        }
        return Stack(runs, self.human - gone)

    def of_models(self) -> "Stack":
        """The stack without corrections."""
        return self.without(self.human)


def read_stack(connection: sa.Connection) -> Stack:
    """The stack as it stands in this transaction."""
    active, runs = tables.active_runs.c, tables.runs.c
    query = (
        sa.select(active.facet, active.run_id, runs.kind)
        .join(tables.runs, runs.id == active.run_id)
        .order_by(active.facet, active.rank.desc())
    )
    found: dict[str, tuple[int, ...]] = {}
    human = set()
    for facet, run_id, kind in connection.execute(query):
        found[facet] = (*found.get(facet, ()), run_id)
        if kind == "human":
            human.add(run_id)
    return Stack(found, frozenset(human))


def current_run(
    stack: Stack, facet: str, *, item: sa.FromClause = tables.items
) -> sa.ColumnElement[int]:
    """SQL for the run that answers a facet of the item in each row of `item` (`items` or an alias)."""
    probes = []
    for run_id in stack.of(facet):
        said = tables.answers.alias()
        probes.append(
            sa.select(said.c.run_id)
            .where(
                said.c.run_id == run_id,
                said.c.seq == item.c.seq,
                said.c[f"{facet}_label"].is_not(None),
            )
            .correlate(item)
            .scalar_subquery()
        )
    first: sa.ColumnElement[int] = item.c.run_id
    return sa.func.coalesce(*probes, first) if probes else first


@dataclass(frozen=True, slots=True)
class Said:
    """What stands for one facet of an item, and the run that says it."""

    answer: Answer
    run_id: int


def read_answers(
    connection: sa.Connection, first_runs: Mapping[int, int | None], *, stack: Stack
) -> dict[int, dict[str, Said]]:
    """What stands for each facet of some items; `first_runs` has the run that read each `seq` first."""
    answers = tables.answers
    asked = {run for runs in stack.runs.values() for run in runs}
    asked |= {run for run in first_runs.values() if run is not None}
    query = sa.select(answers).where(answers.c.run_id.in_(asked), answers.c.seq.in_(first_runs))
    rows = {(row["run_id"], row["seq"]): dict(row) for row in connection.execute(query).mappings()}
    return {seq: _stands(seq, first, stack=stack, rows=rows) for seq, first in first_runs.items()}


def _stands(
    seq: int, first: int | None, *, stack: Stack, rows: Mapping[tuple[int, int], Row]
) -> dict[str, Said]:
    found = {}
    for facet in FACETS:
        for run_id in (*stack.of(facet), first):
            row = rows.get((run_id, seq)) if run_id is not None else None
            answer = read_answer(row, facet) if row else None
            if answer is not None and run_id is not None:
                found[facet] = Said(answer, run_id)
                break
    return found
