"""The register of places and bodies, made ready to be found in what citizens write.

Names are kept by their tokens without diacritics; each knows its spelling, so that a text that has diacritics
is held to them. What stood before 2025-07-01 (63 provinces, districts, 10,000 wards) leads to the wards of
today.

Source: the registers of `corpus/registers`; where their facts come from is said in `NOTICE-places.txt` there.
"""

import csv
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nlp.errors import CorpusError
from nlp.structure.registers import Issuer, Place, load_issuers, load_places
from nlp.text import fold, normalise

Level = Literal["province", "district", "commune"]
WordLevel = Literal["province", "city", "district", "commune"]
MentionKind = Literal["province", "ward", "body"]
_STRICT = ConfigDict(extra="forbid")
_SET = re.compile(r"\{(\w+)\}")
_LONG_WORDS = ("Thị ", "Đặc ", "Thành ")  # the words for a unit that have two syllables
# Letters and digits apart ("P5", "Q.1"); each other sign is a token, so that names do not run across it.
TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit under one of its names.

    `spelling` is the name in tokens with diacritics, in lower case; `word` the kind in its full name
    ("phường"). `wards` are the wards of today on its ground, `province` is the one they lie in.
    """

    spelling: str
    word: str
    level: Level
    wards: frozenset[str]
    province: str
    is_city: bool = False
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class BodyName:
    """What citizens call a body; no codes: what only looks like one ("một cửa hàng").

    A `bare` name counts only behind a word that leads to a body; one that `needs_marks` not in a text without
    diacritics ("cả xã", "ca xã").
    """

    spelling: str
    codes: tuple[str, ...]
    bare: bool = False
    needs_marks: bool = False


@dataclass(frozen=True, slots=True)
class TypeWord:
    """A word before a name, as written ("p") and in full ("phường")."""

    spelling: str
    word: str
    level: WordLevel


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """The words around names, all in lower case with diacritics, tokens joined by blanks."""

    words: Mapping[str, tuple[TypeWord, ...]]  # by their folded form
    common: frozenset[str]
    common_plain: frozenset[str]
    sure: frozenset[str]
    at: frozenset[str]
    before: frozenset[str]
    persons: frozenset[str]
    families: frozenset[str]
    exceptions: frozenset[str]
    former: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All names by their folded tokens, joined by blanks.

    Each `longest` has the number of tokens of the longest name by its first token; `longest_high` is of
    provinces and districts alone.
    """

    units: Mapping[str, tuple[Unit, ...]]
    bodies: Mapping[str, tuple[BodyName, ...]]
    longest_unit: Mapping[str, int]
    longest_high: Mapping[str, int]
    longest_word: Mapping[str, int]
    longest_body: Mapping[str, int]
    words: PlaceWords
    toward: frozenset[str]
    names: Mapping[tuple[MentionKind, str], str]
    provinces: Mapping[str, str]

    def name_of(self, kind: MentionKind, code: str) -> str:
        """The full name today: "Phường Ba Đình", "Thành phố Hà Nội", "Công an cấp xã".

        Raises:
            KeyError: no place or body in force has the code.
        """
        return self.names[kind, code]

    def province_of(self, ward: str) -> str:
        """The code of the province that a ward of today lies in.

        Raises:
            KeyError: no ward in force has the code.
        """
        return self.provinces[ward]


def joined(text: str) -> str:
    """The tokens of a text with one blank between them."""
    return " ".join(TOKEN.findall(text.replace("’", "'")))


@cache
def load_gazetteer(folder: Path) -> Gazetteer:
    """Read the registers of places and bodies; some 0.2 s and 17 MB.

    Raises:
        CorpusError: a register is missing or malformed, or names a code or successor that is not there.
    """
    places, issuers = load_places(folder), load_issuers(folder)
    words = _read(_WordFile, folder / "place_words.toml")
    bodies = _read(_BodyFile, folder / "bodies.toml")
    wards = _rows(folder / "wards.tsv", columns=("code", "province", "name"))
    former = _rows(folder / "former_wards.tsv", columns=("province", "district", "name", "codes"))
    provinces = {row["code"]: row["province"] for row in wards}
    if unknown := {c for row in former for c in row["codes"].split()} - set(provinces):
        raise CorpusError(f"former_wards.tsv leads to unknown wards {sorted(unknown)}; mend it")
    units = _index(_units(wards, former, places=places, words=words))
    found = _Bodies(issuers, bodies)
    names: dict[tuple[MentionKind, str], str] = {
        ("ward", row["code"]): row["name"] for row in wards
    }
    for place in places:
        if place.code is not None:
            names["province", place.code] = f"{place.kind.capitalize()} {place.name}"
    names |= {("body", code): name for code, name in found.in_force()}
    aliases, around = _index(found.names()), _words(words)
    return Gazetteer(
        units=units,
        bodies=aliases,
        longest_unit=_longest(units),
        longest_high=_longest(n for n, us in units.items() if any(_is_high(u) for u in us)),
        longest_word=_longest(around.words),
        longest_body=_longest(aliases),
        words=around,
        toward=_both(bodies.toward),
        names=names,
        provinces=provinces,
    )


class _File(BaseModel):
    model_config = _STRICT


class _Body(_File):
    name: str
    alias: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    valid_to: date | None = None
    successors: tuple[str, ...] = ()


class _BodyFile(_File):
    toward: tuple[str, ...]
    never: tuple[str, ...]
    marked: tuple[str, ...]
    sets: dict[str, tuple[str, ...]]
    body: tuple[_Body, ...]

    def expand(self, aliases: Iterable[str]) -> Iterator[str]:
        """Each alias with every word of the sets it names."""
        for alias in aliases:
            parts = _SET.split(alias)
            choices = [self.sets[p] if i % 2 else (p,) for i, p in enumerate(parts)]
            yield from ("".join(chosen) for chosen in product(*choices))


class _Rules(_File):
    common: tuple[str, ...]
    common_plain: tuple[str, ...]
    sure: tuple[str, ...]
    at: tuple[str, ...]
    before: tuple[str, ...]
    persons: tuple[str, ...]
    families: tuple[str, ...]
    exceptions: tuple[str, ...]
    former: tuple[str, ...]


class _WordFile(_File):
    words: dict[WordLevel, dict[str, tuple[str, ...]]]
    names: dict[str, tuple[str, ...]]
    district_names: dict[str, tuple[str, ...]]
    rules: _Rules


_Model = TypeVar("_Model", bound=_File)
_Named = TypeVar("_Named", Unit, BodyName, TypeWord)


def _read(model: type[_Model], path: Path) -> _Model:
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise CorpusError(f"register {path.name} cannot be read: {error}") from error


def _rows(path: Path, *, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except OSError as error:
        raise CorpusError(f"register {path.name} cannot be read: {error}") from error
    if not rows or tuple(rows[0]) != columns or None in rows[-1].values():
        raise CorpusError(f"register {path.name} has other columns than {', '.join(columns)}")
    return rows


def _units(
    wards: Iterable[Mapping[str, str]],
    former: Iterable[Mapping[str, str]],
    *,
    places: Iterable[Place],
    words: _WordFile,
) -> Iterator[Unit]:
    now: dict[str, set[str]] = defaultdict(set)
    for row in wards:
        now[row["province"]].add(row["code"])
        yield from _named(row["name"], {row["code"]}, row["province"], in_force=True)
    codes = {place.name: place.code for place in places if place.code is not None}
    today = {p.name: codes[p.successor] for p in places if p.successor in codes} | codes
    districts: dict[tuple[str, str], set[str]] = defaultdict(set)
    before: dict[str, set[str]] = defaultdict(set)
    for row in former:
        successors = set(row["codes"].split())
        districts[row["province"], row["district"]] |= successors
        before[row["province"]] |= successors
        if row["name"]:
            yield from _named(row["name"], successors, today[row["province"]])
    for (province, district), successors in districts.items():
        others = words.district_names.get(district, ())
        yield from _named(district, successors, today[province], others=others, level="district")
    for place in {(p.name, p.kind): p for p in places}.values():
        code = today[place.name]
        yield from _province(place, code, now[code] if place.code else before[place.name], words)


def _named(
    full: str,
    wards: set[str],
    province: str,
    *,
    others: Iterable[str] = (),
    level: Level = "commune",
    in_force: bool = False,
) -> Iterator[Unit]:
    """A unit under its name and its other names; of "Xuân Hương - Đà Lạt" the first part alone will do."""
    n_word = 2 if full.startswith(_LONG_WORDS) else 1
    word, name = (normalise(" ".join(s)) for s in (full.split()[:n_word], full.split()[n_word:]))
    ground = frozenset(wards)
    spellings = [name, *(normalise(other) for other in others)]
    if " - " in name:
        spellings += [name.replace(" - ", " "), name.partition(" - ")[0]]
    for spelling in spellings:
        yield Unit(joined(spelling), word, level, ground, province, in_force=in_force)


def _province(place: Place, code: str, wards: set[str], words: _WordFile) -> Iterator[Unit]:
    unit = Unit(
        "", place.kind, "province", frozenset(wards), code,
        is_city=place.kind == "thành phố", in_force=place.code is not None,
    )  # fmt: skip
    for spelling in (place.name, *words.names.get(place.name, ())):
        yield replace(unit, spelling=joined(normalise(spelling)))


def _index(named: Iterable[_Named]) -> dict[str, tuple[_Named, ...]]:
    found: dict[str, list[_Named]] = defaultdict(list)
    for one in named:
        found[fold(one.spelling)].append(one)
    return {phrase: tuple(units) for phrase, units in found.items()}


def _is_high(unit: Unit) -> bool:
    return unit.level != "commune"


def _longest(phrases: Iterable[str]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for phrase in phrases:
        tokens = phrase.split()
        longest[tokens[0]] = max(longest.get(tokens[0], 0), len(tokens))
    return longest


class _Bodies:
    """Rows of both registers by name: bodies that issue documents, and kinds of body."""

    def __init__(self, issuers: Iterable[Issuer], file: _BodyFile) -> None:
        """Join the rows and check their successors."""
        self.never = [*file.expand(file.never)]
        self.marked = {normalise(alias) for alias in file.expand(file.marked)}
        self.aliases: dict[str, set[str]] = {}
        self.bare: dict[str, set[str]] = {}
        self.successors: dict[str, tuple[str, ...]] = {}
        for issuer in issuers:
            is_common = issuer.within and issuer.successor is None  # "Ban Tổ chức" of any feast
            self.aliases[issuer.name] = set() if is_common else {normalise(issuer.name)}
            self.successors[issuer.name] = (issuer.successor,) if issuer.successor else ()
        for body in file.body:
            aliases = {normalise(alias) for alias in file.expand(body.alias)}
            for others in self.aliases.values():
                others -= aliases
            self.aliases.setdefault(body.name, set()).update(aliases)
            self.bare[body.name] = {normalise(alias) for alias in body.bare}
            self.successors[body.name] = body.successors or self.successors.get(body.name, ())
        for name, successors in self.successors.items():
            if unknown := set(successors) - set(self.successors):
                raise CorpusError(f"body {name} has unknown successors {sorted(unknown)}; add rows")

    def in_force(self) -> Iterator[tuple[str, str]]:
        """Code and name of each body that nobody took over."""
        return ((_slug(name), name) for name, after in self.successors.items() if not after)

    def names(self) -> Iterator[BodyName]:
        """Every alias with the bodies of today that it means."""
        for name, aliases in self.aliases.items():
            codes = tuple(sorted(self._codes(name)))
            for alias in sorted(aliases):
                yield BodyName(joined(alias), codes, needs_marks=alias in self.marked)
            bare = sorted(self.bare.get(name, ()))
            yield from (BodyName(joined(alias), codes, bare=True) for alias in bare)
        yield from (BodyName(joined(normalise(phrase)), ()) for phrase in self.never)

    def _codes(self, name: str) -> set[str]:
        after = self.successors[name]
        return {code for one in after for code in self._codes(one)} if after else {_slug(name)}


def _slug(name: str) -> str:
    return "-".join(re.findall(r"\w+", fold(name)))


def _words(file: _WordFile) -> PlaceWords:
    words = _index(
        TypeWord(joined(normalise(spelling)), word, level)
        for level, table in file.words.items()
        for word, short in table.items()
        for spelling in (word, *short)
    )
    around = {name: _both(given) for name, given in file.rules}
    around["common_plain"] |= around["common"]
    around["sure"] = frozenset(file.rules.sure)  # "huế" is a place, "hue" may be "huề"
    return PlaceWords(words=words, **around)


def _both(words: Iterable[str]) -> frozenset[str]:
    """Words as they stand in text with and without diacritics."""
    written = {joined(normalise(word)) for word in words}
    return frozenset(written | {fold(word) for word in written})
