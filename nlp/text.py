"""Vietnamese text as code points: NFC, tone placement, folding, and offset maps.

Everything shown to a person is a slice of the NFC text. What the model reads is a private copy made by
`fold`, `place_tones` or `normalise`; `Aligned` carries the way back.
"""

import re
import unicodedata
from dataclasses import dataclass

from nlp.types import Span

_MARKS = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook above, dot below
# Control characters other than tab and line feed carry no text; zero-width ones split words unseen.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff]"
)
# Vietnamese stacks two marks at most; bringing thousands on one letter in order takes quadratic time.
_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARK_RUN = re.compile(rf"({_MARK}{{16}}){_MARK}+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\u2028\u2029\x85]")


def to_nfc(text: str) -> str:
    r"""Bring text to the form that is stored and shown.

    Unicode NFC, `\n` line ends, no control or zero-width characters, no lone surrogates, at most
    16 combining marks on a letter.
    Idempotent: `to_nfc(to_nfc(x)) == to_nfc(x)`.
    """
    text = _MARK_RUN.sub(r"\1", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))
    return unicodedata.normalize("NFC", _without_surrogates(text))


def _without_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


class _FoldTable(dict[int, str]):
    """Maps a code point to its folded base letter, learning each as it is met."""

    def __missing__(self, code: int) -> str:
        """Fold one code point: lower case, marks off, đ to d; always exactly one code point."""
        char = chr(code)
        base = unicodedata.normalize("NFD", char)[0].lower()
        folded = {"đ": "d", "ð": "d"}.get(base, base)
        self[code] = folded if len(folded) == 1 else char
        return self[code]


class _LowerTable(dict[int, str]):
    """Maps a code point to its lower case where that is one code point."""

    def __missing__(self, code: int) -> str:
        """Lower one code point, keeping the length (İ would become two)."""
        lower = chr(code).lower()
        self[code] = lower if len(lower) == 1 else chr(code)
        return self[code]


_FOLD = _FoldTable()
_LOWER = _LowerTable()
_LOWERED_BY_OTHERS = re.compile("[\u0130\u03a3]")


def fold(text: str) -> str:
    """Lower case without diacritics, `đ` to `d`, code point by code point.

    The result has the length of the input, so offsets carry over unchanged. Expects NFC.
    """
    return text.translate(_FOLD)


def lower(text: str) -> str:
    """Lower case with the length of the input, so offsets carry over unchanged."""
    # İ would become two letters, and Σ one of two by what follows it; all else is lowered one by one
    if _LOWERED_BY_OTHERS.search(text):
        return text.translate(_LOWER)
    return text.lower()


_NUCLEI = ("oa", "oe", "uy")


def _tone_pairs() -> dict[str, str]:
    """The newer spelling of every nucleus with a tone, and the older one."""
    pairs = {}
    for nucleus in _NUCLEI:
        for mark in _MARKS:
            old = unicodedata.normalize("NFC", nucleus[0] + mark) + nucleus[1]
            new = nucleus[0] + unicodedata.normalize("NFC", nucleus[1] + mark)
            pairs[new] = old
    return pairs


TONE_PLACEMENTS = _tone_pairs()  # newer spelling to older
# Only an open syllable has two spellings (hoà, hòa); in a closed one (hoàn) the place is fixed. After
# `q` the u belongs to the initial, so quý has one spelling.
_TONE_PLACES = re.compile(rf"(?<!q)({'|'.join(TONE_PLACEMENTS)})(?![^\W\d_])")


def place_tones(text: str) -> str:
    """Write `hoà`, `khoẻ`, `uỷ` as `hòa`, `khỏe`, `ủy`; same length; expects lower-case NFC.

    Source: Decision 1989/QĐ-BGDĐT (2018) permits both placements; this picks the older one, which most
    State documents use.
    """
    return _TONE_PLACES.sub(lambda match: TONE_PLACEMENTS[match[1]], text)


def normalise(text: str) -> str:
    """The copy that models read: lower case, one tone placement; same length as the NFC input."""
    return place_tones(lower(text))


@dataclass(frozen=True, slots=True)
class Aligned:
    """A rewritten text whose every code point knows where it came from.

    `origin[i]` is the offset in the source of code point i; `origin[len(text)]` is the source's length.
    Offsets never decrease.
    """

    text: str
    origin: tuple[int, ...]

    def to_source(self, span: Span) -> Span:
        """The stretch of the source that `span` of the rewritten text stands for.

        Raises:
            ValueError: the span does not lie within the text.
        """
        if not 0 <= span.start <= span.end <= len(self.text):
            raise ValueError(f"span {span.start}-{span.end} lies outside 0-{len(self.text)}")
        if span.start == span.end:
            return Span(self.origin[span.start], self.origin[span.start])
        return Span(self.origin[span.start], self.origin[span.end - 1] + 1)


def collapse_spaces(text: str) -> Aligned:
    """Make every run of white space one blank, keeping the way back."""
    chars: list[str] = []
    origin: list[int] = []
    for i, char in enumerate(text):
        if char.isspace():
            if chars and chars[-1] == " ":
                continue
            char = " "
        chars.append(char)
        origin.append(i)
    return Aligned("".join(chars), (*origin, len(text)))
