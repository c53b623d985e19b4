"""Mentions of laws, codes and ordinances by name, with or without a number.

Source: Law on promulgation of legal documents 64/2025/QH15, art. 4; the names are data (`laws.toml`).
"""

import re
from collections.abc import Iterator

from nlp.structure.dates import DATE, to_iso
from nlp.structure.numbers import NUMBER, repair_number
from nlp.structure.registers import Registers
from nlp.structure.sheet import Sheet
from nlp.types import Citation, Span

# "pháp luật", "kỷ luật", "quy luật" hold the word without naming a law.
_WORD = re.compile(
    r"(?<!phap )(?<!ky )(?<!quy )(?<!bo )(?<!\w)(?:bo\s+luat|luat|phap\s+lenh|hien\s+phap)(?!\w)"
)
_AMENDING = re.compile(
    r"luat\s+sua\s+doi\s*,?\s*bo\s+sung[^;.()“”]{3,220}?(?=\s*,?\s+(?:so\s+\d|ngay\s+\d))"
)
_NAMED_AFTER = re.compile(
    rf"(?:\s*\(sua\s+doi\))?(?:\s*,?\s*(?:so\s*:?\s*)?(?P<written>{NUMBER}))?"
    rf"(?:\s*,?\s*(?P<date>{DATE.pattern})|\s+(?:nam\s+)?(?P<year>(?:19|20)\d\d)(?![\d/]))?"
)
# Where an unregistered name ends at the latest: a word that goes on with the sentence.
_STOPS = (
    r"(?:so\s*:?\s*\d|(?:ngay|nam|nay|do|quy\s+dinh|duoc|da|co|ve|va|hoac|thi|hien\s+hanh|khong|la|phai"
    r"|cho|tai|theo|de|voi)(?!\w))"
)
_UNKNOWN = re.compile(rf"\s+(?:(?!{_STOPS})[^\W\d]+(?:\s+|(?=[^\w\s]|$))){{1,10}}")
_LONGEST = 160  # code points of a name


def read_laws(sheet: Sheet, *, registers: Registers) -> Iterator[Citation]:
    """Find the laws named in a text; one with several versions is ambiguous without year or date."""
    end = 0
    for word in _WORD.finditer(sheet.folded):
        if word.start() < end:
            continue
        name = _find_name(sheet, word, registers=registers)
        if name:
            law = _cite(sheet, Span(word.start(), name), word=word[0], registers=registers)
            end = law.end
            yield law


def _find_name(sheet: Sheet, word: re.Match[str], *, registers: Registers) -> int | None:
    """Where the name that begins with a word ends: a registered or an amending law, or capitalised words."""
    amending = _AMENDING.match(sheet.folded, word.start())
    if amending:
        return amending.end()
    ahead = " ".join(sheet.folded[word.start() : word.start() + _LONGEST].split())
    starting = [name for name in registers.laws if ahead.startswith(name)]
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


def _cite(sheet: Sheet, name: Span, *, word: str, registers: Registers) -> Citation:
    kind = registers.kind_named[" ".join(word.split())].name
    title = sheet.slice(name.start + len(word), name.end)
    canonical = number = date = None
    end = name.end
    after = _NAMED_AFTER.match(sheet.folded, name.end)
    if after:
        end = after.end()
        date = to_iso(after["date"]) if after["date"] else None
        if after["written"]:
            written = sheet.text[after.start("written") : after.end("written")]
            repaired = repair_number(written, registers=registers, is_cased=sheet.is_cased)
            canonical, number = repaired.canonical, repaired.number
        elif after["year"]:
            canonical = " ".join(f"{kind} {title} {after['year']}".split())
    versions = registers.laws.get(" ".join(sheet.folded[name.start : name.end].split()), ())
    ambiguous = canonical is None and date is None and len(versions) > 1
    return Citation(canonical, kind, number, date, title or None, name.start, end, ambiguous)
