"""Pictures of the pages of what was taken in, drawn in a child process behind the reading of the text."""

import time
from collections.abc import Iterator
from contextlib import closing

import sqlalchemy as sa
import structlog

from nlp.errors import InputError
from nlp.readers.child import Limits, draw_in_child
from nlp.readers.pages import Bounds, Drawn
from service.store.dialect import writing
from service.store.pictures import keep_pages

_BOUNDS = Bounds()
_DRAWING_S = 15.0  # then what is drawn is enough
_log = structlog.get_logger()


def draw_and_keep(engine: sa.Engine, seq: int, *, data: bytes, name: str, limits: Limits) -> None:
    """Keep pictures of an official document; where that fails, the document is kept without them."""
    pages = tuple(_drawn(data, name=name, limits=limits))
    try:
        with writing(engine) as connection:
            keep_pages(connection, seq, pages)
    except sa.exc.SQLAlchemyError as error:
        _log.warning("pages_not_kept", error=type(error).__name__)


def _drawn(data: bytes, *, name: str, limits: Limits) -> Iterator[Drawn]:
    """The pages up to the first that cannot be drawn."""
    ends = time.monotonic() + _DRAWING_S
    try:
        with closing(draw_in_child(data, name=name, bounds=_BOUNDS, limits=limits)) as pages:
            for page in pages:
                yield page
                if time.monotonic() > ends:
                    return
    except (InputError, OSError) as error:
        _log.warning("pages_not_drawn", error=type(error).__name__)
