"""Which syllables Vietnamese really has: what tells a read text from a broken one.

Source: Viet74K (Hồ Ngọc Đức's word list, 9,065 syllables), as shipped in the underthesea package.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from nlp.text import fold, normalise, to_nfc

_LIST = Path("corpus", "data", "Viet74K.txt")
_LETTERS = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile(r"[aeiouy]")


def is_syllable(word: str) -> bool:
    """Whether a word of letters is a syllable of Vietnamese, whatever its case and tone placement."""
    return normalise(word) in _syllables()


def known_share(text: str) -> tuple[float, int]:
    """The share of the words of a text that are syllables of Vietnamese, in [0, 1], and their number.

    About 0.98 for running official text, 0.3 for a PDF without a usable font, 0.2 for TCVN3 taken for
    Unicode; 0.0 of no words.
    """
    words = _LETTERS.findall(normalise(text))
    known = sum(word in _syllables() for word in words)
    return (known / len(words) if words else 0.0), len(words)


@cache
def _syllables() -> frozenset[str]:
    found = find_spec("underthesea")  # its list alone: importing it takes 0.3 s
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("underthesea is not installed; pip install danvan again")
    path = Path(found.submodule_search_locations[0]) / _LIST
    words = set(_LETTERS.findall(normalise(to_nfc(path.read_text(encoding="utf-8")))))
    # the list has single letters, too
    return frozenset(word for word in words if _VOWEL.search(fold(word)))
