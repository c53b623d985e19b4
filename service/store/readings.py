"""What several people said of the same items, and what models say of them now."""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from service.store import tables
from service.store.corrections import Correction, correction_of, standing_words
from service.store.dialect import lots
from service.store.records import Answer, read_answer
from service.store.stack import current_run, read_stack

Place = tuple[int, str]  # the seq of an item, and a facet


def read_newest(connection: sa.Connection, *, n: int) -> dict[Place, tuple[Correction, ...]]:
    """What stands of the items that the newest `n` corrections concern, oldest first, by item and facet."""
    log = tables.corrections
    newest = sa.select(log.c.seq).order_by(log.c.id.desc()).limit(n).subquery()
    query = sa.select(log).where(log.c.seq.in_(sa.select(newest.c.seq)))
    rows = connection.execute(query.order_by(log.c.seq, log.c.facet, log.c.id)).mappings()
    said = groupby(map(correction_of, rows), key=lambda one: (one.seq, one.facet))
    return {place: words for place, own in said if (words := standing_words(own))}


def count_since(connection: sa.Connection, moment: datetime) -> int:
    """How many words people have said since and not taken back; of everybody, never of one."""
    log = tables.corrections.c
    each = sa.case((log.decision == "withdrawn", -1), else_=1)
    n_words = sa.select(sa.func.sum(each)).where(log.made_at >= moment)
    return max(0, connection.scalar(n_words) or 0)


def read_models(connection: sa.Connection, places: Collection[Place]) -> dict[Place, Answer]:
    """What models say of these facets of items, whatever people do."""
    stack = read_stack(connection).of_models()
    items, answers = tables.items, tables.answers
    found: dict[Place, Answer] = {}
    for facet in sorted({facet for _, facet in places}):
        seqs = [seq for seq, own in places if own == facet]
        stands = sa.and_(
            answers.c.seq == items.c.seq, answers.c.run_id == current_run(stack, facet)
        )
        joined = sa.select(answers).select_from(items.join(answers, stands))
        for some in lots(seqs):
            for row in connection.execute(joined.where(items.c.seq.in_(some))).mappings():
                answer = read_answer(dict(row), facet)
                if answer is not None:
                    found[row["seq"], facet] = answer
    return found
