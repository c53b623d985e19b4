"""Mentions of other documents: by number, by the name of a law, by the session of a Party committee.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.6.b: the first mention gives kind, number, symbol,
date, issuer and subject, later ones only kind, number and symbol; so a later mention means the document
first dated.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nlp.structure.dates import DATE, LONG, SHORT, to_iso
from nlp.structure.laws import read_laws
from nlp.structure.numbers import NUMBER, DocNumber, repair_number
from nlp.structure.registers import Registers
from nlp.structure.sheet import Sheet
from nlp.text import fold
from nlp.types import Citation, Field, Span

_NUMBER = re.compile(rf"(?<![\w/.,-]){NUMBER}")
_LABEL = r"(?P<label>(?<!\w)so\s*[:.]?\s*)"
_ISSUED = re.compile(rf"\s*,?\s*(?:ban\s+hanh\s+)?(?P<date>{DATE.pattern})")
_ISSUED_BY = re.compile(
    rf"\s+cua\s+[^,;.:()“”\"\d]{{2,90}}?(?<!truoc)(?<!tu)(?<!den)(?<!sau)(?<!het)\s+"
    rf"(?P<date>{LONG}|ngay\s*{SHORT})"
)
_QUOTED = re.compile(r"[^“”\";.:\d]{0,120}?[“\"](?P<subject>[^“”\"]{3,500})[”\"]")
_BETWEEN = re.compile(r"(?:[\s,;]|(?<!\w)va(?!\w))*")
_TERMS = r"[ivx]+(?:\s*(?:,|va)\s*(?:khoa\s+)?[ivx]+)*"
_ORDINALS = ("nhat", "hai", "ba", "tu", "nam", "sau", "bay", "tam", "chin", "muoi")
# As in "Nghị quyết Trung ương 4 (khóa XI, XII)" and
# "Nghị quyết Hội nghị lần thứ tư Ban Chấp hành Trung ương khóa XII".
_SESSION = re.compile(
    r"(?P<kind>nghi\s+quyet|ket\s+luan)\s+(?:cua\s+)?"
    r"(?:(?:hoi\s+nghi\s+)?(?:trung\s+uong|tw)\s*(?P<digits>\d{1,2})|hoi\s+nghi\s+(?:lan\s+)?thu\s+"
    rf"(?P<word>{'|'.join(_ORDINALS)})\s+ban\s+chap\s+hanh\s+trung\s+uong(?:\s+dang)?)(?!\w)"
    rf"(?:\s*,?\s*\(?\s*khoa\s+(?P<terms>{_TERMS})\s*\)?)?"
)
_CONGRESS = re.compile(
    r"nghi\s+quyet\s+dai\s+hoi\s+(?:dai\s+bieu\s+)?(?:toan\s+quoc\s+)?(?:lan\s+thu\s+)?"
    r"(?P<term>[ivx]+)(?!\w)(?:\s+cua\s+dang)?"
)
_BEFORE = 80  # code points in which the kind stands before a number
_UNNAMED = "Văn bản"  # the kind of a number cited as no more than "văn bản số"


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands before a number: the kind named, and whether "số" does; the mention begins at `start`.

    `text` ends with the kind, folded, white space collapsed.
    """

    start: int
    kind: str | None = None
    is_labelled: bool = False
    text: str = ""


def read_citations(
    sheet: Sheet, *, own: Field | None, registers: Registers
) -> tuple[Citation, ...]:
    """Find all mentions of other documents, in the order of the text, but not of its own number."""
    named = [*read_laws(sheet, registers=registers), *_read_sessions(sheet, registers=registers)]
    numbered = _share_dates(sheet, list(_read_numbered(sheet, named, registers=registers)))
    found = sorted([*named, *numbered], key=lambda citation: (citation.start, citation.end))
    return tuple(_refer_back([c for c in found if own is None or c.canonical != own.value]))


def _read_numbered(
    sheet: Sheet, named: Sequence[Citation], *, registers: Registers
) -> Iterator[Citation]:
    taken = [(citation.start, citation.end) for citation in named]
    before_number = re.compile(rf"(?P<kind>{registers.kind_pattern.pattern})?\s*{_LABEL}?$")
    last: Citation | None = None
    for match in _NUMBER.finditer(sheet.folded):
        if any(start <= match.start() < end for start, end in taken):
            continue
        written = sheet.text[match.start() : match.end()]
        number = repair_number(written, registers=registers, is_cased=sheet.is_cased)
        before = _look_before(sheet, match.start(), before_number)
        listed = last if last and _BETWEEN.fullmatch(sheet.folded, last.end, before.start) else None
        kind = _tell_kind(before, number, listed=listed, registers=registers)
        if kind:
            last = _cite(sheet, Span(before.start, match.end()), number, kind=kind)
            yield last


def _look_before(sheet: Sheet, at: int, pattern: re.Pattern[str]) -> _Before:
    window = max(0, at - _BEFORE)
    match = pattern.search(sheet.folded[window:at])
    if match is None or not match[0].strip():
        return _Before(at)
    start = window + match.end() - len(match[0].lstrip())
    kind = " ".join(match["kind"].split()) if match["kind"] else None
    text = " ".join(sheet.folded[window : window + match.end("kind")].split()) if kind else ""
    return _Before(start, kind, is_labelled=bool(match["label"]), text=text)


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
    return Citation(
        number.canonical,
        kind,
        number.number,
        to_iso(dated["date"]) if dated else None,
        " ".join(quoted["subject"].split()) if quoted else None,
        span.start,
        end,
        ambiguous=dated is None and not number.has_year,
    )


def _share_dates(sheet: Sheet, citations: list[Citation]) -> list[Citation]:
    """Give the date after a list to all in it: "Quyết định số 217-QĐ/TW, số 218-QĐ/TW ngày 12/12/2013"."""
    shared = list(citations)
    for i in range(len(shared) - 2, -1, -1):
        this, following = shared[i], shared[i + 1]
        joined = _BETWEEN.fullmatch(sheet.folded, this.end, following.start)
        if this.date is None and following.date and joined and this.ambiguous:
            shared[i] = replace(this, date=following.date, ambiguous=False)
    return shared


def _refer_back(citations: Sequence[Citation]) -> Iterator[Citation]:
    """Date an undated mention by the one dated mention of the same number in the document."""
    dates: dict[str, set[str]] = {}
    for citation in citations:
        if citation.canonical and citation.date:
            dates.setdefault(citation.canonical, set()).add(citation.date)
    for citation in citations:
        known = dates.get(citation.canonical or "", set())
        if citation.date is None and len(known) == 1:
            yield replace(citation, date=next(iter(known)), ambiguous=False)
        else:
            yield citation


def _read_sessions(sheet: Sheet, *, registers: Registers) -> Iterator[Citation]:
    """Resolutions known by their session or congress; "(khóa XI, XII)" names two of them."""
    for match in _SESSION.finditer(sheet.folded):
        kind = registers.kind_named[" ".join(match["kind"].split())].name
        number = match["digits"] or str(_ORDINALS.index(match["word"]) + 1)
        terms = re.findall(r"\b[ivx]+\b", match["terms"] or "")
        for suffix in [f" khóa {term.upper()}" for term in terms] or [""]:
            name = f"{kind} Trung ương {number}{suffix}"
            yield Citation(name, kind, None, None, None, *match.span(), ambiguous=not terms)
    for match in _CONGRESS.finditer(sheet.folded):
        name = f"Nghị quyết Đại hội {match['term'].upper()}"
        yield Citation(name, "Nghị quyết", None, None, None, *match.span(), ambiguous=False)
