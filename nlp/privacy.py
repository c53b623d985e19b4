"""What protects citizens: personal data is covered, and what may not be said of their texts is withheld.

Covered: e-mail addresses, Vietnamese telephone numbers, identity numbers, the name of somebody who
introduces himself, house numbers. Not covered yet: other names, lanes, bank accounts, number plates.

Source: Law 91/2025/QH15 on personal data protection.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from nlp.text import fold, lower
from nlp.types import Analysis, CategoryResult, Span

PersonalKind = Literal["email", "phone", "identity_number", "name", "house_number"]
MASK = "•"

_GAP = r"[ .\u00a0-]{0,2}"  # people write 0912.345.678, 0912 345 678 and 09-12-34-56-78
# A number is not cut out of a longer one, nor out of a sum of money such as 1.000.912.345.678.
_ALONE = r"(?<!\d)(?<!\d[.,])"
_PATTERNS: tuple[tuple[PersonalKind, re.Pattern[str]], ...] = (
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64} ?@ ?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")),
    # After 0 or +84: nine digits for a mobile number (ten in the older form 01x, still quoted), ten with
    # a leading 2 for a fixed line. Source: Circular 22/2014/TT-BTTTT, the numbering plan.
    (
        "phone",
        re.compile(
            rf"{_ALONE}(?:\(?\+?84\)?|0084|0|\(0){_GAP}(?:\(?0\)?)?"
            rf"(?:1{_GAP}[2689](?:{_GAP}\d){{8}}|2(?:{_GAP}\)?{_GAP}\d){{9}}|[35789](?:{_GAP}\d){{8}})"
            r"(?!\d)"
        ),
    ),
    # Twelve digits since the citizen's identity number (Law 26/2023/QH15 on identity cards, art. 12).
    ("identity_number", re.compile(rf"{_ALONE}(?:\d{{12}}|0(?:{_GAP}\d){{11}})(?!\d)")),
    # The old card has nine, which alone are too often something else: they need a word before them.
    (
        "identity_number",
        re.compile(
            r"\b(?:cccd|cmnd|cmtnd|cmt|can cuoc|chung minh|dinh danh)(?![^\W\d])[^\d\n]{0,30}"
            rf"(?P<data>\d(?:{_GAP}\d){{11}}|\d(?:{_GAP}\d){{8}})(?!\d)"
        ),
    ),
    (
        "house_number",
        re.compile(r"\b(?:so nha|nha so)\s*:?\s*(?P<data>\d{1,4}[a-z]?(?:[/-]\d{1,4}[a-z]?)*)\b"),
    ),
    (
        "name",
        re.compile(
            r"\b(?:ten (?:toi|em|chau|con|minh|la)(?: la)?|(?:toi|em|chau|con|minh) ten(?: la)?"
            r"|(?:toi|em|chau|con) la|ho (?:va )?ten)\s*:?\s*"
            r"(?P<data>[^\W\d_]{1,12}(?: {1,2}[^\W\d_]{1,12}){0,4})"
        ),
    ),
)
# The family names of nine Vietnamese in ten; they tell a name that is written without capitals.
# Source: Lê Trung Hoa 2005, Họ và tên người Việt Nam.
_FAMILY_NAMES = frozenset(
    (
        "nguyễn", "trần", "lê", "phạm", "hoàng", "huỳnh", "phan", "vũ", "võ", "đặng", "bùi", "đỗ", "hồ",
        "ngô", "dương", "lý", "đinh", "trương", "trịnh", "đoàn", "mai", "cao", "lương", "tạ", "lâm", "đào",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A stretch of text that tells who somebody is."""

    span: Span
    kind: PersonalKind


def find_personal_data(text: str) -> tuple[PersonalData, ...]:
    """Every stretch of personal data, in reading order; stretches may overlap. Expects NFC."""
    folded = fold(text)  # same length; cue words are found with and without diacritics
    found = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(folded):
            span = Span(*match.span("data" if pattern.groups else 0))
            name = _name_in(text, span) if kind == "name" else span
            if name is not None:
                found.append(PersonalData(name, kind))
    return tuple(sorted(found, key=lambda data: (data.span, data.kind)))


def _name_in(text: str, span: Span) -> Span | None:
    """The name at the beginning of a stretch; None when it is none ("tôi là giáo viên").

    Capitals tell it, and where the writer uses none a family name: then four syllables are taken.
    """
    words = [
        Span(span.start + m.start(), span.start + m.end())
        for m in re.finditer(r"\S+", text[span.start : span.end])
    ]
    capitals = [text[word.start].isupper() for word in words]
    n_name = capitals.index(False) if False in capitals else len(words)
    n_name = min(n_name, 4)
    if n_name >= 2 and not text[span.start : words[n_name - 1].end].isupper():
        return Span(span.start, words[n_name - 1].end)
    if _is_family_name(text[words[0].start : words[0].end], among=text[span.start : span.end]):
        return Span(span.start, words[min(4, len(words)) - 1].end)
    return None


def _is_family_name(word: str, *, among: str) -> bool:
    """As written; without its marks only where the whole stretch has none."""
    if among.isascii():
        return lower(word) in {fold(name) for name in _FAMILY_NAMES}
    return lower(word) in _FAMILY_NAMES


def mask(text: str) -> str:
    """The text with personal data covered by `•`, one for one: offsets stay what they were."""
    chars = list(text)
    for data in find_personal_data(text):
        start, end = data.span.start, data.span.end
        chars[start:end] = MASK * (end - start)
    return "".join(chars)


def withhold(analysis: Analysis, *, codes: Collection[str]) -> Analysis:
    """The Analysis of a citizen's text without task areas that may only be said of official ones.

    A model that never predicts them leaves nothing to do here; this holds for any other.
    """
    area = analysis.task_area
    labels = tuple(label for label in area.labels if label.code not in codes)
    decision = "abstain" if area.labels and not labels else area.decision
    guess = None if area.guess is not None and area.guess.code in codes else area.guess
    return replace(
        analysis,
        task_area=CategoryResult(decision, labels[0].code if labels else None, guess, labels),
        segments=tuple(
            replace(segment, task_area=tuple(c for c in segment.task_area if c not in codes))
            for segment in analysis.segments
        ),
    )
