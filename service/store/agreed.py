"""Whether people agree with models, item by item: what lists and pages say beside a label."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from service.store.records import Answer
from service.store.stack import read_answers, read_stack
from service.store.tables import items

Agreed = Mapping[str, bool]  # by facet, of those that a person has spoken of


def read_agreed(engine: sa.Engine, ids: Collection[str]) -> dict[str, Agreed]:
    """Of each item the facets where a person's word stands, and whether models say the same."""
    with engine.connect() as connection:
        stack = read_stack(connection)
        if not stack.human:
            return {}
        query = sa.select(items.c.seq, items.c.id, items.c.run_id).where(items.c.id.in_(ids))
        rows = connection.execute(query).all()
        first_runs = {seq: run_id for seq, _, run_id in rows}
        said = read_answers(connection, first_runs, stack=stack)
        by_models = read_answers(connection, first_runs, stack=stack.of_models())
    return {
        item_id: {
            facet: facet in by_models[seq] and _is_same(own.answer, by_models[seq][facet].answer)
            for facet, own in said[seq].items()
            if own.run_id in stack.human
        }
        for seq, item_id, _ in rows
    }


def _is_same(one: Answer, other: Answer) -> bool:
    """Whether two answers have the same first label, and the same others in whatever order."""
    return (one.label, {*one.codes}) == (other.label, {*other.codes})
