"""Texts that were there before: found by their hash, whatever their files were called."""

import sqlalchemy as sa

from service.store.tables import items


def find_twin(engine: sa.Engine, seq: int) -> str | None:
    """The id of the first item with the very text of this one, if it came earlier."""
    own = sa.select(items.c.text_sha256).where(items.c.seq == seq).scalar_subquery()
    earlier = (items.c.text_sha256 == own, items.c.seq < seq)
    with engine.connect() as connection:
        found: str | None = connection.scalar(
            sa.select(items.c.id).where(*earlier).order_by(items.c.seq).limit(1)
        )
    return found
