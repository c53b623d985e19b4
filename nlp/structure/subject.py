"""The title of a document: its kind, the subject, and the bodies named with them.

Source: Decree 30/2020/NĐ-CP, annex I, part I, sections II.5 (kind and subject; "V/v" for letters) and
II.6 (bases).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.structure.registers import VOWELS, Registers
from nlp.structure.sheet import Line, Sheet
from nlp.text import fold
from nlp.types import Field, Span

ABOUT = re.compile(r"(?<!\w)v\s?/\s?v(?!\w)\s*[:.]?\s*|^[ ]*ve\s+viec\s+", re.MULTILINE)
# Where the body begins: a basis, an addressee, a heading or a numbered part.
_BODY_MARK = re.compile(
    r"(?:can cu|theo de nghi|kinh gui|noi nhan|dieu \d+|chuong [ivx\d]+|phan (?:[ivx\d]+|thu)"
    r"|muc [ivx\d]+|quyet (?:dinh|nghi) ?:|quoc hoi ban hanh)(?!\w)|[ivx]+\.|\d+\.|[-+•] "
)
# How a first sentence begins; a subject may begin so too, hence only below another line of it.
_OPENER = re.compile(
    r"(?:xet|thuc hien|trong|ngay \d+|sau khi|nham|thoi gian qua|hien nay|tren co so|tra loi|phuc dap"
    r"|de (?!xuat|nghi|an|cuong|tai))(?!\w)"
)
_DANGLING = re.compile(r"(?:(?:^|\s)(?:cua|cho|tai|voi|va|do|thuoc|ve|o|cac|nguoi)|[,-])$")
_EDITORS = re.compile(r"\[[^\[\]]*\]")  # notes in square brackets are not the issuer's
_WIRES = re.compile(r"\s+điện$", re.IGNORECASE)  # "THỦ TƯỚNG CHÍNH PHỦ điện:" opens a telegram
_LONGEST_NAME = 120  # code points of an authority with its body
_OF = re.compile(r"cua\s+")
_ON = re.compile(r"ve\s")
_MAX_BY = 4  # lines that name the body in the title
_MAX_LINES = 14
_MAX_LINE = 200  # code points; a longer line is a paragraph of the body


@dataclass(frozen=True, slots=True)
class Title:
    """The title block `[start, end)`.

    `by` is the body named after the kind ("CỦA BAN THƯỜNG VỤ THÀNH ỦY"), `authority` the one above the
    bases.
    """

    start: int
    end: int
    kind: Field
    subject: Field | None = None
    by: Field | None = None
    authority: Field | None = None


def read_title(
    sheet: Sheet, region: Span, *, after: int | None, registers: Registers
) -> Title | None:
    """Read the kind and what stands below it.

    The kind has a line of its own, or comes first in a line below `after`; None admits only the former.
    """
    kind = _find_kind(sheet, region, after=after, registers=registers)
    if kind is None:
        return None
    name = registers.kind_named[" ".join(sheet.folded[kind.start : kind.end].split())].name
    pieces = collect_lines(sheet, Span(kind.end, region.end))
    end = pieces[-1].end if pieces else kind.end
    by, pieces = _split_by(sheet, pieces, registers=registers)
    authority, pieces = _split_authority(sheet, pieces, registers=registers)
    subject = join(sheet, _keep_capitals(sheet, pieces))
    return Title(kind.start, end, Field(name, kind.start, kind.end), subject, by, authority)


def collect_lines(sheet: Sheet, span: Span) -> list[Span]:
    """The lines of a stretch until a rule, the end of a sentence, or the first line of the body."""
    pieces: list[Span] = []
    for line in sheet.lines:
        if line.end <= span.start or (line.is_empty and not pieces):
            continue
        is_first = line.start < span.start
        if line.start >= span.end or line.is_empty or len(pieces) == _MAX_LINES:
            break
        if not is_first and begins_body(line, is_first=not pieces):
            break
        piece = sheet.trim(max(line.start, span.start), min(line.end, span.end))
        pieces += [piece] if piece.start < piece.end else []
        if line.is_terminal:
            break
    return pieces


def begins_body(line: Line, *, is_first: bool) -> bool:
    """Whether a line is the body's: by its mark or length, and below the first line by its opening words."""
    marked = _BODY_MARK.match(line.folded) or len(line.text) > _MAX_LINE
    return bool(marked or (not is_first and _OPENER.match(line.folded)))


def join(sheet: Sheet, pieces: Sequence[Span]) -> Field | None:
    """One line made of some stretches of text, without the point at its end."""
    text = " ".join(sheet.slice(piece.start, piece.end) for piece in pieces)
    text = " ".join(_EDITORS.sub(" ", text).split()).strip(" .;:,-")
    return Field(text, pieces[0].start, pieces[-1].end) if text else None


def drop_authority(subject: Field | None, *, issuer: Field | None) -> Field | None:
    """Take the issuer off the end of a subject that was run together with the authority below it."""
    if subject is None or issuer is None or subject.end is None:
        return subject
    text, name = str(subject.value), str(issuer.value)
    match = re.search(rf"\s(?:chu tich )?{re.escape(fold(name))}$", fold(text))
    if match is None or _DANGLING.search(fold(text)[: match.start()]):
        return subject
    return replace(
        subject, value=text[: match.start()], end=subject.end - len(text) + match.start()
    )


def _find_kind(
    sheet: Sheet, region: Span, *, after: int | None, registers: Registers
) -> Span | None:
    led = None
    for match in registers.kind_line.finditer(sheet.folded, region.start, region.end):
        if not match["rest"].strip(" :"):
            return Span(*match.span("kind"))
        if led is None and after is not None and match.start() >= after and _leads(sheet, match):
            led = Span(*match.span("kind"))
    return led or _find_kind_within(sheet, region, after=after, registers=registers)


def _leads(sheet: Sheet, match: re.Match[str]) -> bool:
    """Whether a kind with more words on its line is a title: in capitals, and not citing a number."""
    shown = sheet.text[match.start("kind") : match.end("kind")]
    cites = re.match(r"\s*(?:so\s|nay\s|\d)", match["rest"])
    return not cites and (shown.isupper() or not sheet.is_cased)


def _find_kind_within(
    sheet: Sheet, region: Span, *, after: int | None, registers: Registers
) -> Span | None:
    """A kind in capitals behind the date or number on the same line: lines were run together."""
    if after is None:
        return None
    start = sheet.trim(after, region.end).start
    if not sheet.is_cased:
        match = registers.kind_pattern.match(sheet.folded, start, region.end)
        return Span(*match.span()) if match else None
    end = min(sheet.line_at(start).end, region.end)
    found = (Span(*m.span()) for m in registers.kind_pattern.finditer(sheet.folded, start, end))
    return next((kind for kind in found if sheet.text[kind.start : kind.end].isupper()), None)


def _split_by(
    sheet: Sheet, pieces: list[Span], *, registers: Registers
) -> tuple[Field | None, list[Span]]:
    """Take "CỦA BAN THƯỜNG VỤ THÀNH ỦY" off the front; it may run on to a line that begins with "về"."""
    match = _OF.match(sheet.folded, pieces[0].start) if pieces else None
    if match is None or not registers.issuer_head.match(sheet.folded, match.end()):
        return None, pieces
    below = enumerate(pieces[1:_MAX_BY], start=1)
    cut = next((at for at, piece in below if _ON.match(sheet.folded, piece.start)), 1)
    return join(sheet, [Span(match.end(), pieces[0].end), *pieces[1:cut]]), pieces[cut:]


def _split_authority(
    sheet: Sheet, pieces: list[Span], *, registers: Registers
) -> tuple[Field | None, list[Span]]:
    """Take the authority off the end, on lines of its own: "CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH"."""
    for cut in range(1, len(pieces)):
        before = sheet.folded[pieces[cut - 1].start : pieces[cut - 1].end]
        named = None if _DANGLING.search(before) else join(sheet, pieces[cut:])
        if named and _is_authority(fold(str(named.value)), registers=registers):
            return replace(named, value=_WIRES.sub("", str(named.value))), pieces[:cut]
    return None, pieces


def _is_authority(folded: str, *, registers: Registers) -> bool:
    begins = registers.title_pattern.match(folded) or registers.authority_pattern.match(folded)
    return bool(begins) and len(folded) <= _LONGEST_NAME and not re.search(r"[;(]|\bve\b", folded)


def _keep_capitals(sheet: Sheet, pieces: list[Span]) -> list[Span]:
    """Where a subject is set in capitals, the first word in small letters is the body's."""
    if not sheet.is_cased or not pieces or not _capitals(sheet, pieces[0]):
        return pieces
    kept = []
    for piece in pieces:
        end = _capitals(sheet, piece)
        kept += [Span(piece.start, end)] if end else []
        if end < piece.end:
            break
    return kept


def _capitals(sheet: Sheet, piece: Span) -> int:
    """Where the words in capitals that begin a line end; 0 where it begins with an abbreviation."""
    end = 0
    for word in re.finditer(r"\S+", sheet.text[piece.start : piece.end]):
        letters = fold("".join(c for c in word[0] if c.isalpha()))
        is_abbreviation = not end and not set(letters) & VOWELS
        if letters and (is_abbreviation or not word[0].isupper()):
            break
        end = piece.start + word.end()
    return end
