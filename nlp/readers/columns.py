"""Words of a page to lines, two columns one after the other: letterheads, recipients beside signatures.

The official form sets two columns at its head and foot (Decree 30/2020/NĐ-CP, annex I, part II); a row that
runs across both says nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.readers.lines import PrintedLine

_WIDE = 2.0  # times the height of a word: a gap this wide lies between two columns
_SLACK = 0.01  # of the page's width


@dataclass(frozen=True, slots=True)
class Word:
    """A printed word with its box as shares of the page, from the top-left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def rows_of(words: Sequence[Word]) -> list[list[Word]]:
    """Words on one level, from the top down, each row from left to right."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.bottom, word.left)):
        if rows and word.bottom - rows[-1][0].bottom < 0.4 * (word.bottom - word.top):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda word: word.left) for row in rows]


def lines_of(rows: Sequence[Sequence[Word]], *, page: int, ratio: float) -> list[PrintedLine]:
    """Rows cut into columns where they have two; of a stretch of such rows the left column comes first.

    Args:
        rows: words from left to right, rows in reading order.
        page: the number of the page, from 1.
        ratio: the page's height by its width.
    """
    ordered: list[PrintedLine] = []
    band: list[list[PrintedLine]] = []
    border = 0.0
    for row in rows:
        cells = [_line(cell, page=page) for cell in _cells(row, ratio=ratio)]
        if band and not _fits(cells, border):
            ordered += _by_column(band, border)
            band = []
        if len(cells) == 2 and not band:
            border = (cells[0].right + cells[1].left) / 2
        if len(cells) == 2 or band:
            band.append(cells)
        else:
            ordered += cells
    return ordered + _by_column(band, border)


def _cells(row: Sequence[Word], *, ratio: float) -> Iterator[list[Word]]:
    """A row cut where a gap is too wide for a blank."""
    held = [row[0]]
    for word in row[1:]:
        height = max(word.bottom - word.top, held[-1].bottom - held[-1].top) * ratio
        if word.left - held[-1].right > _WIDE * height:
            yield held
            held = []
        held.append(word)
    yield held


def _fits(cells: Sequence[PrintedLine], border: float) -> bool:
    """Whether every cell stands in one of the two columns."""
    return all(_is_left(cell, border) or cell.left >= border - _SLACK for cell in cells)


def _is_left(cell: PrintedLine, border: float) -> bool:
    return cell.right <= border + _SLACK


def _by_column(band: Sequence[Sequence[PrintedLine]], border: float) -> list[PrintedLine]:
    cells = [cell for row in band for cell in row]
    return sorted(cells, key=lambda cell: not _is_left(cell, border))


def _line(words: Sequence[Word], *, page: int) -> PrintedLine:
    return PrintedLine(
        " ".join(word.text for word in words),
        page,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )
