"""Which places and bodies a citizen's text names, as the codes of today.

One walk over the tokens looks up the longest name at each. A name counts behind a word such as "phường".
Without one it counts as a province or a former district when it is no common word or stands in capitals, as a
ward only before the district or province it lies in or behind a word such as "ở"; and never as part of the
name of a street, a building or a person. What it may mean is then narrowed by the address it stands in, by
the districts and provinces of the text, and by what is in force.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nlp.gazetteer import (
    TOKEN,
    BodyName,
    Gazetteer,
    Level,
    MentionKind,
    PlaceWords,
    TypeWord,
    Unit,
    load_gazetteer,
)
from nlp.text import fold, normalise
from nlp.types import Span

__all__ = ["Gazetteer", "Mention", "MentionKind", "find_mentions", "load_gazetteer"]

_RANKS: Mapping[Level, int] = {"province": 0, "district": 1, "commune": 2}
_ADDRESS_GAP = re.compile(r"\s*[,.(–-]?\s*")
_DASHES = frozenset("-–")
_POINTED = frozenset("hxt")  # alone these letters are too much else: "8h", "x 2"
_MIN_MARKS = 0.04  # of the characters; a text with its diacritics has 0.2 to 0.3
_MIN_NAME = 3  # letters of a name that its capitals alone make one
_MAX_WARDS = 24  # a name that may be more ("phường 1") says too little
_AROUND = 3  # tokens of the longest phrase before or behind a name that bears on it


@dataclass(frozen=True, slots=True)
class Mention:
    """A place or body that a text names, with the codes in force today that the name may mean.

    Several codes: the name is ambiguous, or what it names was divided. A former district has all its wards.
    """

    span: Span
    kind: MentionKind
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text in tokens: without diacritics, as written in lower case, where each stands, if it begins large.

    `is_plain`: written without diacritics. `has_case`: capitals tell something.
    """

    source: str
    folded: tuple[str, ...]
    written: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    capitals: tuple[bool, ...]
    is_plain: bool
    has_case: bool

    def phrase(self, start: int, end: int) -> str:
        return " ".join(self.folded[start:end])

    def spelling(self, start: int, end: int) -> str:
        return " ".join(self.written[start:end])

    def span(self, start: int, end: int) -> Span:
        return Span(self.spans[start][0], self.spans[end - 1][1])

    def between(self, end: int, start: int) -> str:
        return self.source[self.spans[end - 1][1] : self.spans[start][0]]

    def ends(self, at: int, longest: Mapping[str, int]) -> Sequence[int]:
        """Where a name that begins at a token may end, the farthest first."""
        n = longest.get(self.folded[at]) if at < len(self.folded) else None
        return range(min(at + n, len(self.folded)), at, -1) if n else ()

    def touches(self, at: int) -> bool:
        """Whether no blank parts a token from the one before it."""
        return at > 0 and self.spans[at - 1][1] == self.spans[at][0]

    def is_behind(self, at: int, phrases: frozenset[str]) -> bool:
        return any(self.spelling(at - n, at) in phrases for n in range(1, min(at, _AROUND) + 1))

    def is_before(self, at: int, phrases: frozenset[str]) -> bool:
        at += self.folded[at : at + 1] == ("(",)
        return any(self.spelling(at, at + n) in phrases for n in range(1, _AROUND))

    def has_capitals(self, start: int, end: int) -> bool:
        return self.has_case and all(self.capitals[start:end])

    def is_part(self, start: int, end: int, names: Mapping[str, tuple[Unit, ...]]) -> bool:
        """Whether capitals right before or behind make a longer name of it ("Thái Bình Dương")."""
        before = " ".join(
            self.folded[max(0, start - 2) : start]
        )  # a first word has its capital anyway
        if (
            before.replace(" ", "").isalpha()
            and " " in before
            and self.has_capitals(start - 1, start)
        ):
            return True
        if (
            end >= len(self.folded)
            or self.source[self.spans[end - 1][1] : self.spans[end][0]] != " "
        ):
            return False
        is_capital = self.folded[end].isalpha() and self.has_capitals(end, end + 1)
        return is_capital and self.phrase(end, end + 2) not in names


@dataclass(frozen=True, slots=True)
class _Draft:
    """A place as found; `first` and `last` count tokens, half-open.

    `word` is the kind that the text names ("phường"), empty where it names none; `is_led`: it stands behind
    "ở" and the like. `wards` and `level` are what the text around it leaves of its units.
    """

    first: int
    last: int
    units: tuple[Unit, ...]
    word: str = ""
    was_former: bool = False
    is_led: bool = False
    level: Level = "commune"
    wards: frozenset[str] = frozenset()


def find_mentions(text: str, *, gazetteer: Gazetteer) -> tuple[Mention, ...]:
    """The places and bodies of a text in reading order; a body and a place may share a word. Expects NFC."""
    read = _tokens(text)
    found = [*_bodies(read, gazetteer=gazetteer)]
    for draft in _narrow([*_places(read, gazetteer=gazetteer)], text=read):
        span = read.span(draft.first, draft.last)
        if draft.level == "province":
            found.append(Mention(span, "province", (draft.units[0].province,)))
        elif len(draft.wards) <= _MAX_WARDS:
            found.append(Mention(span, "ward", tuple(sorted(draft.wards))))
    return tuple(sorted(found, key=lambda mention: (mention.span, mention.kind)))


def _tokens(text: str) -> _Text:
    text = text.replace("’", "'")
    folded, normal = fold(text), normalise(text)
    spans = tuple(match.span() for match in TOKEN.finditer(folded))
    return _Text(
        source=text,
        folded=_without_zeros(folded[start:end] for start, end in spans),
        written=_without_zeros(normal[start:end] for start, end in spans),
        spans=spans,
        capitals=tuple(text[start].isupper() or not text[start].isalpha() for start, _ in spans),
        is_plain=sum(map(str.__ne__, folded, normal)) < _MIN_MARKS * len(text),
        has_case=not text.isupper(),
    )


def _without_zeros(tokens: Iterable[str]) -> tuple[str, ...]:
    """Numbers as names have them: "phường 05" is "phường 5"."""
    return tuple(t.lstrip("0") or t if t[0] == "0" else t for t in tokens)


def _bodies(text: _Text, *, gazetteer: Gazetteer) -> Iterator[Mention]:
    at = 0
    while at < len(text.folded):
        for end in text.ends(at, gazetteer.longest_body):
            names = gazetteer.bodies.get(text.phrase(at, end), ())
            name = next((n for n in names if _is_body(n, at, end, text, gazetteer)), None)
            if name is not None:
                if name.codes:
                    yield Mention(text.span(at, end), "body", name.codes)
                at = end - 1
                break
        at += 1


def _is_body(name: BodyName, at: int, end: int, text: _Text, gazetteer: Gazetteer) -> bool:
    if name.needs_marks if text.is_plain else text.spelling(at, end) != name.spelling:
        return False
    return not name.bare or text.is_behind(at, gazetteer.toward)


def _places(text: _Text, *, gazetteer: Gazetteer) -> Iterator[_Draft]:
    at, last_end, last_other = 0, -1, -1
    while at < len(text.folded):
        if not _may_begin(at, text, gazetteer):
            at += 1
            continue
        draft = _with_word(at, text, gazetteer)
        if draft is None:
            draft = _without_word(at, text, gazetteer)
            if (
                draft is not None
                and last_end != at
                and _is_other(draft, text, gazetteer, last_other)
            ):
                at = last_other = draft.last
                continue
        if draft is None:
            at += 1
            continue
        at = last_end = draft.last
        yield replace(
            draft,
            was_former=text.is_before(at, gazetteer.words.former),
            is_led=text.is_behind(draft.first, gazetteer.words.at),
        )


def _may_begin(at: int, text: _Text, gazetteer: Gazetteer) -> bool:
    token = text.folded[at]
    if token in gazetteer.longest_word or token in gazetteer.longest_high:
        return True
    return text.capitals[at] and token in gazetteer.longest_unit


def _with_word(at: int, text: _Text, gazetteer: Gazetteer) -> _Draft | None:
    """A name behind the word for its kind: "phường Tân Định", "P.5", "q gò vấp"."""
    for start in text.ends(at, gazetteer.longest_word):
        for word in gazetteer.words.words.get(text.phrase(at, start), ()):
            if not text.is_plain and text.spelling(at, start) != word.spelling:
                continue
            is_pointed = text.folded[start : start + 1] in ((".",), (":",))
            first = start + is_pointed
            if len(word.spelling) == 1 and not _is_short(at, first, text, is_pointed=is_pointed):
                continue
            for end in text.ends(first, gazetteer.longest_unit):
                units = gazetteer.units.get(text.phrase(first, end), ())
                units = _of_level(_spelled(units, text.spelling(first, end), text), word)
                if not text.has_capitals(first, end):
                    units = tuple(unit for unit in units if unit.word == word.word)  # "phường chờ"
                if units:
                    return _Draft(at, end, units, word.word)
    return None


def _is_short(at: int, first: int, text: _Text, *, is_pointed: bool) -> bool:
    """Whether a single letter stands for a word: "P.5", "q1", "p Tân Định", but not "8h" or "x 2"."""
    if (text.touches(at) and text.folded[at - 1].isdigit()) or first >= len(text.folded):
        return False
    if text.folded[at] in _POINTED or (at and text.folded[at - 1].isdigit()):
        return is_pointed or (text.folded[at] not in _POINTED and text.touches(first))
    return is_pointed or text.folded[at] != "f" or text.folded[first].isdigit()


def _of_level(units: Sequence[Unit], word: TypeWord) -> tuple[Unit, ...]:
    if word.level != "city":
        return tuple(unit for unit in units if unit.level == word.level)
    cities = tuple(unit for unit in units if unit.level == "province" and unit.is_city)
    return cities or tuple(unit for unit in units if unit.word == word.word)


def _spelled(units: Sequence[Unit], spelling: str, text: _Text) -> Sequence[Unit]:
    exact = [unit for unit in units if unit.spelling == spelling]
    return exact if exact or not (text.is_plain or spelling.isascii()) else units


def _without_word(at: int, text: _Text, gazetteer: Gazetteer) -> _Draft | None:
    """A name that stands for itself: by its capitals, or a province or district that is no common word."""
    may_be_ward = text.has_capitals(at, at + 1)
    for end in text.ends(at, gazetteer.longest_unit if may_be_ward else gazetteer.longest_high):
        phrase, spelling = text.phrase(at, end), text.spelling(at, end)
        units = gazetteer.units.get(phrase, ())
        if units and not text.is_plain:
            units = tuple(unit for unit in units if unit.spelling == spelling)
        if units and (len(phrase) < _MIN_NAME or not text.has_capitals(at, end)):
            units = _without_capitals(units, phrase, spelling, text, gazetteer.words)
        if units:
            return _Draft(at, end, units)
    return None


def _without_capitals(
    units: tuple[Unit, ...], phrase: str, spelling: str, text: _Text, words: PlaceWords
) -> tuple[Unit, ...]:
    common, key = (words.common_plain, phrase) if text.is_plain else (words.common, spelling)
    if key in common or (" " not in key and key not in words.sure):
        return ()
    return tuple(unit for unit in units if unit.level != "commune")


def _is_other(draft: _Draft, text: _Text, gazetteer: Gazetteer, last_other: int) -> bool:
    """Whether a name without a word is that of a street, a building, a person, or a part of a longer name."""
    words, first = gazetteer.words, draft.first
    if text.is_behind(first, words.before | words.persons):
        return not text.is_behind(first, words.exceptions)
    if text.is_behind(first, words.families) and text.has_capitals(first - 1, first):
        return True
    if last_other == first - 1 and text.folded[last_other] in _DASHES:
        return True  # "cao tốc Hà Nội - Hải Phòng"
    if first and text.folded[first - 1].isdigit():
        return all(unit.level != "province" for unit in draft.units)
    return text.has_case and text.is_part(draft.first, draft.last, gazetteer.units)


def _narrow(drafts: list[_Draft], *, text: _Text) -> list[_Draft]:
    """What each name means in its address and beside the other places of the text."""
    districts = _grounds(drafts, level="district")
    provinces = _grounds(drafts, level="province")
    after: _Draft | None = None
    kept: list[_Draft] = []
    for draft in reversed(drafts):
        if after is not None and not _ADDRESS_GAP.fullmatch(text.between(draft.last, after.first)):
            after = None
        found = _read(draft, after=after, around=[g for g in (districts, provinces) if g])
        if found is None:
            continue
        if after is not None and after.level == "district" and found.wards & after.wards:
            kept[-1] = replace(after, wards=found.wards & after.wards)  # one address, one place
        kept.append(found)
        after = found
    return kept[::-1]


def _grounds(drafts: Sequence[_Draft], *, level: Level) -> frozenset[str]:
    """The wards of all places that can only be of a level; of an untold one the highest counts."""
    wards: set[str] = set()
    for draft in drafts:
        ranked = sorted(draft.units, key=lambda unit: (_RANKS[unit.level], not unit.in_force))
        if ranked[0].level == level:
            is_told = draft.word or level == "province"
            units = [unit for unit in ranked if unit.level == level]
            if is_told or len(units) == 1:
                wards.update(*(unit.wards for unit in units))
    return frozenset(wards)


def _read(
    draft: _Draft, *, after: _Draft | None, around: Sequence[frozenset[str]]
) -> _Draft | None:
    """The draft as a province, a district or a commune; None where a name without a word says too little."""
    levels: tuple[Level, ...] = ("province", "district", "commune")
    if not draft.word and after is not None and after.level == "district":
        levels = ("commune", "province", "district")
    for level in levels:
        units = [unit for unit in draft.units if unit.level == level]
        if level == "province" and units:
            units.sort(key=lambda unit: unit.in_force == draft.was_former)
            return replace(draft, units=tuple(units), level=level, wards=units[0].wards)
        is_inside = after is not None and _RANKS[after.level] < _RANKS[level]
        address = [after.wards] if after is not None and is_inside else []
        if wards := _wards(draft, units, address=address, around=around):
            return replace(draft, level=level, wards=wards)
    return None


def _wards(
    draft: _Draft,
    units: Sequence[Unit],
    *,
    address: Sequence[frozenset[str]],
    around: Sequence[frozenset[str]],
) -> frozenset[str]:
    """The wards that units of one level leave, by the narrowest ground that knows the name."""
    pools = _pools(units, draft)
    if not pools:
        return frozenset()
    is_told = bool(draft.word) or draft.is_led or units[0].level == "district"
    for ground in [*address, *around] if is_told else address:
        for pool in pools:
            if wards := _ground(pool) & ground:
                return wards
    is_clear = bool(draft.word) or (is_told and len(units) == 1)
    return _ground(pools[0]) if is_clear else frozenset()


def _ground(units: Sequence[Unit]) -> frozenset[str]:
    return frozenset().union(*(unit.wards for unit in units))


def _pools(units: Sequence[Unit], draft: _Draft) -> list[list[Unit]]:
    """Units in the order of trust: of the kind that the text names, and in force unless it says "cũ"."""
    pools: dict[tuple[bool, bool], list[Unit]] = {}
    for unit in units:
        is_other_kind = bool(draft.word) and unit.word != draft.word
        pools.setdefault((is_other_kind, unit.in_force == draft.was_former), []).append(unit)
    return [pools[key] for key in sorted(pools)]
