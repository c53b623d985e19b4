"""The dated registers of the official form: kinds, bodies, titles, places, laws, words of duty.

They are data (`corpus/registers/*.toml`); this file only reads and checks them.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nlp.errors import CorpusError
from nlp.text import fold, lower, normalise

Level = Literal["central", "province", "district", "commune", "any"]
Side = Literal["party", "state", "assembly", "front"]
VOWELS = frozenset("aeiouy")  # every Vietnamese word has one, few abbreviations do
_LONG_SYMBOL = 4  # letters; a shorter symbol may be a word ("TU")
# Behind the kind of an area stands its name; "xã hội", "tỉnh đoàn", "quân khu" only look like one.
_AREA_KIND = (
    r"(?<!\w)(?:(?:tỉnh|thành|quận|huyện|thị) ủy|thị xã|thị trấn|đặc khu|thành phố"
    r"|phường|xã|quận|huyện|tỉnh)(?! (?:hội|ủy|đoàn|khu)(?!\w))(?!\w)"
)
_MARKED_AREA, _PLAIN_AREA = (
    re.compile(rf"(?P<kind>{kind})(?: (?P<name>(?!{kind})\w+(?: (?!{kind})\w+){{0,3}}))?")
    for kind in (_AREA_KIND, fold(_AREA_KIND))
)
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document with its symbols in the two systems.

    `duties`: documents of this kind order tasks. `by_symbol`: only the symbol tells it, the title being
    that of the document it consolidates. `valid_from` is inclusive, `valid_to` exclusive.
    """

    __pydantic_config__ = _STRICT
    name: str
    state: tuple[str, ...] = ()
    party: tuple[str, ...] = ()
    duties: bool = False
    by_symbol: bool = False
    sources: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """A body that issues documents; `of_place` and `within` say what completes its name."""

    __pydantic_config__ = _STRICT
    name: str
    level: Level
    side: Side
    abbreviation: str | None = None
    of_place: bool = False
    within: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A province or centrally run city over one stretch of time."""

    __pydantic_config__ = _STRICT
    name: str
    kind: Literal["tỉnh", "thành phố"]
    code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Phrases to find in folded text; `spellings` tells "báo" from "bảo" where the text has diacritics."""

    pattern: re.Pattern[str]
    spellings: frozenset[str]

    def holds(self, written: str, *, is_marked: bool) -> bool:
        """Whether a matched stretch, as written, is one of the phrases; without diacritics any match is."""
        return not is_marked or " ".join(normalise(written).split()) in self.spellings


@dataclass(frozen=True, slots=True)
class DutyWords:
    """Words by which a duty is read.

    `actors` may begin its subject and `verbs` end it; `names` hold a verb without being an order;
    `background` heads a part that orders nothing. `areas`, with a proper name, and `closed` end the name of a
    body, unless `goes_on` follows.
    """

    actors: Words
    verbs: Words
    names: Words
    areas: Words
    closed: Words
    goes_on: Words
    background: Words


@dataclass(frozen=True, slots=True)
class Registers:
    """All registers, with what is made of them to read folded text.

    `laws` has the versions of each law by its folded name, year to number ("" unknown), `symbols` the
    spelling of each part of a symbol in lower case, `bodies` each issuer by its folded names and
    abbreviations, `spellings` each proper name by its folded form.
    """

    kinds: tuple[Kind, ...]
    issuers: tuple[Issuer, ...]
    places: tuple[Place, ...]
    laws: Mapping[str, Mapping[int, str]]
    symbols: Mapping[str, str]
    kind_named: Mapping[str, Kind]
    bodies: tuple[tuple[str, Issuer], ...]
    spellings: tuple[tuple[str, str], ...]
    duty_words: DutyWords
    kind_pattern: re.Pattern[str]
    kind_line: re.Pattern[str]
    authority_pattern: re.Pattern[str]
    issuer_head: re.Pattern[str]
    place_pattern: re.Pattern[str]
    title_pattern: re.Pattern[str]
    delegation_pattern: re.Pattern[str]
    signature_pattern: re.Pattern[str]
    rank_pattern: re.Pattern[str]
    signed_pattern: re.Pattern[str]


def phrases(words: Iterable[str]) -> str:
    """A pattern that matches any of the phrases in folded text, the longest first, across line breaks."""
    folded = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    joined = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in folded)
    return rf"(?<!\w)(?:{joined})(?!\w)"


def load_registers(folder: Path) -> Registers:
    """Read the registers of a folder.

    Raises:
        CorpusError: a file is missing or malformed, or a row names an unknown field or successor.
    """
    kinds = _read(_KindFile, folder / "kinds.toml").kind
    bodies = _read(_IssuerFile, folder / "issuers.toml")
    issuers = bodies.issuer
    places = load_places(folder)
    titles = _read(_TitleFile, folder / "titles.toml")
    laws = _read(_LawFile, folder / "laws.toml").laws
    _check_successors(issuers)
    proper = {*bodies.fields, *titles.heads, *(p.name for p in places), *(i.name for i in issuers)}
    kind_names = phrases(kind.name for kind in kinds)
    heads = phrases([*bodies.heads, *(issuer.name for issuer in issuers)])
    title_names = rf"(?<!doan ){phrases(titles.heads)}"  # "Đoàn Chủ tịch" is a body
    delegation = _delegations(titles.delegations)
    return Registers(
        kinds=kinds,
        issuers=issuers,
        places=places,
        laws={fold(name): versions for name, versions in laws.items()},
        symbols=_symbols(kinds, issuers),
        kind_named={fold(kind.name): kind for kind in kinds},
        bodies=tuple((fold(n), i) for i in issuers for n in (i.name, i.abbreviation) if n),
        spellings=tuple(sorted(((fold(name), name) for name in proper), key=_by_length)),
        duty_words=_duty_words(_read(_DutyFile, folder / "duties.toml")),
        kind_pattern=re.compile(kind_names),
        kind_line=re.compile(rf"^[ ]*(?P<kind>{kind_names})[ ]*(?P<rest>[^\n]*)$", re.MULTILINE),
        authority_pattern=re.compile(phrases(i.name for i in issuers if not i.within)),
        issuer_head=re.compile(heads),
        place_pattern=re.compile(phrases(place.name for place in places)),
        title_pattern=re.compile(title_names),
        delegation_pattern=re.compile(delegation),
        signature_pattern=re.compile(rf"{delegation}(?={title_names}|{heads}|$)|{title_names}"),
        rank_pattern=re.compile(rf"(?:{phrases(titles.ranks)}\.?\s*)+"),
        signed_pattern=re.compile(rf"[(\[]?\s*{phrases(titles.signed)}\s*[)\]]?"),
    )


def load_places(folder: Path) -> tuple[Place, ...]:
    """The provinces and centrally run cities of a folder, each over its stretches of time.

    Raises:
        CorpusError: as `load_registers`.
    """
    places = _read(_PlaceFile, folder / "places.toml").place
    _check_successors(places)
    return places


def load_issuers(folder: Path) -> tuple[Issuer, ...]:
    """The bodies that issue documents.

    Raises:
        CorpusError: as `load_registers`.
    """
    issuers = _read(_IssuerFile, folder / "issuers.toml").issuer
    _check_successors(issuers)
    return issuers


def spell(name: str, *, registers: Registers) -> str:
    """Write a name set in one case as it is written in running text, by the registers.

    "ỦY BAN NHÂN DÂN TỈNH PHÚ THỌ" becomes "Ủy ban nhân dân tỉnh Phú Thọ". Names in mixed case stay.
    """
    if not (name.isupper() or name.islower()):
        return name
    folded = fold(name)
    joint = (m.end() for m in re.finditer(" - ", folded))  # "SỞ Y TẾ - SỞ NỘI VỤ"
    capitals = {0} | {at for at in joint if registers.issuer_head.match(folded, at)}
    capitals |= _capitals_of_words(name, symbols=registers.symbols)
    for phrase, spelling in registers.spellings:
        if phrase in folded:
            upper = [i for i, char in enumerate(spelling) if char.isupper()]
            found = re.finditer(rf"(?<!\w){re.escape(phrase)}(?!\w)", folded)
            capitals |= {match.start() + i for match in found for i in upper}
    return "".join(c.upper() if i in capitals else c for i, c in enumerate(lower(name)))


def find_areas(name: str) -> list[re.Match[str]]:
    """The areas that a body's name holds: groups `kind` and `name` in lower case, the name may be None.

    Diacritics, where the name has them, tell "quận" from "quan" in "cơ quan".
    """
    is_marked = fold(name) != lower(name)
    return list((_MARKED_AREA if is_marked else _PLAIN_AREA).finditer(normalise(name)))


def _capitals_of_words(name: str, *, symbols: Mapping[str, str]) -> set[int]:
    """Where capitals stand by the form of the words: abbreviations and the names of areas."""
    folded = fold(name)
    areas = [area.span("name") for area in find_areas(name) if area["name"]]
    capitals: set[int] = set()
    for word in re.finditer(r"\w+", folded):
        is_symbol = len(word[0]) >= _LONG_SYMBOL and word[0] in symbols
        if is_symbol or not set(word[0]) & VOWELS:
            capitals |= set(range(*word.span()))
        elif any(start <= word.start() < end for start, end in areas):
            capitals.add(word.start())
    return capitals


class _File(BaseModel):
    model_config = _STRICT


class _KindFile(_File):
    kind: tuple[Kind, ...]


class _IssuerFile(_File):
    heads: tuple[str, ...]
    fields: tuple[str, ...]
    issuer: tuple[Issuer, ...]


class _PlaceFile(_File):
    place: tuple[Place, ...]


class _TitleFile(_File):
    delegations: tuple[str, ...]
    heads: tuple[str, ...]
    ranks: tuple[str, ...]
    signed: tuple[str, ...]


class _LawFile(_File):
    laws: dict[str, dict[int, str]]


class _DutyFile(_File):
    actors: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    areas: tuple[str, ...]
    closed: tuple[str, ...]
    goes_on: tuple[str, ...]
    background: tuple[str, ...]


_Model = TypeVar("_Model", bound=_File)


def _read(model: type[_Model], path: Path) -> _Model:
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise CorpusError(f"register {path.name} cannot be read: {error}") from error


def _check_successors(rows: Iterable[Issuer | Place]) -> None:
    rows = list(rows)
    names = {row.name for row in rows}
    for row in rows:
        if row.successor is not None and row.successor not in names:
            raise CorpusError(
                f"register row {row.name} names an unknown successor {row.successor}; add its row"
            )


def _by_length(pair: tuple[str, str]) -> tuple[int, str]:
    return len(pair[0]), pair[0]


def _symbols(kinds: Iterable[Kind], issuers: Iterable[Issuer]) -> dict[str, str]:
    """Each part of a symbol in lower case, with its right spelling ("ttg" is "TTg")."""
    parts = [s for kind in kinds for s in (*kind.state, *kind.party)]
    parts += [issuer.abbreviation for issuer in issuers if issuer.abbreviation]
    return {lower(part): part for part in parts}


def _delegations(marks: Iterable[str]) -> str:
    """A pattern for "TM.", "T/M", "KT", "K/T." and so on; a mark of one letter needs its point."""
    long = "|".join(r"[./]?\s?".join(fold(mark)) for mark in marks if len(mark) > 1)
    short = "|".join(rf"{fold(mark)}\." for mark in marks if len(mark) == 1)
    return rf"(?<![\w/])(?:(?:{long})(?:[./]|(?!\w))|{short})\s*"


def _duty_words(data: _DutyFile) -> DutyWords:
    return DutyWords(**{name: _words(getattr(data, name)) for name in type(data).model_fields})


def _words(given: Iterable[str]) -> Words:
    given = tuple(given)
    return Words(re.compile(phrases(given)), frozenset(normalise(word) for word in given))
