"""The head of an official document: number, place and date, kind, subject.

Source: Decree 30/2020/NĐ-CP, art. 8 and annex I, part I, section II; Guideline 36-HD/VPTW (2018). The head
may come as a two-column table flattened in either order, with lines broken or run together, or be lost in
part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.structure.dates import DATE, to_iso
from nlp.structure.dating import BEGINS_DATING, read_dating, read_passing
from nlp.structure.numbering import BEGINS_NUMBER, Numbering, make_numbering, read_numbering
from nlp.structure.numbers import NUMBER
from nlp.structure.recipients import ADDRESS, LISTED
from nlp.structure.registers import Registers
from nlp.structure.sheet import Line, Sheet
from nlp.structure.subject import ABOUT, Title, collect_lines, join, read_title
from nlp.text import fold
from nlp.types import Field, Span

_MOTTO = re.compile(
    r"(?<!nuoc\s)cong\s+hoa\s+xa\s+hoi\s+chu\s+nghia\s+viet\s+nam(?=\s*(?:doc\s+lap|\n|$))"
    r"|doc\s+lap\s*[-–]\s*tu\s+do\s*[-–]\s*hanh\s+phuc"
    r"|dang\s+cong\s+san\s+viet\s+nam(?=[ ]*(?:\n|$))"
)
# Where the head has surely ended: the bases, the addressees, the first article or part.
_BODY = re.compile(
    r"^[ ]*(?:can\s+cu|theo\s+de\s+nghi|kinh\s+gui|dieu\s+1|chuong\s+i|phan\s+(?:i|thu\s+nhat)"
    r"|noi\s+nhan|i\.|1\.)(?!\w)"
    r"|(?<!\w)(?:kinh\s+gui\s*:|can\s+cu\s+(?:luat|bo\s+luat|hien\s+phap|phap\s+lenh|nghi|quyet"
    r"|thong\s+tu|chi\s+thi)(?!\w)|loi\s+noi\s+dau(?!\w))",
    re.MULTILINE,
)
_ANNEX_NOTE = re.compile(
    rf"kem\s+theo\s+(?P<kind>[^\W\d]+(?:\s+[^\W\d]+){{1,3}}?)\s+so\s*:?\s*{NUMBER}"
    rf"(?:\s*,?\s*(?P<date>{DATE.pattern}))?(?:\s+cua\s+(?P<by>[^().;]{{3,100}}))?"
)
_LETTER = "Công văn"
_LONGEST_NAME = 80  # code points of a line of the issuer's name
_REACH = 4000  # code points within which a head ends
_EARLY = 12  # content lines within which a head without its motto begins
_ABOVE = 9  # lines of the left column that may stand above the motto


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the head says; `span` is empty where a document has none.

    `upper` is the part above the title, where the issuer stands, and `taken` what in it is something else.
    `kind` and `subject` are those of the title or of a letter, which has no title but "V/v" and "Kính gửi".
    `noted_by` is the issuer that a note on an annex names.
    """

    span: Span
    upper: Span
    taken: tuple[Span, ...] = ()
    numbering: Numbering | None = None
    date: Field | None = None
    place: Field | None = None
    title: Title | None = None
    kind: Field | None = None
    subject: Field | None = None
    noted_by: str | None = None


def read_letterhead(sheet: Sheet, *, registers: Registers) -> Letterhead:
    """Read the head of a document; every field is None that the text lacks."""
    region = _find_region(sheet, registers=registers)
    if region is None:
        return Letterhead(Span(0, 0), Span(0, 0))
    numbering = read_numbering(sheet, region, registers=registers)
    dating = read_dating(sheet, region, registers=registers)
    taken = [Span(*m.span()) for m in _MOTTO.finditer(sheet.folded, region.start, region.end)]
    taken += [part.span for part in (numbering, dating) if part]
    after = max((span.end for span in taken), default=None)
    own = numbering.canonical if numbering else None
    title = read_title(sheet, region, after=after, own=own, registers=registers)
    if title and numbering and numbering.span.start > title.start:
        numbering = None  # it stands in the subject: another document's
    about = None if title else _find_about(sheet, region, taken=taken, numbering=numbering)
    taken += [about] if about else []
    end = title.end if title else max((span.end for span in taken), default=region.start)
    kind = _read_kind(sheet, region, title, numbering, about=about, registers=registers)
    if title and kind and kind.inferred:
        title = title.with_kind(sheet)
    head = Letterhead(
        Span(region.start, max(end, sheet.line_at(max(end - 1, 0)).end)),
        upper=Span(region.start, title.start if title else region.end),
        taken=tuple(taken),
        numbering=numbering,
        date=dating.date if dating else read_passing(sheet),
        place=dating.place if dating else None,
        title=title,
        kind=kind,
        subject=title.subject if title else join(sheet, [about] if about else []),
    )
    return head if numbering else _add_annex_note(sheet, head, registers=registers)


def _find_region(sheet: Sheet, *, registers: Registers) -> Span | None:
    """From the issuer's name to where the head has surely ended; None for a text without the form."""
    anchor = _find_anchor(sheet, registers=registers)
    if anchor is None:
        return None
    body = _BODY.search(sheet.folded, anchor, anchor + _REACH)
    end = body.start() if body else min(len(sheet.text), anchor + _REACH)
    start = anchor
    above = [line for line in sheet.lines if line.end <= anchor and not line.is_empty]
    for line in reversed(above[-_ABOVE:]):
        if not _may_be_head(line, registers=registers):
            break
        start = line.start
    return Span(start, end)


def _may_be_head(line: Line, *, registers: Registers) -> bool:
    """Whether a line above the motto may be the head's: a short one, or the subject or joint issuers."""
    if line.is_terminal:
        return False
    is_about = ABOUT.search(line.folded)
    is_joint = line.text.isupper() and registers.issuer_head.match(line.folded)
    return len(line.text) <= _LONGEST_NAME or bool(is_about or is_joint)


def _find_anchor(sheet: Sheet, *, registers: Registers) -> int | None:
    """The first sure sign of the form: motto, number, place and date, addressees, or a kind alone."""
    early = [line for line in sheet.lines if not line.is_empty][:_EARLY]
    for motto in _MOTTO.finditer(sheet.folded):
        line = sheet.line_at(motto.start())
        if line in early or motto.start() - line.start < _LONGEST_NAME > len(line.text):
            return line.start
    return next((line.start for line in early if _is_sign(sheet, line, registers=registers)), None)


def _is_sign(sheet: Sheet, line: Line, *, registers: Registers) -> bool:
    signs = (BEGINS_NUMBER, BEGINS_DATING, ADDRESS)
    alone = registers.kind_pattern.fullmatch(line.folded.rstrip(" :"))
    return bool(alone) or any(sign.match(sheet.folded, line.start) for sign in signs)


def _find_about(
    sheet: Sheet, region: Span, *, taken: Sequence[Span], numbering: Numbering | None
) -> Span | None:
    """Where a letter says what it is about: after "V/v", in Party letters also below the number."""
    mark = ABOUT.search(sheet.folded, region.start, region.end)
    if mark:
        start = mark.end()
    elif numbering and numbering.is_party:
        start = numbering.span.end
    else:
        return None
    stop = min((span.start for span in taken if span.start >= start), default=region.end)
    pieces = collect_lines(sheet, Span(start, stop))
    return Span(pieces[0].start, pieces[-1].end) if pieces else None


def _read_kind(
    sheet: Sheet,
    region: Span,
    title: Title | None,
    numbering: Numbering | None,
    *,
    about: Span | None,
    registers: Registers,
) -> Field | None:
    """The kind named in the title; a letter has none; a consolidated text has only its symbol."""
    symbol = numbering.symbol if numbering else None
    first = str(symbol.value).split("-")[0] if symbol else ""
    told = [kind.name for kind in registers.kinds if kind.by_symbol and first in kind.state]
    if symbol and told:
        return Field(told[0], symbol.start, symbol.end, inferred=True)
    if title:
        return title.kind
    # A citizen's letter has "Kính gửi" as well, but neither a number nor a list of recipients.
    is_letter = about or ADDRESS.match(sheet.folded, region.end)
    is_office = numbering or LISTED.search(sheet.folded, region.end)
    return Field(_LETTER, None, None, inferred=True) if is_letter and is_office else None


def _add_annex_note(sheet: Sheet, head: Letterhead, *, registers: Registers) -> Letterhead:
    """What a note on an annex tells of a document that lost its number.

    "(Kèm theo Công văn số 12/SNV-VP ngày 05/3/2026 của Sở Nội vụ)", where the document is a letter too.
    """
    kind = fold(str(head.kind.value)) if head.kind else None
    for match in _ANNEX_NOTE.finditer(sheet.folded, head.span.end):
        if " ".join(match["kind"].split()) == kind:
            iso = to_iso(match["date"]) if match["date"] else None
            return replace(
                head,
                numbering=make_numbering(sheet, match, registers=registers).inferred(),
                date=head.date or (Field(iso, *match.span("date"), inferred=True) if iso else None),
                noted_by=sheet.slice(*match.span("by")) if match["by"] else None,
            )
    return head
