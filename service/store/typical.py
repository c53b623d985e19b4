"""Opinions that show what a label means: those of the newest that its model was surest of."""

from dataclasses import dataclass, replace

import sqlalchemy as sa

from service.store import tables
from service.store.choosing import select_items
from service.store.query import LabelFilter, Query
from service.store.stack import read_answers, read_stack
from service.store.views import EXCERPT_CHARS

_LOOKED_AT = 200  # of the newest
_SHORT_CHARS = 30  # what says less shows little


@dataclass(frozen=True, slots=True)
class Typical:
    """An opinion and how it begins, masked when it came in; `is_cut` where it goes on."""

    id: str
    excerpt: str
    is_cut: bool


def find_typical(
    connection: sa.Connection, query: Query, *, label: LabelFilter, limit: int
) -> tuple[Typical, ...]:
    """Opinions whose primary label this is, the surest first; none says the same as another.

    What a person has said stands in place of the model's word.
    """
    items, stack = tables.items.c, read_stack(connection)
    labels = tuple(dict.fromkeys((*query.labels, label)))
    wanted = replace(query, labels=labels, reposts="once")
    n_chars = sa.func.length(items.text)
    excerpt = sa.func.substr(items.text, 1, EXCERPT_CHARS)
    columns = (items.seq, items.id, items.run_id, excerpt, n_chars)
    statement = select_items(connection, wanted, stack=stack, columns=columns)
    if statement is None:
        return ()
    rows = connection.execute(statement.limit(_LOOKED_AT)).all()
    said = read_answers(connection, {row[0]: row[2] for row in rows}, stack=stack)
    sure = []
    for seq, item_id, _, text, length in rows:
        own = said[seq].get(label.facet)
        if own is not None and own.answer.label == label.code and length >= _SHORT_CHARS:
            typical = Typical(item_id, text, is_cut=length > EXCERPT_CHARS)
            probability = own.answer.probability
            sure.append((1.0 if probability is None else probability, seq, typical))
    sure.sort(key=lambda one: one[:2], reverse=True)
    return tuple(typical for _, _, typical in sure[:limit])
