"""What is wrong with a text, so that nobody trusts a label more than its text deserves."""

import re
from collections.abc import Iterator

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
