"""Mentions of laws, codes and ordinances by name, with or without a number.

Source: Law on promulgation of legal documents 64/2025/QH15, art. 4; the names are data (`laws.toml`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nlp.structure.dates import DATE, to_iso
from nlp.structure.numbers import NUMBER, repair_number
from nlp.structure.registers import Registers, spell
from nlp.structure.sheet import Sheet
from nlp.types import Citation

# What stands between the members of a list.
BETWEEN = re.compile(r"(?:[\s,;]|(?<!\w)va(?!\w))*")
# "pháp luật", "kỷ luật", "quy luật", "thực hiện pháp luật" hold the word without naming a law.
_WORD = re.compile(
    r"(?<!phap )(?<!ky )(?<!quy )(?<!bo )(?<!\w)"
    r"(?:bo\s+luat|luat|phap\s+lenh|(?<!thuc\s)hien\s+phap(?!\s+(?:luat|lenh|che)))(?!\w)"
)
_YEAR = r"(?P<year>(?:19|20)\d\d)(?![\d/])"
# The numbers of laws and ordinances: "31/2024/QH15", "34/2007/PL-UBTVQH11"; a scan may read OH.
_OF_LAW = r"(?=\d+\s?[-/]\s?(?:\d{4}\s?/\s?)?(?:[qo]h|pl|ubtvqh|lct)\w*(?:\W|$))"
_OTHER = (
    r"(?:nghi\s+(?:dinh|quyet)|quyet\s+dinh|thong\s+(?:tu|bao)|chi\s+thi|ke\s+hoach|cong\s+(?:van|dien)"
    r"|to\s+trinh)"
)
_AMENDING = re.compile(
    rf"luat\s+sua\s+doi\s*,?\s*bo\s+sung(?:(?!{_OTHER}|\bso\s+\d)[^;.()“”]){{3,220}}?"
    rf"(?=\s*,?\s+(?:so\s+{_OF_LAW}|ngay\s+\d|nam\s+{_YEAR}))"
)
_NAMED_AFTER = re.compile(
    r"(?:\s*\(sua\s+doi\))?(?:\s+nuoc\s+cong\s+hoa\s+xa\s+hoi\s+chu\s+nghia\s+viet\s+nam)?"
    rf"(?:\s*,?\s*(?P<open>\()?(?:so\s*:?\s*)?{_OF_LAW}(?P<written>{NUMBER})(?(open)\)))?"
    rf"(?:\s*,?\s*(?P<date>{DATE.pattern})|\s+(?:nam\s+)?{_YEAR})?"
)
# Where an unregistered name ends at the latest: a word that goes on with the sentence.
_STOPS = (
    r"(?:so\s*:?\s*\d|(?:ngay|nam|nay|do|quy\s+dinh|duoc|da|co|ve|va|hoac|thi|hien\s+hanh|khong|la|phai"
    r"|cho|tai|theo|de|voi|(?:(?:neu|noi)\s+)?tren)(?!\w))"
)
_UNKNOWN = re.compile(rf"\s+(?:(?!{_STOPS})[^\W\d]+(?:\s+|(?=[^\w\s]|$))){{1,10}}")
_LONGEST = 160  # code points of a name

_Versions = Mapping[str, Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class _Mention:
    """A law as named; `key` is its folded name, `written` the number that stands behind it, as written."""

    start: int
    end: int
    key: str
    kind: str
    title: str
    written: str | None = None
    date: str | None = None
    year: int | None = None


def read_laws(sheet: Sheet, *, registers: Registers) -> Iterator[Citation]:
    """Find the laws named in a text; one with several versions is ambiguous without year or date."""
    versions = registers.laws
    mentions = list(_find_mentions(sheet, versions, registers=registers))
    for mention in _share_years(sheet, mentions, versions):
        yield _cite(sheet, mention, versions, registers=registers)


def _find_mentions(
    sheet: Sheet, versions: _Versions, *, registers: Registers
) -> Iterator[_Mention]:
    end = 0
    for word in _WORD.finditer(sheet.folded):
        name_end = _find_name(sheet, word, versions) if word.start() >= end else None
        if name_end:
            mention = _read_mention(sheet, word, name_end, registers=registers)
            end = mention.end
            yield mention


def _find_name(sheet: Sheet, word: re.Match[str], versions: _Versions) -> int | None:
    """Where the name that begins with a word ends: a registered or an amending law, or capitalised words."""
    amending = _AMENDING.match(sheet.folded, word.start())
    if amending:
        return amending.end()
    ahead = " ".join(sheet.folded[word.start() : word.start() + _LONGEST].split())
    starting = [name for name in versions if ahead.startswith(name)]
    known = [name for name in starting if not ahead[len(name) : len(name) + 1].isalnum()]
    if not known:
        return _find_unknown(sheet, word)
    spaced = re.escape(max(known, key=len)).replace(r"\ ", r"\s+")
    match = re.compile(spaced).match(sheet.folded, word.start())
    return match.end() if match else None


def _find_unknown(sheet: Sheet, word: re.Match[str]) -> int | None:
    """An unregistered law is told by two capitals: "Luật Đường sắt đô thị"."""
    match = _UNKNOWN.match(sheet.folded, word.end())
    if match is None or not sheet.is_cased:
        return None
    name = sheet.text[match.start() : match.end()].strip()
    if not (sheet.text[word.start()].isupper() and name[0].isupper() and not name.isupper()):
        return None
    return sheet.trim(match.start(), match.end()).end


def _read_mention(
    sheet: Sheet, word: re.Match[str], name_end: int, *, registers: Registers
) -> _Mention:
    mention = _Mention(
        word.start(),
        name_end,
        key=" ".join(sheet.folded[word.start() : name_end].split()),
        kind=registers.kind_named[" ".join(word[0].split())].name,
        title=sheet.slice(word.end(), name_end),
    )
    after = _NAMED_AFTER.match(sheet.folded, name_end)
    if after is None:
        return mention
    date = to_iso(after["date"]) if after["date"] else None
    return replace(
        mention,
        end=after.end(),
        written=sheet.text[slice(*after.span("written"))] if after["written"] else None,
        date=date,
        year=int(date[:4]) if date else int(after["year"]) if after["year"] else None,
    )


def _share_years(
    sheet: Sheet, mentions: Sequence[_Mention], versions: _Versions
) -> Sequence[_Mention]:
    """Give the year or date after a list to all in it that have a version of that year, as far as known."""
    shared = list(mentions)
    for i in range(len(shared) - 2, -1, -1):
        this, following = shared[i], shared[i + 1]
        bare = this.written is None and this.year is None and following.written is None
        joined = bare and BETWEEN.fullmatch(sheet.folded, this.end, following.start)
        if joined and following.year in versions.get(this.key, {following.year}):
            shared[i] = replace(this, date=following.date, year=following.year)
    return shared


def _cite(sheet: Sheet, law: _Mention, versions: _Versions, *, registers: Registers) -> Citation:
    """With the number that stands in the text, else as the only registered version that fits."""
    known = versions.get(law.key, {})
    years = [law.year] if law.year else list(known)
    canonical = number = None
    if law.written:
        repaired = repair_number(law.written, registers=registers, is_cased=sheet.is_cased)
        canonical, number = repaired.canonical, repaired.number
    elif len(years) == 1 and known.get(years[0]):
        canonical = known[years[0]]
        number = canonical.partition("/")[0]
    elif len(years) == 1:
        title = spell(law.title, registers=registers)
        canonical = " ".join(f"{law.kind} {title} {years[0]}".split())
    ambiguous = canonical is None and len(years) > 1
    subject = law.title or None
    return Citation(canonical, law.kind, number, law.date, subject, law.start, law.end, ambiguous)
