"""Paragraphs of a document: what each is in the official form, under which heading, part of which numbered task.

Nothing here depends on letter case, so a document and its lower-cased copy have the same paragraphs and roles.
Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.6.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nlp.structure.markers import Marker, Path, advance, find_marker, task_number
from nlp.structure.sheet import Line, Sheet
from nlp.types import Paragraph, Role, Span

# A paragraph cut by a page break is long and stops in mid-sentence; a short line without a stop is a heading or a cell.
_CUT_LENGTH = 80
_HEADING_LENGTH = 150
_HEADING_LENGTHS = {"part": 150, "roman": 150, "initial": 150, "article": 120, "arabic": 100, "decimal": 100, "letter": 80}
_PAGE_NUMBER = re.compile(r"(?:trang )?[-–]? ?\d{1,4} ?[-–]?(?: ?/ ?\d{1,4})?")
_ORDER = re.compile(r"(?:quyet dinh|quyet nghi|nghi quyet|chi thi|ra lenh)\s*:?")
_BASIS = re.compile(r"can cu(?!\w)")
_BASIS_TOO = re.compile(r"(?:xet|theo|tren co so|thuc hien|sau khi)(?!\w)")
_END = re.compile(r"/\.?\W*$")
_CLOSING = re.compile(r"(?:\w+ ){1,3}nay (?:duoc |da duoc |se duoc )?(?:pho bien|co hieu luc|thay the|thong qua|hoi dong|quoc hoi)")


@dataclass(frozen=True, slots=True)
class Zones:
    """The stretches of the official form that are known beforehand."""

    head: Span
    recipients: tuple[Span, ...]
    signature: Span | None

    @property
    def body_end(self) -> int | None:
        """Where the document proper has ended and annexes may follow."""
        ends = [span.end for span in (*self.recipients[-1:], self.signature) if span]
        return max(ends, default=None)

    def role(self, line: Line) -> Role:
        """The role of a line by its place alone; "body" where nothing is known."""
        if self.head.start <= line.start < self.head.end:
            return "letterhead"
        if self.signature and self.signature.start <= line.start < self.signature.end:
            return "signature"
        return "recipients" if any(r.start <= line.start < r.end for r in self.recipients) else "body"


@dataclass(frozen=True, slots=True)
class _Group:
    """Lines that make one paragraph."""

    role: Role
    lines: tuple[Line, ...]
    marker: Marker | None

    @property
    def last(self) -> Line:
        return self.lines[-1]

    @property
    def length(self) -> int:
        return sum(len(line.text) for line in self.lines)

    @property
    def folded(self) -> str:
        return " ".join(line.folded for line in self.lines)

    @property
    def is_decoration(self) -> bool:
        return all(line.is_empty for line in self.lines)


def read_paragraphs(sheet: Sheet, zones: Zones) -> tuple[Paragraph, ...]:
    """Cover every block with paragraphs, in reading order."""
    return tuple(_place(_group(sheet.lines, zones), zones))


def _group(lines: Iterable[Line], zones: Zones) -> list[_Group]:
    groups: list[_Group] = []
    for line in lines:
        role = zones.role(line)
        marker = find_marker(line.text, line.folded) if role == "body" else None
        if groups and _belongs(line, groups[-1], role=role, marker=marker):
            groups[-1] = _Group(role, (*groups[-1].lines, line), groups[-1].marker)
        elif len(groups) > 1 and _bridges(line, groups, role=role, marker=marker):
            page = groups.pop()
            groups[-1] = _Group(role, (*groups[-1].lines, *page.lines, line), groups[-1].marker)
        else:
            groups.append(_Group(role, (line,), marker))
    return groups


def _belongs(line: Line, group: _Group, *, role: Role, marker: Marker | None) -> bool:
    """Whether a line goes on with the paragraph above it."""
    same_block = line.block == group.last.block
    if role != group.role:
        return False
    if role != "body" or line.is_empty or group.is_decoration:
        return same_block or (line.is_empty and group.is_decoration)
    if marker or group.last.is_terminal or group.last.framed or _opens(line):
        return False
    return same_block or _is_cut(line, group)


def _is_cut(line: Line, group: _Group) -> bool:
    """Whether a page break cut a paragraph between a group and a line."""
    bound = {line.kind, group.last.kind} & {"heading", "cell"} or line.kind == "list_item"
    return not bound and group.length >= _CUT_LENGTH and not _PAGE_NUMBER.fullmatch(line.folded)


def _bridges(line: Line, groups: Sequence[_Group], *, role: Role, marker: Marker | None) -> bool:
    """Whether only a page number stands between a line and the paragraph it goes on with."""
    number, before = groups[-1], groups[-2]
    is_number = len(number.lines) == 1 and _PAGE_NUMBER.fullmatch(number.last.folded)
    return bool(is_number and not line.is_empty and _belongs(line, before, role=role, marker=marker))


def _opens(line: Line) -> bool:
    """Whether a line without a mark opens a paragraph by its words."""
    return bool(_BASIS.match(line.folded) or _ORDER.fullmatch(line.folded) or _CLOSING.match(line.folded))


def _place(groups: Sequence[_Group], zones: Zones) -> Iterator[Paragraph]:
    """Give each group its role, heading and task number."""
    end = zones.body_end
    closing = _find_closing(groups, end)
    path: Path = ()
    heading: Span | None = None
    in_preamble, in_basis, in_annex = True, False, False
    for group in groups:
        start, stop = group.lines[0].start, group.last.end
        if group.role != "body" or group.is_decoration:
            yield Paragraph(start, stop, "letterhead" if group.role == "body" else group.role)
            continue
        if end is not None and start >= end and not in_annex:
            in_annex, path, heading = True, (), None
        in_basis = in_preamble = in_preamble and _is_basis(group, in_basis=in_basis)
        path = advance(path, group.marker) if group.marker else path
        role: Role = "basis" if in_preamble else _body_role(group)
        if group is closing:
            role, path = "closing", ()
        yield Paragraph(start, stop, role, heading, task_number(path))
        heading = Span(start, stop) if role == "heading" else heading


def _find_closing(groups: Sequence[_Group], end: int | None) -> _Group | None:
    """The last paragraph of the body, when it only says where the document goes or that it ends ("./.")."""
    body = [g for g in groups if g.role == "body" and not g.is_decoration]
    body = [g for g in body if end is None or g.lines[0].start < end]
    if not body or body[-1].marker:
        return None
    last = body[-1]
    return last if _CLOSING.match(last.folded) or _END.search(last.folded) else None


def _is_basis(group: _Group, *, in_basis: bool) -> bool:
    return bool(_BASIS.match(group.folded) or (_BASIS_TOO.match(group.folded) and (in_basis or group.last.text[-1] in ";,")))


def _body_role(group: _Group) -> Role:
    """A heading is marked as one, or short without a stop at its end."""
    if any(line.kind == "heading" for line in group.lines) or _ORDER.fullmatch(group.folded):
        return "heading"
    level = group.marker.level if group.marker else ""
    longest = _HEADING_LENGTHS.get(level, _HEADING_LENGTH if group.lines[0].framed else 0)
    return "heading" if group.length <= longest and not group.last.is_terminal else "body"
