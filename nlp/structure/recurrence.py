"""How often a duty is due, with the day of the cycle: "trước ngày 25 hằng tháng", "hằng quý (trước ngày 20)".

The patterns match folded text; a blank in them is any white space.
"""

import re

from nlp.structure.sheet import Sheet
from nlp.text import lower, normalise
from nlp.types import Span

_BINDS = (
    r"(?:truoc|cham nhat|muon nhat|khong (?:muon hon|qua)|thoi han|han (?:chot|cuoi))"
    r"(?: (?:la|vao|den|trong|het|truoc|cuoi))* "
)
_EVERY = r"(?:hang|moi) (?:nam(?! 20\d\d)|quy|thang|tuan|ngay)"
_MONTHS = r"(?:0?[36]|sau|ba) thang"
_OF_QUARTER = r"thang (?:sau|(?:dau|cuoi)(?: tien| cung)? (?:cua )?(?:hang |moi )?quy(?: sau)?)"
_TIME = r"\d{1,2} ?(?:gio|h)(?: ?\d{2}(?: phut)?)?"
_DAY = (
    r"(?:ngay (?:\d{1,2}(?: ?/ ?\d{1,2}| thang \d{1,2})?|(?:lam viec )?(?:dau|cuoi)(?: tien| cung)?)"
    r"|(?:(?:sang|chieu) )?(?:thu (?:hai|ba|tu|nam|sau|bay)|chu nhat))"
    r"(?!\d| ?[/.-] ?\d| (?:thang \d|nam(?!\w)))(?: cua)?"
)
_POINT = rf"(?:{_TIME} )?{_DAY}"
_BY = rf"(?:{_BINDS}|vao )"
_BEHIND = rf"(?: ?\( ?{_BY}{_POINT}(?: {_OF_QUARTER})? ?\)|,? {_BY}{_POINT}(?: {_OF_QUARTER})?)?"
_FIRST = (
    rf"(?:(?:dinh ky )?(?:{_BY}?{_POINT} (?:{_EVERY}|{_OF_QUARTER})|(?:{_BY}{_TIME} )?{_EVERY})"
    rf"|dinh ky(?: {_MONTHS})?|{_MONTHS} ?(?:/|mot|1) ?lan)"
)
_YEAR = rf"(?:(?: ?(?:,|va|, va))? (?:hang|moi|0?1|mot) nam| ?(?:,|va|, va) nam)(?! \d){_BEHIND}"


def _spaced(pattern: str) -> str:
    return pattern.replace(" ?", r"\s*").replace(" ", r"\s+")


BINDS = r"(?<!\w)" + _spaced(_BINDS)
_RECURRENCE = re.compile(
    _spaced(rf"(?<!\w)(?:{_FIRST}{_BEHIND}(?:{_YEAR})?|{_MONTHS}{_BEHIND}{_YEAR})(?!\w)")
)
_FOLDED = re.compile(_spaced(_EVERY))
_WRITTEN = re.compile(r"(?:h[ằà]ng|mỗi) (?:năm|quý|tháng|tuần|ngày)")


def read_recurrence(sheet: Sheet, span: Span) -> str | None:
    """The first words of a stretch that say how often, and on which day, without a capital at their start."""
    for match in _RECURRENCE.finditer(sheet.folded, span.start, span.end):
        words = sheet.slice(*match.span())
        is_cycle = not _FOLDED.search(match[0]) or _WRITTEN.search(normalise(words))
        if is_cycle or not sheet.is_marked:  # "đưa hàng ngay", "mỗi quy trình"
            return lower(words[0]) + words[1:]
    return None
