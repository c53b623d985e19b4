"""Who signed a document, with what title, and on whose behalf.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.7 ("TM.", "KT.", "TL.", "TUQ.");
Guideline 36-HD/VPTW (2018) ("T/M", "K/T").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nlp.structure.registers import Registers, spell
from nlp.structure.sheet import Line, Sheet
from nlp.types import Field, Span

_STOP = re.compile(r"[-–+•]\s|noi nhan|phu luc|[(\[]?\d")
_MAX_LINES = 12
_MAX_LINE = 90  # code points of a line of a title
_MAX_RUN = 160  # code points of a signature whose lines were run together
_MAX_NAME = 6  # words
_FULL_NAME = 3  # a shorter name may go on in the next line
_BULLETS = frozenset("-–+•|")
_DELEGATED = {"kt", "tl", "tuq"}
_ACTING = "q"
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]*")
_DEPUTY = re.compile(r"(?:pho|thu|uy)\s")


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature block; `on_behalf` is the body after "TM.". A draft's has a title and no signer."""

    span: Span
    signer: Field | None = None
    title: Field | None = None
    on_behalf: str | None = None


def read_signature(
    sheet: Sheet, body: Span, *, after: int | None, registers: Registers
) -> Signature | None:
    """Read the signature in a stretch of text: the first behind the recipients (`after`), else the last."""
    found: list[Signature] = []
    for at, line in enumerate(sheet.lines):
        start = max(line.start, after) if after and line.start < after < line.end else line.start
        end = min(line.end, body.end)
        if start < body.start or start >= end or (found and start < found[-1].span.end):
            continue
        first = sheet.trim(start, min(end, start + _MAX_RUN) if sheet.is_cased else end)
        below = sheet.lines[at + 1 : at + 1 + _MAX_LINES]
        signature = _read_at(sheet, first, below=below, body=body, registers=registers)
        if signature and after is not None and start >= after:
            return signature
        found += [signature] if signature else []
    return found[-1] if found else _read_unsigned(sheet, body, after=after, registers=registers)


def _read_at(
    sheet: Sheet, first: Span, *, below: Sequence[Line], body: Span, registers: Registers
) -> Signature | None:
    """The signature that begins in a line: with the line, or behind other words that it was run on to."""
    if _begins(sheet, first, registers=registers):
        return _read_block(sheet, [first, *_rest(below, body)], registers=registers)
    mark = _find_mark(sheet, first, registers=registers)
    if mark:
        return _read_block(sheet, [mark], registers=registers)
    return _read_signed(sheet, first, registers=registers)


def _find_mark(sheet: Sheet, piece: Span, *, registers: Registers) -> Span | None:
    """A signature from its mark on ("XÁC THỰC VĂN BẢN HỢP NHẤT CHỦ NHIỆM ..."), behind no prose."""
    if not sheet.is_cased or sheet.text[piece.end - 1] in ".;:":
        return None
    words = _TOKEN.finditer(sheet.text, piece.start, piece.end)
    prose = next((word for word in words if word[0][0].islower() or word[0] in _BULLETS), None)
    end = prose.start() if prose else piece.end
    for mark in registers.signature_pattern.finditer(sheet.folded, piece.start, end):
        if sheet.text[mark.start() : mark.end()].isupper():
            return Span(mark.start(), piece.end)
    return None


def _read_signed(sheet: Sheet, piece: Span, *, registers: Registers) -> Signature | None:
    """A name without a title, told by what stands behind it: "Lê Văn Mẫu (Đã ký)"."""
    if sheet.text[piece.end - 1] not in ")]":
        return None
    signed = list(registers.signed_pattern.finditer(sheet.folded, piece.start, piece.end))
    if not signed or signed[-1].end() < piece.end:
        return None
    name = sheet.trim(piece.start, signed[-1].start())
    shown = sheet.slice(name.start, name.end)
    if not _is_name(shown, is_cased=True):
        return None
    return Signature(name, signer=Field(shown, name.start, name.end))


def _read_unsigned(
    sheet: Sheet, body: Span, *, after: int | None, registers: Registers
) -> Signature | None:
    """The title below the recipients of a draft, where nobody has signed."""
    if after is None or not sheet.is_cased:
        return None
    lines = [line for line in sheet.lines if line.start >= after and line.end <= body.end]
    pieces = _rest(lines, body)
    if not pieces or not _begins(sheet, pieces[0], registers=registers):
        return None
    block = Span(pieces[0].start, pieces[-1].end)
    title = _own_title(sheet, block, registers=registers)
    if title is None or not sheet.text[block.start : block.end].isupper():
        return None
    return Signature(block, title=title, on_behalf=_on_behalf(sheet, block, registers=registers))


def _begins(sheet: Sheet, piece: Span, *, registers: Registers) -> bool:
    """Whether a line opens a signature: "TM." and the like, or a title set in capitals."""
    start, end = piece.start, piece.end
    match = registers.signature_pattern.match(sheet.folded, start, end)
    if match is None or (match.end() < end and sheet.text[end - 1] in ".;:"):
        return False
    return sheet.text[start : match.end()].isupper() if sheet.is_cased else end - start <= _MAX_LINE


def _rest(lines: Sequence[Line], body: Span) -> list[Span]:
    """The lines that may belong to a signature begun above them."""
    rest: list[Span] = []
    for line in lines[:_MAX_LINES]:
        is_other = _STOP.match(line.folded) or len(line.text) > _MAX_LINE
        if line.bar or line.end > body.end or is_other:
            break
        if not line.is_empty:
            rest.append(Span(line.start, line.end))
    return rest


def _read_block(sheet: Sheet, pieces: Sequence[Span], *, registers: Registers) -> Signature | None:
    name = _find_name(sheet, pieces, registers=registers)
    if name is None:
        return None
    start, end = pieces[0].start, name.start
    for pattern in (registers.signed_pattern, registers.rank_pattern):
        between = pattern.search(sheet.folded, start, end)
        end = between.start() if between else end
    above = Span(start, end)
    return Signature(
        Span(above.start, name.end),
        signer=Field(sheet.slice(name.start, name.end), name.start, name.end),
        title=_own_title(sheet, above, registers=registers),
        on_behalf=_on_behalf(sheet, above, registers=registers),
    )


def _find_name(sheet: Sheet, pieces: Sequence[Span], *, registers: Registers) -> Span | None:
    """The name below the titles: told by its letter case, else the first line below the last title."""
    stripped = (_strip(sheet, piece, registers=registers) for piece in pieces)
    pieces = [piece for piece in stripped if piece.start < piece.end]
    for at, piece in enumerate(pieces if sheet.is_cased else ()):
        start = _skip_capitals(sheet, piece)
        if start < piece.end:
            name = Span(start, _cut_name(sheet, start, piece.end))
            return _join_name(sheet, name, pieces[at + 1 :])
    return _name_by_place(sheet, pieces, registers=registers)


def _name_by_place(sheet: Sheet, pieces: Sequence[Span], *, registers: Registers) -> Span | None:
    """The name told by its place: the line below the last title, or what follows the title on its line."""
    signs = registers.signature_pattern
    titled = [i for i, p in enumerate(pieces) if signs.match(sheet.folded, p.start, p.end)]
    if not titled:
        return None
    at, last = titled[-1], pieces[titled[-1]]
    title = list(registers.title_pattern.finditer(sheet.folded, last.start, last.end))
    behind = [sheet.trim(title[-1].end(), last.end)] if title else []
    for piece in [*pieces[at + 1 : at + 2], *behind]:
        if _is_name(sheet.slice(piece.start, piece.end), is_cased=False):
            return piece
    return None


def _strip(sheet: Sheet, piece: Span, *, registers: Registers) -> Span:
    """A line without white space, "(Đã ký)" and the rank or degree before a name."""
    bare = sheet.trim(piece.start, piece.end)
    for pattern in (registers.signed_pattern, registers.rank_pattern):
        match = pattern.match(sheet.folded, bare.start, bare.end)
        bare = sheet.trim(match.end(), bare.end) if match else bare
    return bare


def _skip_capitals(sheet: Sheet, piece: Span) -> int:
    """Where the first word not in capitals begins; one letter alone may begin a name ("Y Thông")."""
    words = list(_TOKEN.finditer(sheet.text, piece.start, piece.end))
    for i, word in enumerate(words):
        mixed = not word[0].isupper() and any(c.isalpha() for c in word[0])
        initial = len(word[0]) == 1 and i + 1 < len(words) and not words[i + 1][0].isupper()
        if mixed or (initial and word[0].isalpha()):
            return word.start()
    return piece.end


def _cut_name(sheet: Sheet, start: int, end: int) -> int:
    """Where a name ends at the latest: before an annex run on behind it, set in capitals or called one."""
    for word in _TOKEN.finditer(sheet.text, start, end):
        runs_on = (len(word[0]) > 1 and word[0].isupper()) or not word[0][0].isalpha()
        if word.start() > start and (runs_on or sheet.folded.startswith("phu luc", word.start())):
            return sheet.trim(start, word.start()).end
    return end


def _join_name(sheet: Sheet, name: Span, below: Sequence[Span]) -> Span | None:
    """A name, with words of it that were pushed to the next line; None where the words are no name."""
    rest = sheet.slice(below[0].start, below[0].end) if below else ""
    n_lacking = _FULL_NAME - len(sheet.text[name.start : name.end].split())
    if rest and len(rest.split()) <= n_lacking and not rest.isupper():
        name = Span(name.start, below[0].end)
    return name if _is_name(sheet.slice(name.start, name.end), is_cased=True) else None


def _is_name(shown: str, *, is_cased: bool) -> bool:
    words = shown.split()
    fits = 2 <= len(words) <= _MAX_NAME and all(_WORD.fullmatch(word) for word in words)
    return fits and (not is_cased or all(word[0].isupper() for word in words))


def _own_title(sheet: Sheet, above: Span, *, registers: Registers) -> Field | None:
    """The signer's own title, not that of the person signed for, nor one held elsewhere.

    "KT. BỘ TRƯỞNG / THỨ TRƯỞNG" gives "Thứ trưởng", "TM. BAN CHỈ ĐẠO / TRƯỞNG BAN / CHỦ TỊCH ỦY BAN NHÂN
    DÂN" gives "Trưởng ban". Titles of one office are joined by a comma: "BỘ TRƯỞNG, CHỦ NHIỆM".
    """
    marks = list(registers.delegation_pattern.finditer(sheet.folded, above.start, above.end))
    tail = marks[-1].end() if marks else above.start
    titles = list(registers.title_pattern.finditer(sheet.folded, tail, above.end))
    mark = re.sub(r"\W", "", marks[-1][0]) if marks else ""
    if mark in _DELEGATED and titles and titles[0].start() == tail:
        deputies = [title for title in titles[1:] if _DEPUTY.match(title[0])]
        titles = deputies or titles[1:]
    if not titles:
        return None
    start = marks[-1].start() if mark == _ACTING else titles[0].start()
    bounds = [start, *(title.start() for title in titles[1:]), above.end]
    held: list[str] = []
    for begin, end in pairwise(bounds):
        shown = sheet.slice(begin, end)
        held.append(spell(shown.strip(" ,"), registers=registers))
        if not shown.endswith(","):
            break
    return Field(", ".join(held), start, sheet.trim(start, end).end)


def _on_behalf(sheet: Sheet, above: Span, *, registers: Registers) -> str | None:
    """The body after "TM.", up to the next mark or title."""
    marks = list(registers.delegation_pattern.finditer(sheet.folded, above.start, above.end))
    if not marks or re.sub(r"\W", "", marks[0][0]) != "tm":
        return None
    start = marks[0].end()
    title = registers.title_pattern.search(sheet.folded, start + 1, above.end)
    ends = [above.end, *(mark.start() for mark in marks[1:]), *([title.start()] if title else [])]
    return sheet.slice(start, min(ends)) or None
