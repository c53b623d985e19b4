"""The words of `names.toml`, as they are written or folded for texts without diacritics."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from tomllib import loads

from nlp.text import fold


@dataclass(frozen=True, slots=True)
class NameLists:
    """Families, middle and given names, birth orders; and names that are not those of private persons."""

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

    def knows(self, syllable: str) -> bool:
        """Whether a syllable is often part of a name."""
        parts = (self.givens, self.families, self.middles, self.orders, self.plain)
        return any(syllable in part for part in parts)


@cache
def name_lists(*, bare: bool) -> NameLists:
    """Read the lists; `bare` folds them."""
    text = files("nlp.privacy").joinpath("names.toml").read_text(encoding="utf-8")
    data: dict[str, str] = loads(fold(text) if bare else text)
    syllables = {
        name: frozenset(data[name].split())
        for name in ("frequent", "middles", "givens", "orders", "others", "plain")
    }
    phrases = {
        name: frozenset(re.split(r"\s*[|\n]\s*", data[name].strip()))
        for name in ("streets", "common", "places", "things")
    }
    families = syllables["frequent"] | frozenset(data["families"].split())
    return NameLists(families=families, **syllables, **phrases)
