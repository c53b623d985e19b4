"""The place and date in the head of a document.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.4.
"""

import re
from dataclasses import dataclass

from nlp.structure.dates import DATE, OPEN, to_iso
from nlp.structure.registers import Registers
from nlp.structure.sheet import Sheet
from nlp.types import Field, Span

_WORDS = r"(?:t[px]\.[ ]?)?(?:[^\W\d_]+[ ]){0,4}[^\W\d_]+"
_CITY = re.compile(r"(?<!\w)(?:tp\.?|thanh pho)[ ]*$")
_UNKNOWN_PLACE = re.compile(rf"(?:^|(?<=  ))[ ]*(?P<place>{_WORDS})\s*,\s*", re.MULTILINE)
BEGINS_DATING = re.compile(rf"\s*{_WORDS}\s*,\s*{DATE.pattern}")
_PASSED = re.compile(rf"thong\s+qua\s+(?P<date>{DATE.pattern})")
_GAP = "    "  # between columns set side by side
_LONGEST_PLACE = 40  # code points


@dataclass(frozen=True, slots=True)
class Dating:
    """Place and date with the stretch they take; a draft's open date still tells the place."""

    span: Span
    date: Field | None = None
    place: Field | None = None


def read_dating(sheet: Sheet, region: Span, *, registers: Registers) -> Dating | None:
    """Read the first date that follows a place or begins a line."""
    for pattern in (DATE, OPEN):
        for match in pattern.finditer(sheet.folded, region.start, region.end):
            place = _read_place(sheet, match.start(), region, registers=registers)
            line_start = sheet.line_at(match.start()).start
            before = sheet.folded[line_start : match.start()]
            if place or not before.strip() or before.endswith(_GAP):
                iso = to_iso(match[0]) if pattern is DATE else None
                start = match.start() if place is None else place.start or 0
                date = Field(iso, *match.span()) if iso else None
                return Dating(Span(start, match.end()), date, place)
    return None


def read_passing(sheet: Sheet) -> Field | None:
    """Read the day on which a law or resolution says that it was passed."""
    matches = list(_PASSED.finditer(sheet.folded))
    iso = to_iso(matches[-1]["date"]) if matches else None
    return Field(iso, *matches[-1].span("date"), inferred=True) if iso else None


def _read_place(sheet: Sheet, date_at: int, region: Span, *, registers: Registers) -> Field | None:
    """One of the register, else a few words before a comma on the date's line."""
    window = max(region.start, date_at - _LONGEST_PLACE)
    for known in registers.place_pattern.finditer(sheet.folded, window, date_at):
        if not sheet.folded[known.end() : date_at].strip(" ,\n"):
            start = _city_start(sheet, known.start(), window)
            return Field(sheet.slice(start, known.end()), start, known.end())
    match = _UNKNOWN_PLACE.search(sheet.folded, sheet.line_at(date_at).start, date_at)
    if match is None or match.end() != date_at:
        return None
    return Field(sheet.slice(*match.span("place")), *match.span("place"))


def _city_start(sheet: Sheet, at: int, window: int) -> int:
    """Where "TP." or "Thành phố" before a city's name begins; in capitals it belongs to the issuer."""
    mark = _CITY.search(sheet.folded[window:at])
    if mark is None:
        return at
    start = window + mark.start()
    is_issuers = sheet.is_cased and sheet.text[start:at].isupper() and "." not in mark[0]
    return at if is_issuers else start
