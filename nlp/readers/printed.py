"""Printed lines to paragraphs: what a page shows, by the geometry of its lines.

Lines come from a text layer (`pdf`) or from recognition (`ocr`); running heads, page numbers and stamps of
digital signatures are no part of a document and are left out, which is said among the issues.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from nlp.readers.lines import STARTS_ITEM, STARTS_WITH_DASH, Piece, PrintedLine
from nlp.text import fold
from nlp.types import BlockKind

RUNNING_HEAD = "running_heads_left_out"
STAMP = "signature_stamp_left_out"
_ENDS_SENTENCE = tuple(".;:!?…/")
_EDGE = 0.12  # share of the page's height in which heads and feet stand
_MIN_REPEATS = 3  # pages
_REPEAT_SHARE = 0.2
_RIGHT_COLUMN = 0.4  # of the width of the text; no paragraph is indented so far
# What Vietnamese signing programs print into a page (Circular 01/2019/TT-BNV, annex IV).
_STAMP = re.compile(
    r"(?:(?:duoc )?ky (?:so )?boi|nguoi ky|ky ngay|thoi gian ky|signed by|signing (?:time|date)"
    r"|digitally signed|e-?mail|co quan|to chuc|thoi gian|date)\s*:",
)
_STAMP_BEGINS = re.compile(
    r"(?:duoc )?ky (?:so )?boi\s*:|nguoi ky\s*:|signed by\s*:|digitally signed"
)
_MAX_STAMP_LINES = 7


def leave_out_running(
    lines: Sequence[PrintedLine],
) -> tuple[list[PrintedLine], tuple[str, ...]]:
    """The lines without page numbers, heads and feet that run through the pages, and signature stamps.

    Returns:
        The lines that are left, and the issues that name what is gone (not for bare page numbers).
    """
    at_edge = _at_edges(lines)
    n_pages = len({line.page for line in lines})
    repeated = Counter(key for i in at_edge for key in [_running_key(lines[i].text)])
    running = {
        i
        for i in at_edge
        if repeated[_running_key(lines[i].text)] >= max(_MIN_REPEATS, _REPEAT_SHARE * n_pages)
    }
    numbers = {i for i in at_edge if _is_page_number(lines[i].text)}
    stamps = _stamp_lines(lines)
    gone = running | numbers | stamps
    issues = ((RUNNING_HEAD,) if running - numbers else ()) + ((STAMP,) if stamps else ())
    return [line for i, line in enumerate(lines) if i not in gone], issues


def _at_edges(lines: Sequence[PrintedLine]) -> set[int]:
    """The first two and last two lines of each page that stand at its edges."""
    by_page: dict[int, list[int]] = {}
    for i, line in enumerate(lines):
        by_page.setdefault(line.page, []).append(i)
    found = set()
    for own in by_page.values():
        own = sorted(own, key=lambda i: lines[i].top)
        found |= {i for i in own[:2] if lines[i].bottom < _EDGE}
        found |= {i for i in own[-2:] if lines[i].top > 1 - _EDGE}
        found |= {own[0], own[-1]} if len(own) > 1 else set()
    return found


def _running_key(text: str) -> str:
    """A running head without what changes in it from page to page."""
    return " ".join(re.sub(r"[\d\W_]+", " ", fold(text)).split()) or "#"


def _is_page_number(text: str) -> bool:
    return text.strip("-–—. ").isdigit()


def _stamp_lines(lines: Sequence[PrintedLine]) -> set[int]:
    """Lines of digital signature stamps: one that begins a stamp, and those with its other keys after it."""
    found: set[int] = set()
    folded = [fold(line.text.strip()) for line in lines]
    for i, text in enumerate(folded):
        if not _STAMP_BEGINS.match(text):
            continue
        near = range(i + 1, min(i + _MAX_STAMP_LINES, len(lines)))
        keyed = [j for j in near if _STAMP.match(folded[j])]
        if keyed:
            found |= set(range(i, keyed[-1] + 1))
    return found


def paragraphs(lines: Sequence[PrintedLine]) -> Iterator[Piece]:
    """Join printed lines to paragraphs, and those of a cell of a table to one."""
    if not lines:
        return
    free = [line for line in lines if line.cell is None] or lines
    margins = (
        _common([line.left for line in free]),
        max(line.right for line in free),
        _pitch(free),
    )
    held = [lines[0]]
    for line in lines[1:]:
        in_table = line.cell or held[-1].cell
        if line.cell != held[-1].cell or (
            not in_table and _begins(line, after=held[-1], margins=margins)
        ):
            yield _piece(held)
            held = []
        held.append(line)
    yield _piece(held)


def replace_lines(lines: Sequence[PrintedLine], *, by: Sequence[PrintedLine]) -> list[PrintedLine]:
    """The lines of a page with those that stand in the box of a table replaced by the table's own."""
    left, right = min(line.left for line in by), max(line.right for line in by)
    top, bottom = min(line.top for line in by), max(line.bottom for line in by)

    def is_inside(line: PrintedLine) -> bool:
        x, y = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        return line.cell is None and left <= x <= right and top <= y <= bottom

    first = next((i for i, line in enumerate(lines) if is_inside(line)), None)
    if first is None:
        return list(lines)
    kept = [line for line in lines if not is_inside(line)]
    return [*kept[:first], *by, *kept[first:]]


def _piece(lines: Sequence[PrintedLine]) -> Piece:
    text = " ".join(line.text for line in lines)
    cell = lines[0].cell
    kind: BlockKind = "cell" if cell else "paragraph"
    return Piece(text, kind, page=lines[0].page, lines=tuple(lines), cell=cell)


def _common(values: Sequence[float]) -> float:
    """The most frequent value, to the nearest three thousandths of the page."""
    rounded = [round(value / 0.003) * 0.003 for value in values]
    return max(set(rounded), key=rounded.count)


def _pitch(lines: Sequence[PrintedLine]) -> float:
    """The usual distance from one line to the next."""
    gaps = [
        line.bottom - above.bottom
        for above, line in pairwise(lines)
        if above.page == line.page and 0 < line.bottom - above.bottom < 0.07
    ]
    return median(gaps) if gaps else 0.0


def _begins(line: PrintedLine, *, after: PrintedLine, margins: tuple[float, float, float]) -> bool:
    """Whether a line begins a paragraph: a mark, a short line before it, an indent, or a wider gap."""
    left, right, pitch = margins
    width = right - left
    is_full = after.right >= right - 0.04 * width
    ends = after.text.endswith(_ENDS_SENTENCE)
    if STARTS_WITH_DASH.match(line.text) and is_full and not ends:
        return False
    if STARTS_ITEM.match(line.text) or after.right < right - 0.25 * width:
        return True
    if _is_set_apart(line, after=after, left=left, right=right):
        return True
    if is_full and not ends and STARTS_ITEM.match(after.text):
        return False  # the lines of an item may hang under its words
    is_indented = line.left > left + 0.02 * width and after.left < line.left - 0.02 * width
    is_far = line.page == after.page and bool(pitch) and line.bottom - after.bottom > 1.35 * pitch
    return (ends and not is_full) or is_indented or is_far


def _is_set_apart(line: PrintedLine, *, after: PrintedLine, left: float, right: float) -> bool:
    """Whether two lines are set so differently that they are no paragraph.

    Not one below the other, one in capitals and one not, a centred one above one at the margin, or both in
    the right column of the head or foot, where each line is for itself.
    """
    width = right - left
    is_beside = line.page == after.page and line.top < (after.top + after.bottom) / 2
    if is_beside or _is_set_in_capitals(line.text) != _is_set_in_capitals(after.text):
        return True
    if _is_centred(after, left=left, right=right) and line.left < left + 0.02 * width:
        return True
    return after.left > left + _RIGHT_COLUMN * width


def _is_centred(line: PrintedLine, *, left: float, right: float) -> bool:
    """Whether a line stands in the middle, well away from both margins."""
    width, before, behind = right - left, line.left - left, right - line.right
    return min(before, behind) > 0.05 * width and abs(before - behind) < 0.06 * width


def _is_set_in_capitals(text: str) -> bool:
    """Whether a line is a line of capitals, as titles and names of bodies are set."""
    return text.isupper() and len(text.split()) > 1
