"""PDF files with a text layer: characters in stream order, paragraphs by the geometry of their lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from nlp.errors import TooLarge, UnreadableFile
from nlp.readers.lines import STARTS_ITEM, STARTS_WITH_DASH, Piece, assemble
from nlp.types import Document

MAX_PAGES = 1000
_ENDS_SENTENCE = tuple(".;:!?…/")


@dataclass(frozen=True, slots=True)
class _Line:
    """A printed line: text, page from 1, and its box in points, y upwards."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    top: float


def read(data: bytes, *, media_type: str) -> Document:
    """Read the text layer of a PDF; lines are joined to paragraphs, page numbers left out.

    Raises:
        UnreadableFile: damaged, encrypted, or no text layer (a scan).
        TooLarge: more than 1,000 pages.
    """
    import pypdfium2 as pdfium  # loads a 7 MB library

    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile(
                "the PDF is encrypted; remove its password, send it again"
            ) from error
        raise UnreadableFile("the PDF is damaged or cut off; save it again and send it") from error
    try:
        if len(pdf) > MAX_PAGES:
            raise TooLarge(f"the PDF has {len(pdf)} pages; at most {MAX_PAGES} are read")
        lines = [line for i in range(len(pdf)) for line in _page_lines(pdf, page_number=i + 1)]
    except pdfium.PdfiumError as error:
        raise UnreadableFile("a page of the PDF is damaged; save it again and send it") from error
    finally:
        pdf.close()
    if not lines:
        raise UnreadableFile("the PDF has no text layer (a scan?); send it with recognised text")
    return assemble(_paragraphs(lines), media_type=media_type)


def _page_lines(pdf: Any, *, page_number: int) -> Iterator[_Line]:
    """The printed lines of one page. `Any`: pypdfium2 has no type hints for its handles."""
    page = pdf[page_number - 1]
    textpage = page.get_textpage()
    text = textpage.get_text_range()
    start = 0
    lines = []
    for raw in text.split("\n"):
        body = raw.rstrip("\r")
        boxes = _boxes(textpage, start=start, text=body)
        if boxes:
            left, bottom = min(b[0] for b in boxes), min(b[1] for b in boxes)
            right, top = max(b[2] for b in boxes), max(b[3] for b in boxes)
            lines.append(_Line(body.strip(), page_number, left, right, bottom, top))
        start += len(raw) + 1
    for i, line in enumerate(lines):
        at_edge = i in {0, len(lines) - 1}
        if line.text and not (at_edge and line.text.strip("-–— ").isdigit()):
            yield line


def _boxes(textpage: Any, *, start: int, text: str) -> list[tuple[float, float, float, float]]:
    """Boxes (left, bottom, right, top) of the first and last inked characters of a line."""
    inked = [i for i, char in enumerate(text) if not char.isspace()]
    ends = inked[:2] + inked[-2:]
    count = textpage.count_chars()
    return [textpage.get_charbox(start + i) for i in ends if start + i < count]


def _paragraphs(lines: Sequence[_Line]) -> Iterator[Piece]:
    margins = (
        _common([line.left for line in lines]),
        max(line.right for line in lines),
        _pitch(lines),
    )
    held = [lines[0]]
    for line in lines[1:]:
        if _begins(line, after=held[-1], margins=margins):
            yield Piece(" ".join(part.text for part in held), page=held[0].page)
            held = []
        held.append(line)
    yield Piece(" ".join(part.text for part in held), page=held[0].page)


def _common(values: Sequence[float]) -> float:
    """The most frequent value, to the nearest two points."""
    rounded = [round(value / 2) * 2 for value in values]
    return float(max(set(rounded), key=rounded.count))


def _pitch(lines: Sequence[_Line]) -> float:
    """The usual distance from one line to the next, in points."""
    gaps = [
        above.bottom - line.bottom
        for above, line in pairwise(lines)
        if above.page == line.page and 0 < above.bottom - line.bottom < 60
    ]
    return median(gaps) if gaps else 0.0


def _begins(line: _Line, *, after: _Line, margins: tuple[float, float, float]) -> bool:
    """Whether a line begins a paragraph: a mark, a short line before it, an indent, or a wider gap."""
    left, right, pitch = margins
    width = right - left
    is_full = after.right >= right - 0.04 * width
    ends = after.text.endswith(_ENDS_SENTENCE)
    if STARTS_WITH_DASH.match(line.text) and is_full and not ends:
        return False
    if STARTS_ITEM.match(line.text) or after.right < right - 0.25 * width:
        return True
    if ends and not is_full:
        return True
    if line.left > left + 0.02 * width and after.left < line.left - 0.02 * width:
        return True
    return line.page == after.page and bool(pitch) and after.bottom - line.bottom > 1.35 * pitch
