"""Mentions of other documents: by number, by the name of a law, by the session of a Party committee.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.6.b: the first mention gives kind, number, symbol,
date, issuer and subject, later ones only kind, number and symbol; so a later mention means the document
first dated, and "Nghị định nêu trên" the last one named.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from nlp.structure.dates import DATE, LONG, SHORT, to_iso
from nlp.structure.laws import BETWEEN, read_laws
from nlp.structure.numbers import NUMBER, TAIL, DocNumber, repair_number
from nlp.structure.registers import Registers
from nlp.structure.sheet import Sheet
from nlp.text import fold
from nlp.types import Citation, Field, Span

_NUMBER = re.compile(rf"(?:(?<![\w/.,-])|(?<=\bso)){NUMBER}")
_LABEL = r"(?P<label>(?<!\w)so\s*[:.]?\s*)"
# Numbers that share the symbol of the next: "các Quyết định số 217, 218-QĐ/TW".
_SHARING = r"(?P<sharing>(?:\d{1,6}\s*(?:,|(?<!\w)va(?!\w))\s*(?:so\s+)?)*)"
# A draft leaves the number open, in a citation as well: "Kế hoạch số ......-KH/TU".
_OPEN = rf"[ ]*so\s*:?\s*[.…][\s.…]*{TAIL}(?!\w)"
_ISSUED = re.compile(rf"\s*,?\s*(?:ban\s+hanh\s+)?(?P<date>{DATE.pattern})")
_ISSUED_BY = re.compile(
    rf"\s+cua\s+[^,;.:()“”\"\d]{{2,90}}?(?<!truoc)(?<!tu)(?<!den)(?<!sau)(?<!het),?\s+"
    rf"(?P<date>{LONG}|ngay\s*{SHORT})"
)
# The term in which a Party number was given: "của Hội nghị lần thứ sáu Ban Chấp hành Trung ương khóa XII".
_TERM = re.compile(
    r"(?:(?!\bso\s+\d|\d\s?[-/]|\n[^\S\n]*\n)[^;.“”\"]){0,120}?(?<!\w)khoa\s+[ivx]+(?!\w)"
)
_QUOTED = re.compile(r"[^“”\";.:\d]{0,120}?[“\"](?P<subject>[^“”\"]{3,500})[”\"]")
_TERMS = r"[ivx]+(?:\s*(?:,|va)\s*(?:khoa\s+)?[ivx]+)*"
_ORDINALS = ("nhat", "hai", "ba", "tu", "nam", "sau", "bay", "tam", "chin", "muoi")
_ORDINAL = rf"(?:\d{{1,2}}|{'|'.join(_ORDINALS)})"
_COMMITTEE = r"ban\s+chap\s+hanh\s+trung\s+uong(?:\s+dang)?"
# As in "Nghị quyết Trung ương 4 (khóa XI, XII)", "Nghị quyết Trung ương bảy khóa XII" and
# "Nghị quyết Hội nghị lần thứ tư Ban Chấp hành Trung ương khóa XII".
_SESSION = re.compile(
    r"(?P<kind>nghi\s+quyet|ket\s+luan)\s+(?:cua\s+)?(?:hoi\s+nghi\s+)?"
    rf"(?:(?:{_COMMITTEE}|trung\s+uong|tw)\s*"
    rf"(?:(?:lan\s+)?thu\s+|(?=\d|\w+\s*,?\s*\(?\s*khoa\s))(?P<at>{_ORDINAL})"
    rf"|(?:lan\s+)?thu\s+(?P<before>{_ORDINAL})\s*,?\s+(?:cua\s+)?{_COMMITTEE})(?!\w)"
    rf"(?:\s*,?\s*\(?\s*khoa\s+(?P<terms>{_TERMS})\s*\)?)?"
)
_ORGANISATION = r"dang\s+bo(?:\s+(?:thanh\s+pho|tinh|quan|huyen|thi\s+xa|phuong|xa))?(?!\w)"
_CONGRESS = re.compile(
    r"nghi\s+quyet\s+dai\s+hoi\s+(?:dai\s+bieu\s+)?(?:toan\s+quoc\s+)?"
    rf"(?:(?P<of>{_ORGANISATION}[^.;:,\d]{{0,40}}?)\s+)?(?:lan\s+thu\s+)?(?P<term>[ivx]+)(?!\w)"
    rf"(?:\s+(?:cua\s+)?(?:(?P<after>{_ORGANISATION})|dang(?!\w)))?"
)
# "Nghị quyết nêu trên"; "trên" alone must not begin a place ("Quyết định trên địa bàn").
_ABOVE = (
    r"(?:(?:neu|noi|ke|dan)\s+(?:o\s+)?tren(?!\w)|tren(?=\s*(?:[.,;:)\]]|$"
    r"|(?:va|hoac|la|duoc|da|den|de|theo|thi|cua|phai)(?!\w))))"
)
_QUOTE = re.compile(r"“[^”]*|\"[^\"\n]*\"")
_BEFORE = 80  # code points in which the kind stands before a number
_JOINT = 5  # code points between the two numbers of a joint document, as in "12/KH-SYT - 34/KH-SNV"
_UNNAMED = "Văn bản"  # the kind of a number cited as no more than "văn bản số"
_LETTERS = frozenset({_UNNAMED, "Công văn"})  # the kinds of what is called "văn bản nêu trên"
# Words that always mean a document; "quy định nêu trên" is no Quy định without a capital.
_PROPER = frozenset(
    {"luat", "bo luat", "phap lenh", "nghi quyet", "nghi dinh", "thong tu", "chi thi", "cong van"}
)


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands before a number: the kind named, and whether "số" does; the mention begins at `start`.

    `text` ends with the kind, folded, white space collapsed. `sharing` are the numbers that have its symbol.
    """

    start: int
    kind: str | None = None
    is_labelled: bool = False
    text: str = ""
    sharing: tuple[Span, ...] = ()


def read_citations(
    sheet: Sheet, *, own: Field | None, registers: Registers
) -> tuple[Citation, ...]:
    """Find all mentions of other documents, in the order of the text, but not of its own number."""
    named = [*read_laws(sheet, registers=registers), *_read_sessions(sheet, registers=registers)]
    numbered = _share_dates(sheet, list(_read_numbered(sheet, named, registers=registers)))
    drafts = _read_open(sheet, registers=registers)
    found = list(_refer_back(sorted([*named, *numbered, *drafts], key=_place)))
    found = sorted([*found, *_read_pointers(sheet, found, registers=registers)], key=_place)
    return tuple(c for c in found if own is None or not _is_own(c, own))


def _is_own(citation: Citation, own: Field) -> bool:
    """The number of the document itself, or the second one where two bodies issue it together."""
    behind = own.end is not None and 0 <= citation.start - own.end < _JOINT
    return behind or citation.canonical == own.value


def _place(citation: Citation) -> tuple[int, int]:
    return citation.start, citation.end


def _read_numbered(
    sheet: Sheet, named: Sequence[Citation], *, registers: Registers
) -> Iterator[Citation]:
    taken = [(citation.start, citation.end) for citation in named]
    before_number = re.compile(
        rf"(?:(?P<kind>{registers.kind_pattern.pattern})\s*|(?=(?<!\w)so)){_LABEL}?{_SHARING}$"
    )
    last: Citation | None = None
    for match in _NUMBER.finditer(sheet.folded):
        if any(start <= match.start() < end for start, end in taken):
            continue
        written = sheet.text[match.start() : match.end()]
        number = repair_number(written, registers=registers, is_cased=sheet.is_cased)
        before = _look_before(sheet, match.start(), before_number)
        listed = last if last and BETWEEN.fullmatch(sheet.folded, last.end, before.start) else None
        kind = _tell_kind(before, number, listed=listed, registers=registers)
        if kind:
            start = before.start
            for place in before.sharing:
                sharing = _renumber(number, sheet.text[place.start : place.end])
                yield _cite(sheet, Span(start, place.end), sharing, kind=kind)
                between = BETWEEN.match(sheet.folded, place.end)
                start = between.end() if between else place.end
            last = _cite(sheet, Span(start, match.end()), number, kind=kind)
            yield last


def _look_before(sheet: Sheet, at: int, pattern: re.Pattern[str]) -> _Before:
    window = max(0, at - _BEFORE)
    match = pattern.search(sheet.folded[window:at])
    if match is None:
        return _Before(at)
    start = window + match.start()
    kind = " ".join(match["kind"].split()) if match["kind"] else None
    text = " ".join(sheet.folded[window : window + match.end("kind")].split()) if kind else ""
    offset = window + match.start("sharing")
    sharing = tuple(
        Span(offset + n.start(), offset + n.end()) for n in re.finditer(r"\d+", match["sharing"])
    )
    return _Before(start, kind, is_labelled=bool(match["label"]), text=text, sharing=sharing)


def _renumber(number: DocNumber, written: str) -> DocNumber:
    """The same symbol with another number."""
    rest = number.canonical.removeprefix(number.number)
    return replace(number, number=written, canonical=written + rest)


def _tell_kind(
    before: _Before, number: DocNumber, *, listed: Citation | None, registers: Registers
) -> str | None:
    """The kind by the word, by the list it stands in, or by its symbol; None where no document is meant."""
    first = number.symbol.replace("/", "-").split("-")[0]
    of_symbol = [k for k in registers.kinds if first in (k.party if number.is_party else k.state)]
    if before.kind:
        # "Thông báo kết luận số 49/TB-VPCP": of two kinds in a row the symbol tells which is meant.
        outer = [k for k in of_symbol if before.text.endswith(f"{fold(k.name)} {before.kind}")]
        return (outer or [registers.kind_named[before.kind]])[0].name
    if listed and (not of_symbol or listed.kind in {kind.name for kind in of_symbol}):
        return listed.kind
    if of_symbol:
        return of_symbol[0].name
    return _UNNAMED if before.is_labelled and any(c.isupper() for c in number.symbol) else None


def _cite(sheet: Sheet, span: Span, number: DocNumber, *, kind: str) -> Citation:
    issued = _ISSUED.match(sheet.folded, span.end)
    end = issued.end() if issued else span.end
    dated = issued or _ISSUED_BY.match(sheet.folded, span.end)
    quoted = _QUOTED.match(sheet.text, end)
    has_term = number.is_party and _TERM.match(sheet.folded, span.end) is not None
    return Citation(
        number.canonical,
        kind,
        number.number,
        to_iso(dated["date"]) if dated else None,
        " ".join(quoted["subject"].split()) if quoted else None,
        span.start,
        end,
        ambiguous=dated is None and not (number.has_year or has_term),
    )


def _share_dates(sheet: Sheet, citations: list[Citation]) -> list[Citation]:
    """Give the date after a list to all in it: "Quyết định số 217-QĐ/TW, số 218-QĐ/TW ngày 12/12/2013"."""
    shared = list(citations)
    for i in range(len(shared) - 2, -1, -1):
        this, following = shared[i], shared[i + 1]
        joined = BETWEEN.fullmatch(sheet.folded, this.end, following.start)
        if this.date is None and following.date and joined and this.ambiguous:
            shared[i] = replace(this, date=following.date, ambiguous=False)
    return shared


def _refer_back(citations: Sequence[Citation]) -> Iterator[Citation]:
    """Take what a mention lacks from the one other in the document that it must mean.

    A law named without its year is the one version named with it, a number without its date the one dated.
    """
    versions: dict[str, dict[str, Citation]] = {}
    dates: dict[str, set[str]] = {}
    for citation in citations:
        if citation.canonical and citation.subject:
            versions.setdefault(_name(citation), {})[citation.canonical] = citation
        if citation.canonical and citation.date:
            dates.setdefault(citation.canonical, set()).add(citation.date)
    for citation in citations:
        same = list(versions.get(_name(citation), {}).values())
        if citation.canonical is None and citation.subject and len(same) == 1:
            canonical, number = same[0].canonical, same[0].number
            citation = replace(citation, canonical=canonical, number=number, ambiguous=False)
        known = dates.get(citation.canonical or "", set())
        if citation.date is None and len(known) == 1:
            citation = replace(citation, date=next(iter(known)), ambiguous=False)
        yield citation


def _name(citation: Citation) -> str:
    return fold(f"{citation.kind} {citation.subject}")


def _read_open(sheet: Sheet, *, registers: Registers) -> Iterator[Citation]:
    """Documents whose number a draft leaves open; at the start of a line it is the draft's own."""
    for match in re.finditer(rf"(?P<kind>{registers.kind_pattern.pattern}){_OPEN}", sheet.folded):
        kind = registers.kind_named[" ".join(match["kind"].split())].name
        if sheet.line_at(match.start()).start < match.start():
            yield Citation(None, kind, None, None, None, *match.span(), ambiguous=True)


def _read_sessions(sheet: Sheet, *, registers: Registers) -> Iterator[Citation]:
    """Resolutions known by their session or congress; "(khóa XI, XII)" names two of them."""
    for match in _SESSION.finditer(sheet.folded):
        kind = registers.kind_named[" ".join(match["kind"].split())].name
        at = match["at"] or match["before"]
        number = at if at.isdigit() else str(_ORDINALS.index(at) + 1)
        terms = re.findall(r"\b[ivx]+\b", match["terms"] or "")
        for suffix in [f" khóa {term.upper()}" for term in terms] or [""]:
            name = f"{kind} Trung ương {number}{suffix}"
            yield Citation(name, kind, None, None, None, *match.span(), ambiguous=not terms)
    for match in _CONGRESS.finditer(sheet.folded):
        group = "of" if match["of"] else "after"
        body = f" {sheet.slice(*match.span(group))}" if match[group] else ""
        name = f"Nghị quyết Đại hội{body} {match['term'].upper()}"
        yield Citation(name, "Nghị quyết", None, None, None, *match.span(), ambiguous=False)


def _read_pointers(
    sheet: Sheet, citations: Sequence[Citation], *, registers: Registers
) -> Iterator[Citation]:
    """Words that point back to the last document of a kind: "Nghị định nêu trên", "các văn bản nói trên".

    "Luật này" is the document itself, but within quotation marks the one quoted.
    """
    kinds = rf"(?P<kind>{registers.kind_pattern.pattern}|(?P<all>(?:cac|nhung)\s+)?(?<!\w)van\s+ban(?!\w))"
    quotes = [Span(*match.span()) for match in _QUOTE.finditer(sheet.text)]
    outside = [c for c in citations if not _around(c.start, quotes)]
    for match in re.finditer(rf"{kinds}\s+(?:(?P<this>nay)(?!\w)|{_ABOVE})", sheet.folded):
        quote = _around(match.start(), quotes)
        kind = " ".join(match["kind"].split())
        is_name = not sheet.is_cased or sheet.text[match.start()].isupper()
        if match["this"] and quote is None:
            continue
        if is_name or kind in _PROPER or kind not in registers.kind_named:
            named = {registers.kind_named[kind].name} if kind in registers.kind_named else _LETTERS
            among, end = (
                (outside, quote.start) if match["this"] and quote else (citations, match.start())
            )
            before = among[: bisect_left(among, end, key=lambda citation: citation.start)]
            fitting = (c for c in reversed(before) if match["all"] or c.kind in named)
            yield from _point(sheet, Span(*match.span()), fitting)


def _around(offset: int, spans: Sequence[Span]) -> Span | None:
    """The one of ordered spans that holds an offset."""
    at = bisect_left(spans, offset, key=lambda span: span.start) - 1
    return spans[at] if at >= 0 and offset < spans[at].end else None


def _point(sheet: Sheet, span: Span, before: Iterator[Citation]) -> Iterator[Citation]:
    """A mention of the first of `before`, the last named; ambiguous when its paragraph names another one."""
    last = next(before, None)
    if last is not None:
        block = sheet.line_at(last.start).block
        near = takewhile(lambda c: sheet.line_at(c.start).block == block, before)
        several = any(_identity(c) != _identity(last) for c in near)
        yield replace(last, start=span.start, end=span.end, ambiguous=last.ambiguous or several)


def _identity(citation: Citation) -> tuple[str | None, str | None]:
    return citation.canonical or citation.subject, citation.date
