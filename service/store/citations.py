"""From the number of a document to the documents that bear it: what a citation leads to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from service.store import tables
from service.store.records import NUMBER_CHARS
from service.store.stack import WHOLE, Stack, current_run, read_stack

MAX_BEARERS = 3  # of one number that are told; many offices number alike
_AT_ONCE = 100  # numbers in a statement: SQLite joins at most 500 queries


@dataclass(frozen=True, slots=True)
class Cited:
    """A number that is looked for; with a day, only what bears that day too."""

    canonical: str
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A stored document that bears a number; `headline` as in a list."""

    id: str
    headline: Mapping[str, str | None]


def find_cited(
    engine: sa.Engine, wanted: Collection[Cited], *, beside: int
) -> dict[Cited, tuple[Bearer, ...]]:
    """The stored documents that bear each number, the latest first; one more than `MAX_BEARERS` at most.

    Args:
        engine: the store.
        wanted: the numbers; those that nothing bears are left out of the answer.
        beside: the `seq` of the document that cites, which is no answer itself.
    """
    asked = list(dict.fromkeys(wanted))
    found: dict[Cited, tuple[Bearer, ...]] = {}
    with engine.connect() as connection:
        stack = read_stack(connection).of_models()
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            parts = (_bearers(one, n, beside=beside, stack=stack) for n, one in enumerate(some))
            for n, item_id, headline in connection.execute(sa.union_all(*parts)):
                found[some[n]] = (*found.get(some[n], ()), Bearer(item_id, headline))
    return found


def _bearers(cited: Cited, n: int, *, beside: int, stack: Stack) -> sa.Select[Any]:
    """The documents of one number; `n` tells them from those of the others."""
    items, analyses = tables.items, tables.analyses.c
    bears = [analyses.canonical == cited.canonical[:NUMBER_CHARS]]
    if cited.dated is not None:
        bears.append(analyses.dated == cited.dated)
    own = (
        sa.select(sa.literal_column(str(n)).label("n"), items.c.id, analyses.headline)
        .join(items, items.c.seq == analyses.seq)
        .where(*bears, items.c.seq != beside)
        .where(analyses.run_id == current_run(stack, WHOLE))
        .order_by(analyses.dated.desc(), analyses.seq.desc())
        .limit(MAX_BEARERS + 1)
        .subquery()
    )
    return sa.select(own.c.n, own.c.id, own.c.headline)
