"""Numbers, days and names as they are written and sorted in Vietnam.

Source: Unicode CLDR, locale `vi`, by Babel; the order of letters and tones is CLDR's collation for `vi`.
"""

import unicodedata
from datetime import date, datetime

from babel.numbers import format_decimal, format_percent

from service.store.days import VIETNAM

_LOCALE = "vi"
_LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {tone: place for place, tone in enumerate("\u0300\u0309\u0303\u0301\u0323", start=1)}


def show_number(value: float) -> str:
    """With a dot at the thousands and a comma before at most two decimals: `12.345,6`."""
    text: str = format_decimal(value, format="#,##0.##", locale=_LOCALE)
    return text


def show_percent(share: float) -> str:
    """A share from 0 to 1 in whole per cent; never 0 or 100 where it is not."""
    if 0 < share < 0.005:
        return "< 1%"
    if 0.995 <= share < 1:
        return "> 99%"
    text: str = format_percent(share, format="#,##0%", locale=_LOCALE)
    return text


def show_day(value: date | str | None) -> str:
    """`05/01/2026`; a text that is no whole date is shown as it is, and nothing for nothing."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return day.strftime("%d/%m/%Y") if day else ""


def show_moment(moment: datetime) -> str:
    """`15:04, 05/01/2026` in Vietnam."""
    return moment.astimezone(VIETNAM).strftime("%H:%M, %d/%m/%Y")


def sort_key(name: str) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Sorts as a Vietnamese dictionary does: by letters (a ă â … d đ …), then by tones, then as written."""
    letters, tones = [], []
    for char in unicodedata.normalize("NFC", name.casefold()):
        parts = unicodedata.normalize("NFD", char)
        tone = next((part for part in parts if part in _TONES), "")
        letters.append(_place(unicodedata.normalize("NFC", parts.replace(tone, ""))))
        tones.append(_TONES.get(tone, 0))
    return tuple(letters), tuple(tones), name


def _place(letter: str) -> int:
    """Signs before digits before letters, those of other alphabets last."""
    if letter in _LETTERS:
        return 100 + _LETTERS[letter]
    if letter.isalpha():
        return 1000 + ord(letter[0])
    return 1 + int(letter) if letter.isdecimal() else 0
