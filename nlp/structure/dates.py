"""Calendar dates as documents write them; the patterns match folded text."""

import re
from datetime import date

# Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.4.b (long form); running text has short ones.
LONG = r"ngay\s*\d{1,2}\s*thang\s*\d{1,2}\s*,?\s*nam\s*\d{4}"
SHORT = r"(?:ngay\s*)?\d{1,2}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{4}(?![\d/])"
DATE = re.compile(rf"(?<!\w)(?:{LONG}|{SHORT})(?!\w)")
# A draft leaves the day, the month or both open: "ngày … tháng … năm 2025".
OPEN = re.compile(
    r"(?<!\w)ngay[\s._…/\\-]*(?:thang)?[\s\d._…/\\-]*(?:nam)?[\s._…/\\-]*\d{0,4}(?=\s|$)"
)


def to_iso(written: str) -> str | None:
    """The ISO form of a date matched by `DATE`; None when no such day exists."""
    day, month, year = (int(part) for part in re.findall(r"\d+", written))
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
