"""Rich Text Format, also under the name .doc: words, cells and drawn numbers by striprtf."""

import re

from nlp.errors import UnreadableFile
from nlp.legacy import LEGACY, to_unicode
from nlp.readers.lines import Piece, assemble
from nlp.readers.repair import draw_bullet
from nlp.types import Document

_TAB = re.compile(r"(?<=[.)])\t")


def read(data: bytes, *, media_type: str) -> Document:
    """Read an RTF file.

    Raises:
        UnreadableFile: it is damaged.
    """
    from striprtf import striprtf  # no annotations

    try:
        raw: str = striprtf.rtf_to_text(data.decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # striprtf has no error of its own
        raise UnreadableFile("the .rtf file is damaged; save it again and send it") from error
    text = to_unicode(raw)
    issues = (LEGACY,) if text != raw else ()
    return assemble(
        (
            Piece(_marked(cell), "cell" if "|" in line else "paragraph")
            for line in text.split("\n")
            for cell in line.split("|")
        ),
        media_type=media_type,
        issues=issues,
    )


def _marked(line: str) -> str:
    """A line with the mark that its list draws as people write it: a dash, a blank behind a number."""
    return _TAB.sub(" ", draw_bullet(line), count=1)
