"""Who receives a document: the lines under "Nơi nhận", and the addressees after "Kính gửi".

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.9 (boxes 9a and 9b); the last line is the filing
("Lưu").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nlp.structure.registers import Registers
from nlp.structure.sheet import Line, Sheet
from nlp.structure.subject import begins_body
from nlp.types import Field, Span

ADDRESS = re.compile(r"\s*(?<!\w)kinh\s+gui\s*(?::\s*|(?=\s))")
_WIRED = re.compile(r"(?<!\w)dien\s*:\s*$")  # "THỦ TƯỚNG CHÍNH PHỦ điện:"
LISTED = re.compile(r"^[ ]*noi\s+nhan(?:\s*:|[ ]*$)\s?", re.MULTILINE)
_DASH = re.compile(r"\s*[-–—+•]\s*")
_FILING = re.compile(r"\W*luu(?!\w)")
_ENDS = " \t\n-–—+•.;,:/"
# An annex is not part of the document proper: its forms have recipients and signatures of their own.
# It has a heading, or a letterhead with a motto.
_ANNEX = re.compile(
    r"doc\s+lap\s*[-–]\s*tu\s+do\s*[-–]\s*hanh\s+phuc"
    r"|^[ ]*(?:phu\s+luc|bieu\s+mau|mau\s+so|mau\s+\d+)(?:[ ]+[ivx\d.a-z/-]{1,8}){0,2}[ ]*$",
    re.MULTILINE,
)
_MAX_LINES = 80
_REMARKS = 160  # code points


@dataclass(frozen=True, slots=True)
class Recipients:
    """The lines of recipients, and the stretch they take with their label."""

    field: Field
    span: Span


def find_annex(sheet: Sheet, after: int) -> int:
    """Where the first annex begins, or the end of the text."""
    match = _ANNEX.search(sheet.folded, after)
    return match.start() if match else len(sheet.text)


def read_recipients(sheet: Sheet, body: Span, *, registers: Registers) -> Recipients | None:
    """Read the lines under "Nơi nhận" in a stretch of text; None where it has no such label."""
    label = LISTED.search(sheet.folded, body.start, body.end)
    if label is None:
        return None
    entries: list[Span] = []
    for line in _lines_below(sheet, label.end(), body.end):
        piece = sheet.trim(max(line.start, label.end()), line.end)
        dashed = bool(_DASH.match(sheet.folded, piece.start))
        if line.bar and entries:
            break
        if line.is_empty or piece.start >= piece.end:
            continue
        if not dashed and _ends_list(line, entries, sheet, registers=registers):
            break
        is_label = line.text.endswith(":") and entries and _is_closed(sheet, entries[-1])
        if not dashed and not is_label and entries and _DASH.match(sheet.folded, entries[0].start):
            entries[-1] = Span(entries[-1].start, piece.end)
            continue
        cut = _find_cut(sheet, piece, registers=registers)
        entries.append(Span(piece.start, cut))
        if cut < piece.end:
            break
    return _gather(sheet, label.start(), entries)


def read_addressees(sheet: Sheet, *, upper_end: int, head_end: int) -> Recipients | None:
    """Read the addressees: after "Kính gửi" behind the upper part, or below a head that ends in "điện:"."""
    mark = ADDRESS.match(sheet.folded, upper_end)
    at = mark.end() if mark else head_end
    if mark is None and not _WIRED.search(sheet.folded, max(0, head_end - len("điện :")), head_end):
        return None
    entries: list[Span] = []
    for line in _lines_below(sheet, at, len(sheet.text)):
        piece = sheet.trim(max(line.start, at), line.end)
        if line.is_empty or piece.start >= piece.end:
            continue
        if _DASH.match(sheet.folded, piece.start) or not entries:
            entries.append(piece)
        elif _is_closed(sheet, entries[-1]) or begins_body(sheet, line, is_first=False):
            break
        else:
            entries[-1] = Span(entries[-1].start, piece.end)
        if sheet.text[piece.end - 1] == ".":
            break
    return _gather(sheet, mark.start() if mark else at, entries)


def widen(listed: Recipients, signature_start: int) -> Span:
    """The recipients with remarks below them ("(Để báo cáo)", typist's marks), up to the signature."""
    gap = signature_start - listed.span.end
    return Span(listed.span.start, signature_start if 0 < gap <= _REMARKS else listed.span.end)


def _lines_below(sheet: Sheet, start: int, end: int) -> list[Line]:
    return [line for line in sheet.lines if line.end > start and line.start < end][:_MAX_LINES]


def _ends_list(line: Line, entries: Sequence[Span], sheet: Sheet, *, registers: Registers) -> bool:
    """Whether a line without a dash stands below the list: a signature, a typist's mark, a remark.

    A label within the list ("Để báo cáo:") does not.
    """
    in_capitals = line.text.isupper() or not sheet.is_cased
    signs = in_capitals and bool(registers.signature_pattern.match(line.folded))
    if signs or not entries:
        return signs
    closed = _is_closed(sheet, entries[-1]) and not line.text.endswith(":")
    done = closed or _FILING.match(sheet.folded, entries[-1].start)
    return bool(done and _DASH.match(sheet.folded, entries[0].start))


def _is_closed(sheet: Sheet, piece: Span) -> bool:
    return sheet.text[piece.end - 1] in ".;:"


def _find_cut(sheet: Sheet, piece: Span, *, registers: Registers) -> int:
    """Where a signature begins on a line of recipients, columns having been run together, or its end."""
    if not sheet.is_cased:
        return piece.end
    for match in registers.signature_pattern.finditer(sheet.folded, piece.start, piece.end):
        shown = sheet.text[match.start() : match.end()].strip()
        if shown.isupper() and len(shown) > len("KT."):
            return sheet.trim(piece.start, match.start()).end
    return piece.end


def _gather(sheet: Sheet, start: int, entries: Sequence[Span]) -> Recipients | None:
    lines = [sheet.slice(entry.start, entry.end).strip(_ENDS) for entry in entries]
    value = tuple(line for line in lines if sum(char.isalpha() for char in line) > 1)
    if not value:
        return None
    return Recipients(Field(value, entries[0].start, entries[-1].end), Span(start, entries[-1].end))
