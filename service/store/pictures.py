"""Pictures of pages: of official documents alone, and gone with them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from nlp.readers.pages import Drawn
from service.store.dialect import insert_new
from service.store.tables import items, pictures


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be shown: its number from 1, and its size in pixels."""

    number: int
    width: int
    height: int


def keep_pages(connection: sa.Connection, seq: int, pages: Sequence[Drawn]) -> None:
    """Keep the pages of an official document; of any other item, or one that is gone, none is kept."""
    official = sa.select(items.c.seq).where(items.c.seq == seq, items.c.kind == "official")
    # held, so that it is not erased meanwhile
    held = connection.scalar(official.with_for_update(read=True, key_share=True))
    if held is not None and pages:
        rows = [{"seq": seq} | asdict(page) for page in pages]
        connection.execute(insert_new(connection, pictures), rows)


def list_pages(engine: sa.Engine, seq: int) -> tuple[Page, ...]:
    """The pages of an item that can be shown, in order; none of most items."""
    columns = (pictures.c.number, pictures.c.width, pictures.c.height)
    query = sa.select(*columns).where(pictures.c.seq == seq).order_by(pictures.c.number)
    with engine.connect() as connection:
        return tuple(Page(*row) for row in connection.execute(query))


def read_page(engine: sa.Engine, seq: int, number: int) -> bytes | None:
    """One page as WebP, or None."""
    one = (pictures.c.seq == seq, pictures.c.number == number)
    with engine.connect() as connection:
        found: bytes | None = connection.scalar(sa.select(pictures.c.webp).where(*one))
    return found
