"""What a line begins with (article, part, number, letter, bullet), and the numbers of tasks they make.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.6.d (phần, chương, mục, tiểu mục, điều, khoản, điểm;
Roman, Arabic, letters). All patterns match folded text, so that letter case plays no part.
"""

import re
from dataclasses import dataclass
from itertools import takewhile

_ROMAN = r"(?:x{0,2}(?:ix|iv|v?i{1,3}|v)|x{1,2})"
_PART = rf"(?:phan|chuong|muc|tieu muc|phu luc)(?: (?:{_ROMAN}|\d{{1,2}}|thu \w+|[a-z]))?"
_PATTERNS = (
    ("article", re.compile(r"dieu (?P<label>\d+[a-z]?)\s*[.:](?!\d)\s*")),
    ("part", re.compile(rf"{_PART}\s*(?:[.:–-]\s|$)")),
    ("decimal", re.compile(r"(?P<label>\d{1,2}(?:\.\d{1,2}){1,3})(?:[.)]\s+|\s+(?=\D))")),
    ("arabic", re.compile(r"(?P<label>\d{1,3})(?:\s?\.(?!\d)\s*|-\s+(?=[^\W\d]))")),
    ("bracket", re.compile(r"\(?(?P<label>\d{1,3})\s?[)/]\s+")),
    ("roman", re.compile(rf"(?P<label>{_ROMAN})\s?[.–-]\s+")),
    ("letter", re.compile(r"(?P<label>[a-z])\s?\)\s*")),
    ("initial", re.compile(r"(?P<label>[a-h])\.\s+")),
    ("bullet", re.compile(r"[-–—+•*]\s*(?!\d)")),
)
Level = str
Path = tuple[tuple[Level, str], ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """The level and label of a mark ("arabic", "3"), and its length in code points."""

    level: Level
    label: str
    length: int


def find_marker(text: str, folded: str) -> Marker | None:
    """The mark at the start of a line; `text` is the line as written, `folded` its folded twin."""
    for level, pattern in _PATTERNS:
        match = pattern.match(folded)
        if match:
            label = match.groupdict().get("label") or ""
            if level in {"letter", "initial"}:
                label = text[match.start("label") : match.end("label")].lower()
            return Marker(level, label.upper() if level == "roman" else label, match.end())
    return None


def advance(path: Path, marker: Marker) -> Path:
    """The numbers in force at a marker: its level replaces the same level and all below it.

    Levels nest in the order in which a document first uses them; a part begins anew, an article as well.
    """
    if marker.level == "bullet":
        return path
    if marker.level == "part":
        return ()
    # A decimal label holds those above it ("1.2" holds "1"), so it takes their place.
    equals = {"arabic", "decimal"} if marker.level in {"arabic", "decimal"} else {marker.level}
    above = takewhile(lambda step: step[0] not in equals, path)
    kept = () if marker.level == "article" else tuple(above)
    return (*kept, (marker.level, marker.label))


def task_number(path: Path) -> str | None:
    """The path as people cite it: "3", "II.2.a"."""
    return ".".join(label for _, label in path) or None
