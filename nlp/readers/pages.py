"""Pictures of the pages of a file, small and grey, to be shown beside its text.

What is drawn is what was read: turned and straightened as for recognition, so that a `Place` fits on it.
"""

import importlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nlp.readers import EXTENSIONS, sniff

# media type -> module under nlp.readers with a function `draw`
_DRAWERS = {told: "picture" for told in EXTENSIONS.values() if told.startswith("image/")} | {
    "application/pdf": "pdf"
}
_QUALITY = 50  # of 100: letters stay sharp, and an A4 page takes 20 to 100 kB
_EFFORT = 2  # of 6: 40 ms a page


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is drawn of one file: its first pages, until one of these is reached; `side` is in pixels."""

    n_pages: int = 60
    side: int = 1_600
    n_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Drawn:
    """One page: its number from 1, its size in pixels, and the picture as WebP."""

    number: int
    width: int
    height: int
    webp: bytes


def has_pages(media_type: str) -> bool:
    """Whether there is anything to draw in files of this format."""
    return media_type in _DRAWERS


def draw_pages(data: bytes, *, name: str, bounds: Bounds) -> Iterator[Drawn]:
    """The pages of a PDF or a picture in grey, each drawn when it is asked for; of other files none.

    Raises:
        InputError: the file cannot be opened; pages before the damage have been given then.
    """
    media_type = sniff(data, name=name)
    if not has_pages(media_type):
        return
    reader = importlib.import_module(f"nlp.readers.{_DRAWERS[media_type]}")
    pages: Iterator[Any] = reader.draw(
        data, media_type=media_type, side=bounds.side
    )  # `Any`: Pillow loads late
    left = bounds.n_bytes
    for number, page in enumerate(islice(pages, bounds.n_pages), start=1):
        out = io.BytesIO()
        page.save(out, "WEBP", quality=_QUALITY, method=_EFFORT)
        left -= out.tell()
        if left < 0:
            return
        yield Drawn(number, page.width, page.height, out.getvalue())
