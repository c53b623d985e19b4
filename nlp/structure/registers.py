"""The dated registers of the official form: kinds, bodies, titles, places, laws, words of duty.

They are data (`corpus/registers/*.toml`); this file only reads and checks them.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from nlp.errors import CorpusError
from nlp.text import fold, lower, normalise

Level = Literal["central", "province", "district", "commune", "any"]
Side = Literal["party", "state", "assembly", "front"]
Row = TypeVar("Row", bound="Kind | Issuer | Place")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document with its symbols in the two systems.

    `duties`: documents of this kind order tasks. `by_symbol`: only the symbol tells it, the title being that of the
    document it consolidates. `valid_from` is inclusive, `valid_to` exclusive.
    """

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

    def holds(self, written: str) -> bool:
        """Whether a matched stretch, as written, is one of the phrases."""
        shown = " ".join(normalise(written).split())
        return shown in self.spellings or shown == fold(shown)


@dataclass(frozen=True, slots=True)
class DutyWords:
    """Words by which a duty is read: who acts, what ends the subject, names holding a verb, headings of background."""

    actors: Words
    verbs: Words
    names: Words
    background: Words


@dataclass(frozen=True, slots=True)
class Registers:
    """All registers, with the patterns made of them (they match folded text)."""

    kinds: tuple[Kind, ...]
    issuers: tuple[Issuer, ...]
    places: tuple[Place, ...]
    laws: Mapping[str, tuple[int, ...]]
    symbols: Mapping[str, str]
    kind_named: Mapping[str, Kind]
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
    kinds = _rows(Kind, _read(folder / "kinds.toml"), key="kind")
    bodies = _read(folder / "issuers.toml")
    issuers = _rows(Issuer, bodies, key="issuer")
    places = _rows(Place, _read(folder / "places.toml"), key="place")
    titles = _read(folder / "titles.toml")
    laws = _read(folder / "laws.toml")["laws"]
    _check_successors([*issuers, *places])
    proper = [p.name for p in places] + [i.name for i in issuers] + bodies["fields"] + titles["heads"]
    kind_names = phrases(kind.name for kind in kinds)
    heads = phrases([*bodies["heads"], *(issuer.name for issuer in issuers)])
    title_names = phrases(titles["heads"])
    delegation = _delegations(titles["delegations"])
    return Registers(
        kinds=kinds,
        issuers=issuers,
        places=places,
        laws={fold(name): tuple(years) for name, years in laws.items()},
        symbols=_symbols(kinds, issuers),
        kind_named={fold(kind.name): kind for kind in kinds},
        spellings=tuple(sorted({(fold(n), n) for n in proper}, key=lambda pair: len(pair[0]))),
        duty_words=_duty_words(_read(folder / "duties.toml")),
        kind_pattern=re.compile(kind_names),
        kind_line=re.compile(rf"^[ ]*(?P<kind>{kind_names})[ ]*(?P<rest>[^\n]*)$", re.MULTILINE),
        authority_pattern=re.compile(phrases(i.name for i in issuers if not i.within)),
        issuer_head=re.compile(heads),
        place_pattern=re.compile(phrases(place.name for place in places)),
        title_pattern=re.compile(title_names),
        delegation_pattern=re.compile(delegation),
        signature_pattern=re.compile(rf"{delegation}(?={title_names}|{heads}|$)|{title_names}"),
        rank_pattern=re.compile(rf"(?:{phrases(titles['ranks'])}\.?\s*)+"),
        signed_pattern=re.compile(rf"[(\[]?\s*{phrases(titles['signed'])}\s*[)\]]?"),
    )


def spell(name: str, *, registers: Registers) -> str:
    """Write a name set in one case as it is written in running text, by the registers.

    "ỦY BAN NHÂN DÂN TỈNH PHÚ THỌ" becomes "Ủy ban nhân dân tỉnh Phú Thọ". Names in mixed case stay as they are.
    """
    if not (name.isupper() or name.islower()):
        return name
    folded, letters = fold(name), list(lower(name))
    for phrase, spelling in registers.spellings:
        for match in re.finditer(rf"(?<!\w){re.escape(phrase)}(?!\w)", folded):
            for offset, char in enumerate(spelling):
                if char.isupper():
                    at = match.start() + offset
                    letters[at] = letters[at].upper()
    letters[0] = letters[0].upper()
    return "".join(letters)


def _read(path: Path) -> dict[str, Any]:  # Any: TOML values, checked where they are used
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"register {path.name} cannot be read: {error}") from error


def _rows(row: type[Row], data: Mapping[str, Any], *, key: str) -> tuple[Row, ...]:
    known = {field.name for field in fields(row)}
    made = []
    for number, entry in enumerate(data.get(key, []), start=1):
        if "name" not in entry or not set(entry) <= known:
            raise CorpusError(f"register row {key} {number} lacks a name or has an unknown field: {sorted(entry)}")
        made.append(row(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}))
    return tuple(made)


def _check_successors(rows: Iterable[Issuer | Place]) -> None:
    rows = list(rows)
    names = {row.name for row in rows}
    for row in rows:
        if row.successor is not None and row.successor not in names:
            raise CorpusError(f"register row {row.name} names an unknown successor {row.successor}")


def _symbols(kinds: Iterable[Kind], issuers: Iterable[Issuer]) -> dict[str, str]:
    """Each part of a symbol in lower case, with its right spelling ("ttg" is "TTg")."""
    parts = [s for kind in kinds for s in (*kind.state, *kind.party)]
    parts += [issuer.abbreviation for issuer in issuers if issuer.abbreviation]
    return {lower(part): part for part in parts}


def _delegations(marks: Iterable[str]) -> str:
    """"TM.", "T/M", "T.M", "KT", "K/T." and so on at the start of a title; a bare "Q" needs its point."""
    forms = [r"[./]?\s?".join(fold(mark)) for mark in marks if len(mark) > 1]
    single = [rf"{fold(mark)}\." for mark in marks if len(mark) == 1]
    return rf"(?<![\w/])(?:(?:{'|'.join(forms)})(?:[./]|(?!\w))|{'|'.join(single)})\s*"


def _duty_words(data: Mapping[str, Any]) -> DutyWords:
    return DutyWords(
        **{
            name: Words(re.compile(phrases(words)), frozenset(normalise(word) for word in words))
            for name, words in data.items()
        }
    )
