"""Lines to blocks: which line breaks end a paragraph, and which only wrap it.

All rules ignore letter case, so that a document and its lower-cased copy get the same blocks.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nlp.text import to_nfc
from nlp.types import Block, BlockKind, Document, Place

# A line that begins one of these begins a paragraph (Decree 30/2020/NĐ-CP, annex I, part II.5).
STARTS_ITEM = re.compile(
    r"\s*(?:[-–—+•*|]|\d{1,3}(?:\.\d{1,3})*[.)/]\s|[a-zđ]{1,2}\)\s|[ivxlc]+[.)]\s"
    r"|(?:điều|chương|mục|phần|khoản|điểm)\s+[\divxlc]+|căn cứ\s|xét\s|theo đề nghị|nơi nhận|kính gửi"
    r"|số\s*:|v/v\s)",
    re.IGNORECASE,
)
# A dash may also stand inside a name ("chính trị - xã hội") that the line break cut in two.
STARTS_WITH_DASH = re.compile(r"\s*[-–—]\s")
_NEARLY_FULL_SHARE = 0.85
_ENDS_PARAGRAPH = tuple(".;:!?…/|")
_MAX_WRAP_WIDTH = 140  # a longer line was not wrapped by a person or a program
_FULL_SHARE = 0.55  # a line shorter than this share of the width was ended on purpose
# The clauses of a legal basis end in ";" or ".", so without one the line goes on, however short.
_BASIS = re.compile(r"(?:căn cứ|xét|theo đề nghị)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A printed line: text, page from 1, and its box as shares of the page, from the top-left corner.

    `cell` is its table, row and column where it stands in a ruled table.
    """

    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float
    cell: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A block before it has its place in the text; `lines` are what it was joined from, if it was printed.

    `cell` is its table, row and column, each from 0.
    """

    text: str
    kind: BlockKind = "paragraph"
    page: int | None = None
    lines: tuple[PrintedLine, ...] = ()
    cell: tuple[int, int, int] | None = None


def assemble(pieces: Iterable[Piece], *, media_type: str, issues: tuple[str, ...] = ()) -> Document:
    """Join pieces into a Document, one line feed between blocks; blank pieces are dropped."""
    parts: list[str] = []
    blocks: list[Block] = []
    places: list[Place] = []
    offset = 0
    for piece in pieces:
        text = to_nfc(piece.text).strip()
        if not text:
            continue
        parts.append(text)
        cell = piece.cell or (None, None, None)
        blocks.append(Block(offset, offset + len(text), piece.kind, piece.page, *cell))
        places.extend(_places(piece, text=text, offset=offset))
        offset += len(text) + 1
    return Document("\n".join(parts), tuple(blocks), media_type, issues, tuple(places))


def _places(piece: Piece, *, text: str, offset: int) -> Iterator[Place]:
    """Where the printed lines of a piece stand in the text and on the page."""
    at = 0
    for line in piece.lines:
        own = to_nfc(line.text).strip()
        at = text.find(own, at)
        if own and at >= 0:
            box = (line.left, line.top, line.right, line.bottom)
            yield Place(offset + at, offset + at + len(own), line.page, *(round(x, 4) for x in box))
        at = max(at, 0) + len(own)


def document_from_text(text: str, *, media_type: str, issues: tuple[str, ...] = ()) -> Document:
    """A Document whose text is the given one in NFC, unchanged, with blocks found in it."""
    text = to_nfc(text)
    lines: list[tuple[int, int]] = []
    offset = 0
    for line in text.split("\n"):
        body = line.strip()
        start = offset + len(line) - len(line.lstrip())
        lines.append((start, start + len(body)))
        offset += len(line) + 1
    starts = paragraph_starts([text[a:b] for a, b in lines])
    blocks: list[Block] = []
    for (start, end), begins in zip(lines, starts, strict=True):
        if start == end:
            continue
        if begins or not blocks:
            blocks.append(Block(start, end))
        else:
            blocks[-1] = Block(blocks[-1].start, end)
    return Document(text, tuple(blocks), media_type, issues)


def paragraph_starts(lines: Sequence[str]) -> list[bool]:
    """For each stripped line, whether it begins a paragraph rather than continues the one before."""
    width = _wrap_width(lines)
    starts = []
    previous = ""
    for line in lines:
        starts.append(not _continues(line, after=previous, width=width))
        previous = line
    return starts


def _wrap_width(lines: Sequence[str]) -> int:
    """The width lines were wrapped at, in code points; 0 when they were not wrapped."""
    lengths = sorted(len(line) for line in lines if line)
    if len(lengths) < 4:
        return 0
    width = lengths[int(len(lengths) * 0.95) - 1]
    return width if 40 <= width <= _MAX_WRAP_WIDTH and lengths[-1] <= _MAX_WRAP_WIDTH else 0


def _continues(line: str, *, after: str, width: int) -> bool:
    """Whether `line` is the rest of the paragraph that `after` belongs to."""
    if not line or not after or not width:
        return False
    if after.endswith(_ENDS_PARAGRAPH):
        return False
    if STARTS_WITH_DASH.match(line):
        return len(after) >= _NEARLY_FULL_SHARE * width
    if STARTS_ITEM.match(line):
        return False
    return len(after) >= _FULL_SHARE * width or bool(_BASIS.match(after))
