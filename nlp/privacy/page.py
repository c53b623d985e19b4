"""A text as the finders read it: copies of the same length, so that offsets carry over."""

import re
from dataclasses import dataclass

from nlp.privacy.spoken import may_be_dictated, read_dictated, read_digits
from nlp.text import fold, lower

_MARKED = re.compile(r"[\u00c0-\u1eff]")


@dataclass(frozen=True, slots=True)
class Page:
    """A text in NFC and its copies.

    `bare` tells that the writer leaves diacritics out ("nam" may be năm): then `low` is folded. `low` is in
    lower case, `folded` has no diacritics; in `digits` and `folded_digits` disguised digits are digits;
    `dictated` is `folded_digits` where the digits may be further apart, or glued together.
    """

    text: str
    bare: bool
    low: str
    folded: str
    digits: str
    folded_digits: str
    dictated: str


def read_page(text: str) -> Page:
    """Make the copies. A word or two with diacritics may be among the others of a bare text."""
    low, folded = lower(text), fold(text)
    bare = len(_MARKED.findall(low)) * 40 < len(low)
    if bare:
        low = folded
    digits = read_digits(low, bare=bare)
    folded_digits = folded if digits is low else fold(digits)
    dictated = folded_digits
    if may_be_dictated(low, digits):
        dictated = fold(read_dictated(low, bare=bare))
    return Page(text, bare, low, folded, digits, folded_digits, dictated)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A pattern with diacritics, and its twin without."""

    marked: re.Pattern[str]
    bare: re.Pattern[str]

    def fitting(self, page: Page) -> re.Pattern[str]:
        """The one for `page.low` and `page.digits`."""
        return self.bare if page.bare else self.marked


def spelled(pattern: str) -> Spelled:
    """Compile a pattern written with diacritics; its own signs are ASCII, so that folding keeps them."""
    bare = "".join(char if char.isascii() else fold(char) for char in pattern)
    return Spelled(re.compile(pattern), re.compile(bare))
