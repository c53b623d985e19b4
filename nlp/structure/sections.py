"""Paragraphs of a document: the role of each in the official form, its heading, its numbered task.

Nothing here depends on letter case: a document and its lower-cased copy have the same paragraphs and roles.
Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.6.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from nlp.structure.markers import Marker, Path, advance, find_marker, task_number
from nlp.structure.sheet import Line, Sheet
from nlp.types import Paragraph, Role, Span

# A paragraph cut by a page break is long and stops in mid-sentence; a short line without a stop is a
# heading or a cell.
_CUT_LENGTH = 80
# Where most lines stop in mid-sentence the text is wrapped, and much shorter lines go on.
_WRAPPED_LENGTH = 35
_WRAPPED_SHARE = 0.35
_HEADING_LENGTH = 150
_HEADING_LENGTHS = {
    "part": 150,
    "roman": 150,
    "initial": 150,
    "article": 120,
    "arabic": 100,
    "decimal": 100,
    "letter": 80,
}
# No heading and no cell stops at these.
_DANGLING = re.compile(
    r"(?:,|(?:^| )(?:so|va|cua|ve|tai|cac|cho|theo|voi|tu|den|trong|nhung|la|do))$"
)
_PAGE_NUMBER = re.compile(r"(?:trang )?[-–]? ?\d{1,4} ?[-–]?(?: ?/ ?\d{1,4})?")
_ORDER = re.compile(r"(?:quyet dinh|quyet nghi|nghi quyet|chi thi|ra lenh)\s*:?")
_BASIS = re.compile(r"can cu(?!\w)")
_BASIS_TOO = re.compile(r"(?:xet|theo|tren co so|thuc hien|sau khi)(?!\w)")
_END = re.compile(r"/\.?\W*$")
_CLOSING = re.compile(
    r"(?:\w+ ){1,3}nay (?:(?:da |se )?duoc )?"
    r"(?:pho bien|co hieu luc|thay the|thong qua|hoi dong|quoc hoi)"
)


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
        is_listed = any(span.start <= line.start < span.end for span in self.recipients)
        return "recipients" if is_listed else "body"


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

    @property
    def is_page_number(self) -> bool:
        return len(self.lines) == 1 and bool(_PAGE_NUMBER.fullmatch(self.last.folded))


def read_paragraphs(sheet: Sheet, zones: Zones) -> tuple[Paragraph, ...]:
    """Cover every block with paragraphs, in reading order."""
    return tuple(_place(_group(sheet.lines, zones), zones))


def _group(lines: Sequence[Line], zones: Zones) -> list[_Group]:
    cut_length = _cut_length(lines, zones)
    groups: list[_Group] = []
    for line in lines:
        role = zones.role(line)
        marker = find_marker(line.text, line.folded) if role == "body" else None
        begun = _Group(role, (line,), marker)
        back = (
            2 if len(groups) > 1 and groups[-1].is_page_number else 1
        )  # a page number is stepped over
        if len(groups) >= back and _belongs(begun, groups[-back], cut_length=cut_length):
            groups[-back:] = [_join([*groups[-back:], begun])]
        else:
            groups.append(begun)
    return groups


def _join(groups: Sequence[_Group]) -> _Group:
    lines = tuple(line for group in groups for line in group.lines)
    return _Group(groups[0].role, lines, groups[0].marker)


def _cut_length(lines: Sequence[Line], zones: Zones) -> int:
    """How long a paragraph must be for a stop in mid-sentence to mean that it goes on."""
    body = (line for line in lines if zones.role(line) == "body")
    full = [line for line in body if len(line.text) >= _WRAPPED_LENGTH]
    n_open = sum(not line.is_terminal for line in full)
    return _WRAPPED_LENGTH if n_open > _WRAPPED_SHARE * len(full) else _CUT_LENGTH


def _belongs(begun: _Group, group: _Group, *, cut_length: int) -> bool:
    """Whether a line goes on with the paragraph above it, which a page break or a line break cut."""
    line, last = begun.last, group.last
    same_block = line.block == last.block
    if begun.role != group.role:
        return False
    if begun.role != "body" or line.is_empty or group.is_decoration:
        return same_block or (line.is_empty and group.is_decoration)
    if begun.marker or last.is_terminal or last.framed or _opens(line):
        return False
    stands_alone = {line.kind, last.kind} & {"heading", "cell"} or line.kind == "list_item"
    is_short = group.length < cut_length and not _DANGLING.search(last.folded)
    return same_block or not (stands_alone or begun.is_page_number or is_short)


def _opens(line: Line) -> bool:
    """Whether a line without a mark opens a paragraph by its words."""
    return any(
        (_BASIS.match(line.folded), _ORDER.fullmatch(line.folded), _CLOSING.match(line.folded))
    )


def _place(groups: Sequence[_Group], zones: Zones) -> Iterator[Paragraph]:
    """Give each group its role, heading and task number."""
    end = zones.body_end
    closing = _find_closing(groups, end)
    path: Path = ()
    heading: Span | None = None
    basis, in_annex = _find_basis(groups), False
    for group in groups:
        start, stop = group.lines[0].start, group.last.end
        if group.role != "body" or group.is_decoration:
            # rules and table strokes in the body are the form's as well
            yield Paragraph(start, stop, "letterhead" if group.role == "body" else group.role)
            continue
        if end is not None and start >= end and not in_annex:
            in_annex, path, heading = True, (), None
        path = advance(path, group.marker) if group.marker else path
        role: Role = "basis" if start in basis else _body_role(group)
        if group is closing:
            role, path = "closing", ()
        yield Paragraph(start, stop, role, heading, task_number(path))
        heading = Span(start, stop) if role == "heading" else heading


def _find_closing(groups: Sequence[_Group], end: int | None) -> _Group | None:
    """The last paragraph of the body, when it says where the document goes or that it ends ("./.").

    Right below a heading it is what the heading announces.
    """
    body = [g for g in groups if g.role == "body" and not g.is_decoration]
    body = [g for g in body if end is None or g.lines[0].start < end]
    if not body or body[-1].marker:
        return None
    last = body[-1]
    is_announced = len(body) > 1 and _body_role(body[-2]) == "heading"
    ends = _END.search(last.folded) and not is_announced
    return last if ends or _CLOSING.match(last.folded) else None


def _find_basis(groups: Sequence[_Group]) -> set[int]:
    """Where the paragraphs of the legal basis start: from the first of the body to the last in a row."""
    body = [g for g in groups if g.role == "body" and not g.is_decoration]
    preamble = list(takewhile(lambda g: g.marker is None and not _ORDER.fullmatch(g.folded), body))
    if not preamble or not _begins_basis(preamble[0]):
        return set()
    last = max(at for at, group in enumerate(preamble) if _begins_basis(group))
    return {group.lines[0].start for group in preamble[: last + 1]}


def _begins_basis(group: _Group) -> bool:
    is_clause = group.last.text[-1] in ";,."
    return bool(_BASIS.match(group.folded) or (is_clause and _BASIS_TOO.match(group.folded)))


def _body_role(group: _Group) -> Role:
    """A heading is marked as one, or short without a stop at its end."""
    if any(line.kind == "heading" for line in group.lines) or _ORDER.fullmatch(group.folded):
        return "heading"
    level = group.marker.level if group.marker else ""
    longest = _HEADING_LENGTHS.get(level, _HEADING_LENGTH if group.lines[0].framed else 0)
    return "heading" if group.length <= longest and not group.last.is_terminal else "body"
