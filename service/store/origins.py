"""Who has labelled the opinions that a figure counts: which models, and how many a person has corrected."""

from dataclasses import dataclass

import sqlalchemy as sa

from service.store import tables
from service.store.choosing import conditions_of_opinions
from service.store.query import Query
from service.store.stack import WHOLE, current_run, read_stack

_RUN = ("model", "model_version", "taxonomy", "taxonomy_version")


@dataclass(frozen=True, slots=True)
class Origin:
    """A model under a version of a taxonomy: opinions it has read, and those of them a person corrected.

    Exact counts, not to be shown.
    """

    model: str
    model_version: str
    taxonomy: str
    taxonomy_version: str
    n: int
    n_corrected: int


def count_origins(connection: sa.Connection, query: Query) -> tuple[Origin, ...]:
    """Of the opinions that a query without words finds, by model, the most first; re-posts do not count."""
    items, traits, runs = tables.items, tables.traits, tables.runs
    stack = read_stack(connection)
    said = tables.answers.alias()
    corrected: sa.ColumnElement[bool] = sa.false()
    if stack.human:
        by_people = (said.c.run_id.in_(stack.human), said.c.seq == items.c.seq)
        corrected = sa.exists().where(*by_people).correlate(items)
    own = (
        sa.select(
            current_run(stack.of_models(), WHOLE).label("run_id"),
            sa.case((corrected, 1), else_=0).label("is_corrected"),
        )
        .select_from(traits.join(items, items.c.seq == traits.c.seq))
        .where(*conditions_of_opinions(connection, query, stack=stack))
        .where(traits.c.group_seq == traits.c.seq)
        .subquery()
    )
    of_run = tuple(runs.c[name] for name in _RUN)
    counts = (sa.func.count(), sa.func.sum(own.c.is_corrected))
    counted = sa.select(*of_run, *counts).join_from(own, runs, runs.c.id == own.c.run_id)
    rows = connection.execute(counted.group_by(*of_run).order_by(sa.func.count().desc(), *of_run))
    return tuple(Origin(*row[:4], n=row[4], n_corrected=int(row[5])) for row in rows)
