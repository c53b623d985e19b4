"""The head of an official document: number, place and date, kind, subject.

Source: Decree 30/2020/NĐ-CP, art. 8 and annex I, part I, section II; Guideline 36-HD/VPTW (2018). The head may come
as a two-column table flattened in either order, with lines broken or run together, or be lost in part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.structure.dates import DATE, OPEN, to_iso
from nlp.structure.numbers import NUMBER, TAIL, repair_number, spell_symbol
from nlp.structure.recipients import ADDRESS
from nlp.structure.registers import Registers
from nlp.structure.sheet import Sheet
from nlp.structure.subject import ABOUT, Title, collect_lines, join, read_title
from nlp.text import fold
from nlp.types import Field, Span

MOTTO = re.compile(
    r"(?<!nuoc\s)cong\s+hoa\s+xa\s+hoi\s+chu\s+nghia\s+viet\s+nam(?=\s*(?:doc\s+lap|\n|$))"
    r"|doc\s+lap\s*[-–]\s*tu\s+do\s*[-–]\s*hanh\s+phuc"
    r"|dang\s+cong\s+san\s+viet\s+nam(?=[ ]*(?:\n|$))"
)
# Where the head has surely ended: the bases, the addressees, the first article or part.
_BODY = re.compile(
    r"^[ ]*(?:can\s+cu|theo\s+de\s+nghi|kinh\s+gui|dieu\s+1|chuong\s+i|phan\s+(?:i|thu\s+nhat)|noi\s+nhan|i\.|1\.)(?!\w)"
    r"|(?<!\w)(?:can\s+cu\s+(?:luat|bo\s+luat|hien\s+phap|phap\s+lenh|nghi|quyet|thong\s+tu|chi\s+thi)|kinh\s+gui\s*:)",
    re.MULTILINE,
)
_LABEL = re.compile(
    rf"(?:^[ ]*|(?<=  ))(?:(?:bo\s+)?luat\s+|nghi\s+quyet\s+|phap\s+lenh\s+)?so\s*[:.]?\s*{NUMBER}",
    re.MULTILINE,
)
_OPEN_NUMBER = re.compile(rf"^[ ]*so\s*[:.]?[\s.…_]*(?P<tail>{TAIL})(?!\w)", re.MULTILINE)
_UNLABELLED = re.compile(rf"^[ ]*{NUMBER}[ ]*$", re.MULTILINE)
_PASSED = re.compile(rf"thong\s+qua\s+(?P<date>{DATE.pattern})")
_NAMED = re.compile(
    r"(?:^|(?<=  ))[ ]*(?P<place>(?:[^\W\d_]+[ ]){0,4}[^\W\d_]+)\s*,\s*", re.MULTILINE
)
# Signs of the form at the start of a line, for heads that lost their motto.
_SIGNS = (
    re.compile(rf"\s*(?:(?:bo\s+)?luat\s+)?so\s*[:.]?\s*(?:{NUMBER}|[\s.…_]*{TAIL})"),
    re.compile(rf"\s*[^\W\d]+(?:\s+[^\W\d]+){{0,4}}\s*,\s*{DATE.pattern}"),
    ADDRESS,
)
_ANNEX_NOTE = re.compile(
    rf"kem\s+theo\s+(?P<kind>[^\W\d]+(?:\s+[^\W\d]+){{1,3}}?)\s+so\s*:?\s*{NUMBER}"
    rf"(?:\s*,?\s*(?P<date>{DATE.pattern}))?(?:\s+cua\s+(?P<by>[^().;]{{3,100}}))?"
)
_LETTER = "Công văn"
_LONGEST_NAME = 80  # code points of a line of the issuer's name
_REACH = 4000  # code points within which a head ends
_EARLY = 12  # content lines within which a head without its motto begins
_ABOVE = 6  # lines of the issuer's name that may stand above the motto


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the head says, and the stretch `[start, end)` it takes, empty when there is none.

    `upper` is the part above the title, where the issuer stands, and `taken` what in it is something else.
    `kind` and `subject` are those of the title or of a letter, which has no title: it is known by "V/v" and "Kính gửi".
    `noted_by` is the issuer that a note on an annex names.
    """

    start: int = 0
    end: int = 0
    upper: Span = Span(0, 0)
    taken: tuple[Span, ...] = ()
    number: Field | None = None
    symbol: Field | None = None
    canonical: Field | None = None
    date: Field | None = None
    place: Field | None = None
    title: Title | None = None
    subject: Field | None = None
    kind: Field | None = None
    noted_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Numbering:
    span: Span
    number: Field | None = None
    symbol: Field | None = None
    canonical: Field | None = None
    is_party: bool = False


@dataclass(frozen=True, slots=True)
class _Dating:
    span: Span
    date: Field | None = None
    place: Field | None = None


def read_letterhead(sheet: Sheet, *, registers: Registers) -> Letterhead:
    """Read the head of a document; every field is None that the text lacks."""
    region = _find_region(sheet, registers=registers)
    if region is None:
        return Letterhead()
    numbering = _read_numbering(sheet, region, registers=registers)
    dating = _read_dating(sheet, region, registers=registers)
    taken = [Span(*m.span()) for m in MOTTO.finditer(sheet.folded, region.start, region.end)]
    taken += [part.span for part in (numbering, dating) if part]
    title = read_title(
        sheet, region, after=max((s.end for s in taken), default=None), registers=registers
    )
    if title and numbering and numbering.span.start > title.start:
        numbering = None  # it stands in the subject: another document's
    about = None if title else _find_about(sheet, region, taken=taken, numbering=numbering)
    if about:
        taken.append(about)
    is_letter = title is None and bool(about or ADDRESS.match(sheet.folded, region.end))
    head = Letterhead(
        start=region.start,
        end=_line_end(
            sheet, title.end if title else max((s.end for s in taken), default=region.start)
        ),
        upper=Span(region.start, title.start if title else region.end),
        taken=tuple(taken),
        number=numbering.number if numbering else None,
        symbol=numbering.symbol if numbering else None,
        canonical=numbering.canonical if numbering else None,
        date=dating.date if dating else _read_passing(sheet),
        place=dating.place if dating else None,
        title=title,
        subject=title.subject if title else about and join(sheet, [about]),
        kind=_read_kind(title, numbering, is_letter=is_letter, registers=registers),
    )
    return head if numbering else _add_annex_note(sheet, head, registers=registers)


def _read_kind(
    title: Title | None, numbering: _Numbering | None, *, is_letter: bool, registers: Registers
) -> Field | None:
    """The kind named in the title; a letter has none; a consolidated text is told by its symbol alone."""
    symbol = str(numbering.symbol.value) if numbering and numbering.symbol else ""
    told = [
        kind for kind in registers.kinds if kind.by_symbol and symbol.split("-")[0] in kind.state
    ]
    if told and numbering and numbering.symbol:
        return Field(told[0].name, numbering.symbol.start, numbering.symbol.end, inferred=True)
    if title:
        return title.kind
    return Field(_LETTER, None, None, inferred=True) if is_letter else None


def _add_annex_note(sheet: Sheet, head: Letterhead, *, registers: Registers) -> Letterhead:
    """What a note on an annex tells of a document that lost its number: "(Kèm theo Công văn số … ngày … của …)"."""
    match = next(
        (
            m
            for m in _ANNEX_NOTE.finditer(sheet.folded, head.end)
            if head.kind and _names(m["kind"], head.kind)
        ),
        None,
    )
    if match is None:
        return head
    numbering = _number_fields(sheet, match, registers=registers)
    iso = to_iso(match["date"]) if match["date"] else None
    return replace(
        head,
        number=_inferred(numbering.number),
        symbol=_inferred(numbering.symbol),
        canonical=_inferred(numbering.canonical),
        date=head.date or (Field(iso, *match.span("date"), inferred=True) if iso else None),
        noted_by=sheet.slice(*match.span("by")) if match["by"] else None,
    )


def _names(written: str, kind: Field) -> bool:
    return " ".join(written.split()) == fold(str(kind.value))


def _inferred(field: Field | None) -> Field | None:
    return field and replace(field, inferred=True)


def _find_region(sheet: Sheet, *, registers: Registers) -> Span | None:
    """From the issuer's name to where the head has surely ended; None for a text without the official form."""
    anchor = _find_anchor(sheet, registers=registers)
    if anchor is None:
        return None
    body = _BODY.search(sheet.folded, anchor, anchor + _REACH)
    end = body.start() if body else min(len(sheet.text), anchor + _REACH)
    above = [line for line in sheet.lines if line.end <= anchor and not line.is_empty][-_ABOVE:]
    start = anchor
    for line in reversed(above):
        if line.is_terminal or len(line.text) > _LONGEST_NAME:
            break
        start = line.start
    return Span(start, end)


def _find_anchor(sheet: Sheet, *, registers: Registers) -> int | None:
    """The first sure sign of the form: motto, number, place and date, addressees, or a kind on its own line."""
    motto = MOTTO.search(sheet.folded)
    if motto:
        return sheet.line_at(motto.start()).start
    early = [line for line in sheet.lines if not line.is_empty][:_EARLY]
    for line in early:
        kind = registers.kind_pattern.fullmatch(line.folded.rstrip(" :"))
        if kind or any(sign.match(sheet.folded, line.start) for sign in _SIGNS):
            return line.start
    return None


def _read_numbering(sheet: Sheet, region: Span, *, registers: Registers) -> _Numbering | None:
    match = _LABEL.search(sheet.folded, region.start, region.end)
    match = match or _UNLABELLED.search(sheet.folded, region.start, region.end)
    if match is None:
        return _read_open_number(sheet, region, registers=registers)
    return _number_fields(sheet, match, registers=registers)


def _number_fields(sheet: Sheet, match: re.Match[str], *, registers: Registers) -> _Numbering:
    start = match.start("number")
    end = max(match.end("tail"), match.end("loose"))
    parts = repair_number(sheet.text[start:end], registers=registers, is_cased=sheet.is_cased)
    symbol_at = start + len(
        re.split(r"(?<=[-–/])\s*(?=[a-z])", sheet.folded[start:end], maxsplit=1)[0]
    )
    return _Numbering(
        Span(match.start(), end),
        number=Field(parts.number, *match.span("number")),
        symbol=Field(parts.symbol, symbol_at, end),
        canonical=Field(parts.canonical, start, end),
        is_party=parts.is_party,
    )


def _read_open_number(sheet: Sheet, region: Span, *, registers: Registers) -> _Numbering | None:
    """The symbol of a draft whose number is still to be filled in: "Số: … /KH-UBND"."""
    match = _OPEN_NUMBER.search(sheet.folded, region.start, region.end)
    if match is None:
        return None
    written = re.sub(
        r"^\s*[-–/]\s*(?:\d{4}/)?|\s", "", sheet.text[match.start("tail") : match.end()]
    )
    symbol = written if sheet.is_cased else spell_symbol(written, registers=registers)
    return _Numbering(
        Span(*match.span()), symbol=Field(symbol, match.end() - len(written), match.end())
    )


def _read_dating(sheet: Sheet, region: Span, *, registers: Registers) -> _Dating | None:
    """The first date that follows a place or begins a line; a draft's open date still tells the place."""
    for pattern in (DATE, OPEN):
        for match in pattern.finditer(sheet.folded, region.start, region.end):
            place = _read_place(sheet, match.start(), region, registers=registers)
            if (
                place
                or not sheet.folded[sheet.line_at(match.start()).start : match.start()].strip()
            ):
                iso = to_iso(match[0]) if pattern is DATE else None
                start = place.start if place and place.start is not None else match.start()
                return _Dating(
                    Span(start, match.end()), date=iso and Field(iso, *match.span()), place=place
                )
    return None


def _read_place(sheet: Sheet, date_at: int, region: Span, *, registers: Registers) -> Field | None:
    """The place before a date: one of the register, else a few words before a comma on the date's line."""
    before = sheet.folded[max(region.start, date_at - 40) : date_at]
    known = [
        m for m in registers.place_pattern.finditer(before) if not before[m.end() :].strip(" ,\n")
    ]
    if known:
        start = date_at - len(before) + known[-1].start()
        end = date_at - len(before) + known[-1].end()
        return Field(sheet.slice(start, end), start, end)
    line = sheet.line_at(date_at)
    match = _NAMED.search(sheet.folded, line.start, date_at)
    if match is None or match.end() != date_at:
        return None
    return Field(sheet.slice(*match.span("place")), *match.span("place"))


def _read_passing(sheet: Sheet) -> Field | None:
    """The day on which a law or resolution says that it was passed."""
    matches = list(_PASSED.finditer(sheet.folded))
    iso = to_iso(matches[-1]["date"]) if matches else None
    return Field(iso, *matches[-1].span("date"), inferred=True) if iso else None


def _find_about(
    sheet: Sheet, region: Span, *, taken: Sequence[Span], numbering: _Numbering | None
) -> Span | None:
    """Where a letter says what it is about: after "V/v", in Party letters also right below the number."""
    mark = ABOUT.search(sheet.folded, region.start, region.end)
    if mark is None and not (numbering and numbering.is_party):
        return None
    start = mark.end() if mark else numbering.span.end if numbering else region.end
    stop = min((span.start for span in taken if span.start >= start), default=region.end)
    pieces = collect_lines(sheet, Span(start, stop))
    return Span(pieces[0].start, pieces[-1].end) if pieces else None


def _line_end(sheet: Sheet, offset: int) -> int:
    """The end of the line that holds the code point before an offset."""
    return max(offset, sheet.line_at(max(offset - 1, 0)).end)
