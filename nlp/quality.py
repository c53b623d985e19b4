"""What is wrong with a text, so that nobody trusts a label more than its text deserves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nlp.legacy import VIETNAMESE_SYLLABLE
from nlp.text import fold
from nlp.types import Document, TextQuality

_LETTER = r"[^\W\d_]"
_SYLLABLE = re.compile(rf"{_LETTER}+")
_MARKED = re.compile("[\u00c0-\u024f\u1ea0-\u1eff]")
_LONGEST_SYLLABLE = 8  # letters; remembered are no longer words, which may tell who wrote them
_MIN_SYLLABLES = 4
_NO_DIACRITICS_SHARE = 0.03  # running Vietnamese marks about 75 % of its syllables
_FOREIGN_SHARE = 0.6
_MAX_SAMPLE = 20_000


@dataclass(frozen=True, slots=True)
class Profile:
    """How a text is written: what tells one stream of texts from another.

    `plain_share`: of its syllables those without any diacritic; `unknown_share`: those that no Vietnamese
    syllable looks like. Both in [0, 1]; 0.0 where there are no syllables.
    """

    n_syllables: int
    plain_share: float
    unknown_share: float


def profile(text: str) -> Profile:
    """How a text is written; of a long one its first 20,000 characters tell."""
    sample = text[:_MAX_SAMPLE]
    words = _SYLLABLE.findall(sample)
    n = len(words)
    if not n:
        return Profile(0, 0.0, 0.0)
    return Profile(n, 1 - _n_marked(words) / n, 1 - _n_known(words) / n)


def assess(doc: Document) -> TextQuality:
    """Name what is wrong with a text; `readable` is False when it holds no words.

    Issues besides those of the reader: `no_diacritics`, `upper_case`, `not_vietnamese`,
    `replacement_characters`, `very_short`.
    """
    sample = doc.text[:_MAX_SAMPLE]
    words = _SYLLABLE.findall(sample)
    if not words:
        return TextQuality(readable=False, issues=(*doc.issues, "no_words"))
    issues = list(doc.issues)
    if "\ufffd" in sample:
        issues.append("replacement_characters")
    if len(words) < _MIN_SYLLABLES:
        issues.append("very_short")
    else:
        issues.extend(_script_issues(sample, words=words))
    return TextQuality(readable=True, issues=tuple(issues))


def _script_issues(sample: str, *, words: Sequence[str]) -> Iterator[str]:
    if _n_known(words) < _FOREIGN_SHARE * len(words):
        yield "not_vietnamese"
    elif _n_marked(words) < _NO_DIACRITICS_SHARE * len(words):
        yield "no_diacritics"
    if sample == sample.upper():
        yield "upper_case"


def _n_marked(words: Sequence[str]) -> int:
    """How many have a letter with a diacritic."""
    return len(list(filter(_MARKED.search, words)))


def _n_known(words: Sequence[str]) -> int:
    """How many look like a syllable of Vietnamese."""
    return sum(map(_looks_vietnamese, [w for w in words if len(w) <= _LONGEST_SYLLABLE]))


@lru_cache(maxsize=1 << 15)
def _looks_vietnamese(word: str) -> bool:
    return VIETNAMESE_SYLLABLE.fullmatch(fold(word)) is not None
