"""Words of a page to lines, two columns one after the other: letterheads, recipients beside signatures.

The official form sets two columns at its head and foot (Decree 30/2020/NĐ-CP, annex I, part II); a row that
runs across both says nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.readers.lines import PrintedLine
from nlp.text import fold

_MIDDLE, _OFF_MIDDLE = (
    0.52,
    0.06,
)  # of the page's width: margins of 3 and 2 cm (Decree 30/2020/NĐ-CP)
_BODY = re.compile(r"(?:kinh gui|can cu|dieu \d|chuong|phan|[ivx]+\.|\d+\.)(?!\w)")
_WIDE = 2.0  # times the height of a word: a gap this wide lies between two columns


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


def lines_of(
    rows: Sequence[Sequence[Word]], *, page: int, ratio: float, one_column: bool = False
) -> list[PrintedLine]:
    """Rows cut into columns where they have two; of a stretch of such rows the left column comes first.

    Args:
        rows: words from left to right, rows in reading order.
        page: the number of the page, from 1.
        ratio: the page's height by its width.
        one_column: the rows are those of one cell, however wide their gaps.
    """
    if one_column:
        return [_line(row, page=page) for row in rows]
    return _in_bands([[_line(c, page=page) for c in _cells(row, ratio=ratio)] for row in rows])


def by_columns(lines: Sequence[PrintedLine]) -> list[PrintedLine]:
    """The lines of a page, those that stand side by side ordered by their columns."""
    rows: list[list[PrintedLine]] = []
    for line in sorted(lines, key=lambda line: (line.bottom, line.left)):
        beside = rows and line.bottom - rows[-1][0].bottom < 0.5 * (line.bottom - line.top)
        if beside and all(line.left > other.right or line.right < other.left for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    if all(len(row) == 1 for row in rows):
        return list(lines)
    return _in_bands([sorted(row, key=lambda line: line.left) for row in rows])


def _in_bands(rows: Sequence[Sequence[PrintedLine]]) -> list[PrintedLine]:
    """Rows of cells as lines; of a stretch of rows with two the left column comes first."""
    ordered: list[PrintedLine] = []
    band = _Band()
    for cells in rows:
        if not band.takes(cells):
            ordered += band.by_column()
            band = _Band()
            if not band.takes(cells):
                ordered += cells
    return ordered + band.by_column()


def _is_across(cell: PrintedLine) -> bool:
    """Whether a line alone on its level is of neither column: set in the middle, or the body's first."""
    middle = abs((cell.left + cell.right) / 2 - _MIDDLE) < _OFF_MIDDLE
    return middle or bool(_BODY.match(fold(cell.text)))


class _Band:
    """Rows in two columns: where the left one ends and the right one begins, and their cells."""

    def __init__(self) -> None:
        self.left: list[PrintedLine] = []
        self.right: list[PrintedLine] = []

    def takes(self, cells: Sequence[PrintedLine]) -> bool:
        """Take in a row if it keeps to the columns; the first row must have both."""
        if len(cells) == 2 and self._is_left(cells[0]) and self._is_right(cells[1]):
            self.left.append(cells[0])
            self.right.append(cells[1])
            return True
        if len(cells) != 1 or not self.left or _is_across(cells[0]):
            return False
        if self._is_left(cells[0]):
            self.left.append(cells[0])
            return True
        if self._is_right(cells[0]):
            self.right.append(cells[0])
            return True
        return False

    def by_column(self) -> list[PrintedLine]:
        """The left column, then the right one."""
        return self.left + self.right

    def _is_left(self, cell: PrintedLine) -> bool:
        return cell.right < min((other.left for other in self.right), default=1.0)

    def _is_right(self, cell: PrintedLine) -> bool:
        return cell.left > max((other.right for other in self.left), default=0.0)


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


def _line(words: Sequence[Word], *, page: int) -> PrintedLine:
    return PrintedLine(
        " ".join(word.text for word in words),
        page,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )
