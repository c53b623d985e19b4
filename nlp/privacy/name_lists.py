"""The words of `names.toml`, as they are written or folded for texts without diacritics."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from tomllib import loads

from nlp.text import fold

_SYLLABLES = (
    *(
        "frequent",
        "middles",
        "givens",
        "rare",
        "orders",
        "others",
        "plain",
        "after",
        "nicks",
        "sure_nicks",
    ),
    *("persons", "subjects", "word_families", "no_titles", "no_clan", "no_people"),
)


@dataclass(frozen=True, slots=True)
class NameLists:
    """Families, middle and given names, birth orders; and names that are not those of private persons.

    `soft` are the given names that stand for a name without a capital where a title is before them and
    `after` what follows a person, unless `pairs` make another word of it.
    """

    frequent: frozenset[str]
    families: frozenset[str]
    middles: frozenset[str]
    givens: frozenset[str]
    orders: frozenset[str]
    others: frozenset[str]
    plain: frozenset[str]
    streets: frozenset[str]
    common: frozenset[str]
    places: frozenset[str]
    things: frozenset[str]
    soft: frozenset[str]
    pairs: frozenset[str]
    after: frozenset[str]
    nicks: frozenset[str]
    rare: frozenset[str]
    persons: frozenset[str]
    subjects: frozenset[str]
    word_families: frozenset[str]
    no_titles: frozenset[str]
    no_clan: frozenset[str]
    no_people: frozenset[str]
    sure_nicks: frozenset[str]

    def knows(self, syllable: str) -> bool:
        """Whether a syllable is often part of a name."""
        parts = (self.givens, self.families, self.middles, self.orders, self.plain, self.rare)
        return any(syllable in part for part in parts)

    def is_given(self, syllable: str) -> bool:
        """Whether a syllable is a given name, a birth order or a family's."""
        parts = (self.givens, self.rare, self.plain, self.orders, self.families)
        return any(syllable in part for part in parts)


@cache
def name_lists(*, bare: bool) -> NameLists:
    """Read the lists; `bare` folds them."""
    text = files("nlp.privacy").joinpath("names.toml").read_text(encoding="utf-8")
    data: dict[str, str] = loads(fold(text) if bare else text)
    syllables = {name: frozenset(data[name].split()) for name in _SYLLABLES}
    phrases = {
        name: frozenset(re.split(r"\s*[|\n]\s*", data[name].strip()))
        for name in ("streets", "common", "places", "things", "pairs")
    }
    families = syllables["frequent"] | frozenset(data["families"].split())
    return NameLists(families=families, soft=_soft(bare=bare), **syllables, **phrases)


def _soft(*, bare: bool) -> frozenset[str]:
    """The given names that are no common words; without diacritics less frequent names are words too."""
    data: dict[str, str] = loads(
        files("nlp.privacy").joinpath("names.toml").read_text(encoding="utf-8")
    )
    kinds = ("givens", "plain") if bare else ("givens", "plain", "rare")
    soft = {name for kind in kinds for name in data[kind].split()} - {*data["words"].split()}
    if not bare:
        return frozenset(soft)
    return frozenset({fold(name) for name in soft} - {*data["bare_words"].split()})
