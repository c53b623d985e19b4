"""What is wrong with a text, so that nobody trusts a label more than its text deserves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.legacy import VIETNAMESE_SYLLABLE
from nlp.text import fold
from nlp.types import Document, TextQuality

_LETTER = r"[^\W\d_]"
_SYLLABLE = re.compile(rf"{_LETTER}+")
_MARKED = re.compile(rf"(?<!{_LETTER}){_LETTER}*[\u00c0-\u024f\u1ea0-\u1eff]{_LETTER}*")
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
    n_syllables = len(_SYLLABLE.findall(sample))
    if not n_syllables:
        return Profile(0, 0.0, 0.0)
    n_known = len(VIETNAMESE_SYLLABLE.findall(fold(sample)))
    n_plain = n_syllables - len(_MARKED.findall(sample))
    return Profile(
        n_syllables,
        max(0.0, n_plain / n_syllables),
        max(0.0, 1 - n_known / n_syllables),
    )


def assess(doc: Document) -> TextQuality:
    """Name what is wrong with a text; `readable` is False when it holds no words.

    Issues besides those of the reader: `no_diacritics`, `upper_case`, `not_vietnamese`,
    `replacement_characters`, `very_short`.
    """
    sample = doc.text[:_MAX_SAMPLE]
    n_syllables = len(_SYLLABLE.findall(sample))
    if not n_syllables:
        return TextQuality(readable=False, issues=(*doc.issues, "no_words"))
    issues = list(doc.issues)
    if "\ufffd" in sample:
        issues.append("replacement_characters")
    if n_syllables < _MIN_SYLLABLES:
        issues.append("very_short")
    else:
        issues.extend(_script_issues(sample, n_syllables=n_syllables))
    return TextQuality(readable=True, issues=tuple(issues))


def _script_issues(sample: str, *, n_syllables: int) -> Iterator[str]:
    if len(VIETNAMESE_SYLLABLE.findall(fold(sample))) < _FOREIGN_SHARE * n_syllables:
        yield "not_vietnamese"
    elif len(_MARKED.findall(sample)) < _NO_DIACRITICS_SHARE * n_syllables:
        yield "no_diacritics"
    if sample == sample.upper():
        yield "upper_case"
