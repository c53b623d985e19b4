"""How recent opinions are written and how sure the model was of them: the counts that drift is found in.

Counted in the bins of a reference. Re-posts count once. Only answers of the model that the reference is of
are looked at, and never what people corrected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from models.reference import STYLE, Reference
from service.store import tables
from service.store.stack import current_run, read_stack

Counts = tuple[int, ...]
Conditions = tuple[sa.ColumnElement[bool], ...]
_ASSERTED = "labelled"
_FIRST_COLUMN = sa.text(
    "1"
)  # by its place: PostgreSQL takes equal expressions with parameters for two
_NOTHING = ("abstain", "none_of_these", "not_applicable")


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Vietnam: from the first on, up to the last, which does not belong to it."""

    begin: date
    end: date


@dataclass(frozen=True, slots=True)
class Recent:
    """Counts of the opinions of a period, in the bins of a reference; exact ones, not to be shown.

    `probabilities` and `decisions` are by facet; `sources_before` are those of the time before the period.
    """

    styles: Mapping[str, Counts]
    probabilities: Mapping[str, Counts]
    decisions: Mapping[str, Mapping[str, int]]
    sources: Mapping[str, int] = field(default_factory=dict)
    sources_before: Mapping[str, int] = field(default_factory=dict)


def count_recent(
    connection: sa.Connection, reference: Reference, period: Period, *, before: Period
) -> Recent:
    """Count the opinions of a period; `before` is what the mix of their sources is compared with."""
    firsts, traits = _firsts(period), tables.traits.c
    styles = {
        name: _in_bins(connection, traits[name], edges=reference.style[name].edges, of=firsts)
        for name in STYLE
    }
    answers = {
        facet: _count_answers(connection, reference, facet=facet, of=firsts)
        for facet in reference.confidence
    }
    return Recent(
        styles,
        {facet: bins for facet, (bins, _) in answers.items()},
        {facet: decisions for facet, (_, decisions) in answers.items()},
        _count_sources(connection, period),
        _count_sources(connection, before),
    )


def _count_sources(connection: sa.Connection, period: Period) -> dict[str, int]:
    source = tables.traits.c.source
    query = sa.select(source, sa.func.count()).where(*_firsts(period)).group_by(source)
    return dict(connection.execute(query).all())


def _count_answers(
    connection: sa.Connection, reference: Reference, *, facet: str, of: Conditions
) -> tuple[Counts, dict[str, int]]:
    """How many answers of a facet fall into each bin of their probability, and how they were decided."""
    answers, items = tables.answers.c, tables.items.c
    stack = read_stack(connection).of_models()
    own = sa.select(tables.runs.c.id).where(tables.runs.c.model_sha256 == reference.model_sha256)
    label = answers[f"{facet}_label"]
    joined = (
        *of,
        items.seq == tables.traits.c.seq,
        answers.seq == items.seq,
        answers.run_id == current_run(stack, facet),
        answers.run_id.in_(own),
        label.is_not(None),
    )
    edges = reference.confidence[facet].edges
    bins = _in_bins(connection, answers[f"{facet}_probability"], edges=edges, of=joined)
    decision = sa.case((label.in_(_NOTHING), label), else_=_ASSERTED)
    query = sa.select(decision, sa.func.count()).where(*joined).group_by(_FIRST_COLUMN)
    return bins, dict(connection.execute(query).all())


def _firsts(period: Period) -> Conditions:
    """The opinions of a period that are no re-posts."""
    traits = tables.traits.c
    return (
        traits.day >= period.begin,
        traits.day < period.end,
        traits.group_seq == traits.seq,
    )


def _in_bins(
    connection: sa.Connection,
    value: sa.ColumnElement[Any],
    *,
    edges: Sequence[float],
    of: Conditions,
) -> Counts:
    """How many values lie in each bin between the edges. `Any`: a number of any kind."""
    steps = [sa.case((value >= edge, 1), else_=0) for edge in edges]
    place = sum(steps, start=sa.literal(0))
    query = sa.select(place.label("place"), sa.func.count()).where(*of, value.is_not(None))
    found: Mapping[int, int] = dict(connection.execute(query.group_by(_FIRST_COLUMN)).all())
    return tuple(found.get(i, 0) for i in range(len(edges) + 1))
