"""What is wrong with a text, so that nobody trusts a label more than its text deserves."""

import re
import unicodedata

from nlp.text import fold, lower
from nlp.types import Document, TextQuality

_SYLLABLE = re.compile(r"[^\W\d_]+")
# A syllable of Vietnamese without its marks: initial, nucleus, final. Source: Thompson 1965, ch. 2.
_VIETNAMESE = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?"
    r"(?:oai|oao|oay|oeo|uai|uao|uay|uoi|uou|uya|uye|uyu|ieu|yeu|uay|[aeiouy]{1,2})"
    r"(?:ng|nh|ch|[cmnpt])?"
)
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
    syllables = _SYLLABLE.findall(sample)
    if not syllables:
        return TextQuality(readable=False, issues=(*doc.issues, "no_words"))
    issues = list(doc.issues)
    if "\ufffd" in sample:
        issues.append("replacement_characters")
    if len(syllables) < _MIN_SYLLABLES:
        issues.append("very_short")
    else:
        issues.extend(_script_issues(syllables))
    return TextQuality(readable=True, issues=tuple(issues))


def _script_issues(syllables: list[str]) -> list[str]:
    issues = []
    n_marked = sum(_is_marked(syllable) for syllable in syllables)
    n_possible = sum(bool(_VIETNAMESE.fullmatch(fold(syllable))) for syllable in syllables)
    if n_possible < _FOREIGN_SHARE * len(syllables):
        issues.append("not_vietnamese")
    elif n_marked < _NO_DIACRITICS_SHARE * len(syllables):
        issues.append("no_diacritics")
    if sum(map(str.isupper, syllables)) > 0.9 * len(syllables):
        issues.append("upper_case")
    return issues


def _is_marked(syllable: str) -> bool:
    lowered = lower(syllable)
    return "đ" in lowered or not unicodedata.is_normalized("NFD", lowered)
