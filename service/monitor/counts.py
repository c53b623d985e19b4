"""The counts behind every figure, exact: they leave this package through `disclose` alone."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from service.monitor.dimensions import PLACES, Dimension, Value
from service.store import tables
from service.store.choosing import conditions_of_opinions
from service.store.query import Query
from service.store.stack import Stack, current_run, read_stack

# no parameter, by which PostgreSQL would take what is selected and what is grouped by for two things
_NO_CODES: sa.ColumnElement[str] = sa.literal_column("''")
Cell = tuple[str, ...]  # a code of each dimension, or of the first ones


@dataclass(frozen=True, slots=True)
class Series:
    """Counts, one a period: of opinions without re-posts, and of re-posts."""

    once: tuple[int, ...]
    again: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Series by cell; an opinion that stands in several groups is counted in each.

    A cell has a code of every dimension, or of the first ones: the cell of none is all opinions. Where a
    dimension is of places, cells that leave it out are wrong, and so are `sources`: a text that names two is
    there twice.
    `labels`: opinions without re-posts by the primary label of the first dimension, or the decision where
    nothing is asserted.
    """

    n_periods: int
    cells: Mapping[Cell, Series]
    labels: Mapping[str, tuple[int, ...]]
    sources: Mapping[str, int]

    def of(self, cell: Cell) -> Series:
        """The series of a cell."""
        return self.cells.get(cell) or Series((0,) * self.n_periods, (0,) * self.n_periods)


def count_opinions(
    connection: sa.Connection,
    query: Query,
    *,
    dimensions: Sequence[Dimension],
    starts: Sequence[date],
    stack: Stack,
) -> Tally:
    """Count the opinions that a query finds; `starts` are the first days of the periods, rising.

    Args:
        connection: one transaction, so that several counts tell of the same moment.
        query: which ones; its `day_from` is no day before the first of `starts`.
        dimensions: by what, up to two.
        starts: the periods.
        stack: who answers for labels.
    """
    counts: dict[Cell, list[list[int]]] = defaultdict(lambda: [[0] * len(starts) for _ in "12"])
    labels: dict[str, list[int]] = defaultdict(lambda: [0] * len(starts))
    widths = [len(dimension.facets) or 1 for dimension in dimensions]
    statement = _statement(connection, query, dimensions=dimensions, stack=stack)
    sources: Counter[str] = Counter()
    for n, day, is_again, source, *values in connection.execute(statement):
        period = bisect_right(starts, day) - 1
        for cell in _cells(values, dimensions=dimensions, widths=widths):
            counts[cell][is_again][period] += n
        if is_again:
            continue
        sources[source] += n
        if values and values[0] is not None:
            labels[values[0].partition(" ")[0]][period] += n
    return Tally(
        len(starts),
        {cell: Series(*map(tuple, both)) for cell, both in counts.items()},
        {label: tuple(own) for label, own in labels.items()},
        sources,
    )


def _cells(
    values: Sequence[str | None], *, dimensions: Sequence[Dimension], widths: Sequence[int]
) -> list[Cell]:
    """The cells that an opinion with these values stands in."""
    cells: list[Cell] = [()]
    last = cells
    at = 0
    for dimension, width in zip(dimensions, widths, strict=True):
        own: Value = tuple(values[at : at + width])
        last = [(*cell, code) for cell in last for code in dimension.codes_of(own)]
        cells = cells + last
        at += width
    return cells


def _statement(
    connection: sa.Connection, query: Query, *, dimensions: Sequence[Dimension], stack: Stack
) -> sa.Select[Any]:
    """One row for each day, source, combination of values, and re-posts or not."""
    items, traits = tables.items, tables.traits
    joined: sa.FromClause = traits.join(items, items.c.seq == traits.c.seq)
    values: list[sa.ColumnElement[Any]] = []
    for dimension in dimensions:
        if dimension.name in PLACES:
            named = tables.mentions.alias()
            here = (named.c.kind == dimension.name, named.c.n_candidates == 1)
            joined = joined.join(named, sa.and_(named.c.seq == items.c.seq, *here))
            values.append(named.c.code)
        elif not dimension.facets:
            values.append(traits.c[dimension.name])
        for facet in dimension.facets:
            said = tables.answers.alias()
            stands = said.c.run_id == current_run(stack, facet)
            joined = joined.outerjoin(said, sa.and_(said.c.seq == items.c.seq, stands))
            codes = sa.func.nullif(said.c[f"{facet}_codes"], _NO_CODES)
            values.append(sa.func.coalesce(codes, said.c[f"{facet}_label"]))
    conditions = conditions_of_opinions(connection, query, stack=stack)
    groups = (traits.c.day, traits.c.group_seq != traits.c.seq, traits.c.source, *values)
    query_of_all = sa.select(sa.func.count(), *groups).select_from(joined)
    return query_of_all.where(*conditions).group_by(*groups)


def answering_model(engine: sa.Engine, facet: str, *, else_run: int) -> str | None:
    """The SHA-256 of the model whose run stands on top for a facet; else that of `else_run`."""
    runs = tables.runs.c
    with engine.connect() as connection:
        on_top = read_stack(connection).of_models().of(facet)
        query = sa.select(runs.model_sha256).where(runs.id == (*on_top, else_run)[0])
        sha256: str | None = connection.scalar(query)
    return sha256
