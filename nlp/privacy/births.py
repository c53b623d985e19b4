"""Full dates of birth, written and spoken; a year alone tells little and stays."""

import re
from collections.abc import Iterator

from nlp.privacy.digits import find_matches
from nlp.privacy.found import MASK, PersonalData
from nlp.privacy.page import Page

_DATE = r"(?:\d{1,2} ?[/.-] ?\d{1,2} ?[/.-] ?(?:\d{4}|\d{2}))(?!\d|[/.-]\d)"
_WORD = (
    r"(?:\d{1,4}|mot|hai|ba|bon|tu|nam|lam|nham|sau|bay|tam|chin|muoi|linh|le|khong|nghin|ngan|tram"
    r"|gieng|chap)(?![^\W_])"
)
_SAID_DATE = (
    rf"(?:(?:ngay|mung|mong) )*{_WORD}(?: {_WORD}){{0,2}},? thang {_WORD}(?: {_WORD})?,?"
    rf"(?: nam)? {_WORD}(?: {_WORD}){{0,7}}"
)
_BIRTH_DATE = (
    rf"(?:(?<!\d)(?:{_DATE}|(?:19|20)\d\d[/.-]\d{{1,2}}[/.-]\d{{1,2}}(?!\d)"
    rf"|\d{{1,2}} \d{{1,2}} (?:19|20)\d\d(?!\d)"
    rf"|\d{{1,2}}[/.-]\d{{1,2}} nam \d{{2,4}}(?!\d))|(?<!\w){_SAID_DATE})"
)
_BIRTH = (
    re.compile(
        r"(?:sinh(?! vien)|sn|ns|dob|de (?:ngay|hom)|(?:chao|ra) doi)"
        r"(?<!hoc sinh)(?<!ve sinh)(?<!phat sinh)(?<!hy sinh)(?<!song sinh)"
        r"(?<![^\W_]sinh)(?<![^\W_]sn)(?<![^\W_]ns)"
        r"(?<![^\W_]de ngay)(?![^\W_])(?<!khai sinh(?! (?:ghi|de|la|sai)))"
        rf"[^\d\n.;{MASK}]{{0,40}}?(?P<data>{_BIRTH_DATE})"
    ),
    # What follows a covered name, or stands against a covered date of birth.
    re.compile(rf"{MASK}[\"')]? ?[(–-] ?(?P<data>{_DATE})"),
    re.compile(rf"{MASK}, ?(?P<data>{_DATE})(?=[,;)])"),
    re.compile(
        rf"{MASK}{{8}}[^\d\n.;]{{0,40}}(?:thanh|la|ghi|sang|chu khong phai) (?:ngay )?(?P<data>{_DATE})"
    ),
)


def find_births(page: Page) -> Iterator[PersonalData]:
    """Dates after a word of birth, or directly after a covered name."""
    yield from find_matches("birth_date", _BIRTH, page.folded)
