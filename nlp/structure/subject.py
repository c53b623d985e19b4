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

_VV = re.compile(r"(?<!\w)v\s?/\s?v(?!\w)\s*[:.]?\s*")
ABOUT = re.compile(rf"{_VV.pattern}|^[ ]*ve\s+viec\s+", re.MULTILINE)
# Where the body begins: a basis, an addressee, a heading or a numbered part.
_BODY_MARK = re.compile(
    r"(?:can cu|theo de nghi|kinh gui|noi nhan|dieu \d+|chuong [ivx\d]+|phan (?:[ivx\d]+|thu)"
    r"|muc [ivx\d]+|loi noi dau|quyet (?:dinh|nghi) ?:|quoc hoi ban hanh)(?!\w)|[ivx]+\.|\d+\.|[-+•] "
)
# How a first sentence begins; a subject may begin so too, hence only below another line of it.
_OPENER = re.compile(
    r"(?:xet|thuc hien|trong|ngay \d+|sau khi|nham|thoi gian qua|hien nay|tren co so|tra loi|phuc dap"
    r"|de (?!xuat|nghi|an|cuong|tai))(?!\w)"
)
# Words that open a sentence only where their capital shows it ("Từ năm ..." but "từ năm ...").
_CAPITAL_OPENER = re.compile(
    r"(?:qua|sau|thi hanh|quan triet|tu (?:ngay|dau|thang|nam)|tai (?:phien|cuoc|buoi|hoi nghi|ky hop)"
    r"|nhung nam|nam (?:hoc )?(?:\d+|nay|qua)|(?:sang|chieu|toi)(?: ngay)? \d+)(?!\w)"
)
_SENTENCE_END = re.compile(r"(\w+)[.!?…]+ (\w)")
_DANGLING = re.compile(r"(?:(?:^|\s)(?:cua|cho|tai|voi|va|do|thuoc|ve|o|cac|nguoi)|[,-])$")
_EDITORS = re.compile(r"\[[^\[\]]*\]")  # notes in square brackets are not the issuer's
_WIRES = re.compile(r"\s+điện$", re.IGNORECASE)  # "THỦ TƯỚNG CHÍNH PHỦ điện:" opens a telegram
_LONGEST_NAME = 120  # code points of an authority with its body
_OF = re.compile(r"cua\s+")
_ON = re.compile(r"(?<!\w)ve\s")
_NAMED_TO = re.compile(r"(?:bau|nhiem|chuc (?:danh|vu))$")  # an office given to someone
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

    def with_kind(self, sheet: Sheet) -> "Title":
        """The same, the subject led by the kind: a consolidated text is named by what it consolidates."""
        kind, subject = self.kind, self.subject
        name = sheet.slice(kind.start or 0, kind.end or 0)
        told = Field(f"{name} {subject.value}", kind.start, subject.end) if subject else None
        return replace(self, subject=told)


def read_title(
    sheet: Sheet, region: Span, *, after: int | None, own: Field | None, registers: Registers
) -> Title | None:
    """Read the kind and what stands below it.

    The kind has a line of its own, or comes first in a line below `after`; None admits only the former.
    `own` is the number above it, no part of a subject that repeats it.
    """
    kind = _find_kind(sheet, region, after=after, registers=registers)
    if kind is None:
        return None
    name = registers.kind_named[" ".join(sheet.folded[kind.start : kind.end].split())].name
    pieces = collect_lines(sheet, Span(kind.end, region.end))
    end = pieces[-1].end if pieces else kind.end
    pieces = _cut_out(sheet, pieces, _EDITORS)
    if own and (own.end or 0) <= kind.start:
        pieces = _cut_out(sheet, pieces, _restated(fold(str(own.value))))
    by, pieces = _split_by(sheet, pieces, registers=registers)
    short = _VV.match(sheet.folded, pieces[0].start) if pieces else None
    if short:
        pieces = [sheet.trim(short.end(), pieces[0].end), *pieces[1:]]
    authority, pieces = _split_authority(sheet, pieces, registers=registers)
    if authority is None:
        upper = sheet.folded[region.start : kind.start]
        authority, pieces = _split_run_on(sheet, pieces, upper, registers=registers)
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
        if not is_first and begins_body(sheet, line, is_first=not pieces):
            break
        piece = sheet.trim(max(line.start, span.start), min(line.end, span.end))
        pieces += [piece] if piece.start < piece.end else []
        if line.is_terminal:
            break
    return pieces


def begins_body(sheet: Sheet, line: Line, *, is_first: bool) -> bool:
    """Whether a line is the body's: by its mark, its length, a sentence that ends within it.

    Below the first line also by its opening words, unless its letter case shows that it only goes on.
    """
    if _BODY_MARK.match(line.folded) or len(line.text) > _MAX_LINE or _ends_within(line.text):
        return True
    if is_first:
        return False
    if not sheet.is_cased:
        return bool(_OPENER.match(line.folded))
    opens = _OPENER.match(line.folded) or _CAPITAL_OPENER.match(line.folded)
    return bool(opens) and not line.text[0].islower() and not line.text.isupper()


def _ends_within(text: str) -> bool:
    """Whether a sentence ends before the end of a line; an abbreviation has no vowel or is in capitals."""
    return any(
        end[2].isupper() and not end[1].isupper() and bool(set(fold(end[1])) & VOWELS)
        for end in _SENTENCE_END.finditer(text)
    )


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


def _restated(number: str) -> re.Pattern[str]:
    """The document's own number within its title, with the day and the body that follow it."""
    return re.compile(rf"(?<!\w)so\s*{re.escape(number)}(?!\w)(?:\s*,?\s*(?:ngay|cua)\s.*)?")


def _cut_out(sheet: Sheet, pieces: Sequence[Span], pattern: re.Pattern[str]) -> list[Span]:
    """What is left of some stretches around the matches of a pattern."""
    left: list[Span] = []
    for piece in pieces:
        start = piece.start
        for match in pattern.finditer(sheet.folded, piece.start, piece.end):
            left.append(sheet.trim(start, match.start()))
            start = match.end()
        left.append(sheet.trim(start, piece.end))
    return [piece for piece in left if piece.start < piece.end]


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
    """Take "CỦA BAN THƯỜNG VỤ THÀNH ỦY" off the front, up to a line that begins with "về", or a "về"."""
    match = _OF.match(sheet.folded, pieces[0].start) if pieces else None
    if match is None or not registers.issuer_head.match(sheet.folded, match.end()):
        return None, pieces
    below = [p.start for p in pieces[1:_MAX_BY] if _ON.match(sheet.folded, p.start)]
    within = _ON.search(sheet.folded, match.end(), pieces[0].end)
    cut = below[0] if below else within.start() if within else pieces[0].end
    by = [sheet.trim(max(p.start, match.end()), min(p.end, cut)) for p in pieces if p.start < cut]
    return join(sheet, by), [Span(max(p.start, cut), p.end) for p in pieces if p.end > cut]


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


def _split_run_on(
    sheet: Sheet, pieces: list[Span], upper: str, *, registers: Registers
) -> tuple[Field | None, list[Span]]:
    """Take the head of the issuer (named in `upper`) off the end of a line that he was run on to."""
    issuer = " ".join(upper.split())
    last = pieces[-1] if pieces else Span(0, 0)
    for title in registers.title_pattern.finditer(sheet.folded, last.start + 1, last.end):
        body = " ".join(sheet.folded[title.end() : last.end].split())
        kept = sheet.trim(last.start, title.start())
        before = sheet.folded[kept.start : kept.end]
        is_own = registers.issuer_head.match(body) and body in issuer
        if is_own and not _DANGLING.search(before) and not _NAMED_TO.search(before):
            return join(sheet, [Span(title.start(), last.end)]), [*pieces[:-1], kept]
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
