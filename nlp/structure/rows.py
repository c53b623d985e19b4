"""Rows of tables that lay duties: what their columns hold, told by the words of the header.

Plans set their tasks out so (Decree 30/2020/NĐ-CP, annex III, leaves the layout to the body).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from nlp.structure.sheet import Sheet
from nlp.types import Block, Span

_TASK = re.compile(r"nhiem vu|noi dung|cong viec|hoat dong|trach nhiem|phan viec|viec phai lam")
_NUMBER = re.compile(r"s?tt|so tt|so thu tu")
_WITH = re.compile(r"phoi hop|cung thuc hien")
# the more telling first
_ACTORS = (
    re.compile(r"chu tri|chiu trach nhiem|dau moi"),
    re.compile(r"(?:don vi|co quan|bo phan|nguoi) (?:thuc hien|phu trach)|phan cong|thuc hien"),
    re.compile(r"don vi(?! tinh)|co quan|bo phan|phu trach|chuc vu|chuc danh|thanh vien|ho va ten"),
)
_WHEN = re.compile(r"thoi gian|thoi han|hoan thanh|tien do|thoi diem|han ")


@dataclass(frozen=True, slots=True)
class Row:
    """A row with a task: its whole stretch, its number, the cells of its actors and of its deadline."""

    span: Span
    number: str | None
    actors: tuple[Span, ...]
    deadline: Span | None


def read_rows(sheet: Sheet, blocks: Sequence[Block]) -> Iterator[Row]:
    """The rows of tables whose header names tasks and who carries them out."""
    cells = [block for block in blocks if block.table is not None]
    for _, own in groupby(cells, key=lambda block: block.table):
        rows = [list(row) for _, row in groupby(own, key=lambda block: block.row)]
        roles = _roles(sheet, rows[0])
        if "task" in roles.values() and "actors" in roles.values():
            for row in rows[1:]:
                yield _row(sheet, row, roles=roles)


def _roles(sheet: Sheet, header: Sequence[Block]) -> dict[int | None, str]:
    """What each column holds, as far as the header tells."""
    titles = {cell.column: sheet.slice_folded(cell.start, cell.end) for cell in header}
    roles: dict[int | None, str] = {}
    for pattern in _ACTORS:
        named = [at for at, title in titles.items() if pattern.search(title)]
        named = [
            at for at in named if not _WITH.search(titles[at]) and not _WHEN.search(titles[at])
        ]
        if named:
            roles[named[0]] = "actors"
            break
    for at, title in titles.items():
        if at in roles or _WITH.search(title):
            continue
        if _NUMBER.fullmatch(title):
            roles[at] = "number"
        elif _WHEN.search(title):
            roles[at] = "deadline"
        elif _TASK.search(title):
            roles[at] = "task"
    return roles


def _row(sheet: Sheet, row: Sequence[Block], *, roles: dict[int | None, str]) -> Row:
    def held(role: str) -> list[Block]:
        return [cell for cell in row if roles.get(cell.column) == role]

    number = [sheet.slice(cell.start, cell.end) for cell in held("number")]
    when = held("deadline")
    has_task = bool(held("task"))
    return Row(
        Span(row[0].start, row[-1].end),
        number[0].rstrip(".") if number else None,
        tuple(Span(cell.start, cell.end) for cell in held("actors")) if has_task else (),
        Span(when[0].start, when[-1].end) if when else None,
    )
