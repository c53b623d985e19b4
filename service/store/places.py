"""Places that opinions name."""

import sqlalchemy as sa

from service.store.tables import mentions


def list_named(
    connection: sa.Connection, kind: str, *, at_least: int, limit: int
) -> tuple[str, ...]:
    """The codes of places or bodies that so many texts name for sure, what is named most first."""
    n_texts = sa.func.count()
    named = (
        sa.select(mentions.c.code)
        .where(mentions.c.kind == kind, mentions.c.n_candidates == 1)
        .group_by(mentions.c.code)
        .having(n_texts >= at_least)
        .order_by(n_texts.desc(), mentions.c.code)
    )
    return tuple(connection.execute(named.limit(limit)).scalars())
