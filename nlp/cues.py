"""Phrases of a register found in running text, whatever its spelling, in one pass over the syllables.

A phrase is written with diacritics. A text that has any is read with them (hỏi and ngã count as one tone,
which half the country speaks and writes as one). A text without them is read folded; there a phrase of one
syllable counts only if it is written without diacritics. Shorthand is read as the word it stands for.
A phrase may hold

    ...      up to eight syllables of the same sentence
    ?  .     a question mark; any other end of a sentence, or of the text
    <number> a word with a digit          <name>  a word that can be a name after the word before it
    <proper> a name that stands alone: a capital within a sentence
    (a|b)    one of several
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from typing import Any

from nlp.text import fold, lower, place_tones
from nlp.types import Span

_TOKEN = re.compile(r"[^\W_]+|[?.!\n…]+|[,;:()]")
PLAIN = "plain"
_ALTERNATIVES = re.compile(r"[()]")
_PAUSES = frozenset(",;:()")  # no phrase goes on beyond one, but a gap does
_ENDS = frozenset("?.")
_STOPS = _ENDS | frozenset(";:")
_GAP = "..."
_REACH = 8  # syllables
_END = ""  # the key of a node under which the cues of the phrases that end there stand
_ONE_TONE = str.maketrans("ãẫẵẽễĩõỗỡũữỹ", "ảẩẳẻểỉỏổởủửỷ")
_NUMBER, _PROPER, _NAME = ("<number>",), ("<name>", "<proper>"), ("<name>",)
_Node = dict[str, Any]  # of words to nodes, and of _END to cues: a recursive type


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Cues with their phrases, ready for reading.

    `marked` and `plain` are tries over syllables with and without diacritics, `shorthand_*` the words that
    abbreviations stand for, `unnamed` words that never are a name. What begins or ends in a phrase of the
    cue `passing` is not found.
    """

    marked: _Node
    plain: _Node
    shorthand: Mapping[str, str]
    shorthand_plain: Mapping[str, str]
    unnamed: frozenset[str]
    passing: str

    @classmethod
    def of(
        cls,
        cues: Mapping[str, Sequence[str]],
        *,
        shorthand: Mapping[str, Sequence[str]],
        dialect: Mapping[str, Sequence[str]],
        unnamed: Iterable[str],
        passing: str,
    ) -> "Lexicon":
        """From cues with their phrases, words with their other spellings, and words that are no names.

        `dialect` is for texts with diacritics only: without them its words look like others.
        """
        short = _by_spelling(shorthand)
        return cls(
            marked=_trie(cues, plain=False),
            plain=_trie(cues, plain=True),
            shorthand=short | _by_spelling(dialect),
            shorthand_plain={fold(s): fold(word) for s, word in short.items()},
            unnamed=word_forms(unnamed),
            passing=passing,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found: the spans of each cue in the order of the text, and the syllables as read.

    A text without diacritics has the cue `PLAIN`, with no span.
    """

    found: Mapping[str, tuple[Span, ...]]
    words: tuple[str, ...]


def find_cues(text: str, *, lexicon: Lexicon) -> Reading:
    """Find every phrase of the lexicon; spans of one cue may overlap. Expects NFC."""
    folded, lowered = fold(text), lower(text)
    is_marked = folded != lowered
    tokens = list(_TOKEN.finditer(_one_spelling(lowered) if is_marked else folded))
    words = _words(tokens, shorthand=lexicon.shorthand if is_marked else lexicon.shorthand_plain)
    classes = _classes(text, tokens=tokens, words=words, unnamed=lexicon.unnamed)
    root = lexicon.marked if is_marked else lexicon.plain
    hits: set[tuple[str, int, int]] = set()
    for i in range(len(tokens)):
        if words[i] in root or classes[i]:
            _match(root, i, first=i, hits=hits, words=words, classes=classes)
    covered = {i for cue, first, last in hits if cue == lexicon.passing for i in range(first, last)}
    found: dict[str, list[Span]] = {}
    for cue, first, last in sorted(hits, key=itemgetter(1, 2)):
        if cue == lexicon.passing or first in covered or last - 1 in covered:
            continue
        end = tokens[min(last, len(tokens)) - 1].end()
        found.setdefault(cue, []).append(Span(tokens[first].start(), end))
    if not is_marked:
        found[PLAIN] = []
    return Reading({cue: tuple(spans) for cue, spans in found.items()}, tuple(words))


def word_forms(words: Iterable[str]) -> frozenset[str]:
    """Words as `Reading.words` spells them, with and without diacritics."""
    return frozenset(form for word in words for form in (_key(word), fold(word)))


def _key(word: str) -> str:
    return _one_spelling(lower(word))


def _one_spelling(lowered: str) -> str:
    return place_tones(lowered).translate(_ONE_TONE)


def _by_spelling(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {_key(spelling): _key(word) for word, given in words.items() for spelling in given}


def _trie(cues: Mapping[str, Sequence[str]], *, plain: bool) -> _Node:
    root: _Node = {}
    for cue, phrases in cues.items():
        for phrase in (one for given in phrases for one in _spelled_out(given)):
            if plain and " " not in phrase and fold(phrase) != phrase:
                continue  # too many words look like it
            node = root
            for word in (fold if plain else _key)(phrase).split():
                node = node.setdefault(word, {})
            node.setdefault(_END, set()).add(cue)
    return root


def _spelled_out(phrase: str) -> Iterator[str]:
    """The phrases that one with alternatives stands for."""
    parts = [part.split("|") for part in _ALTERNATIVES.split(phrase)]
    return ("".join(chosen) for chosen in product(*parts))


def _words(tokens: Sequence[re.Match[str]], *, shorthand: Mapping[str, str]) -> list[str]:
    """Each token as the tries spell it; ends of sentences as "?" or "."; one more end at the end."""
    words = []
    for token in tokens:
        word = token[0]
        if word[0].isalnum():
            words.append(shorthand.get(word, word))
        else:
            words.append(word if word in _PAUSES else "?" if "?" in word else ".")
    return [*words, "."]


def _classes(
    text: str,
    *,
    tokens: Sequence[re.Match[str]],
    words: Sequence[str],
    unnamed: frozenset[str],
) -> list[tuple[str, ...]]:
    """What each token can stand for. Where the writer uses no capitals any rarer word may be a name."""
    capitals = {i for i, token in enumerate(tokens) if _is_capital(text, token)}
    classes: list[tuple[str, ...]] = []
    before = "."
    for i, word in enumerate(words[:-1]):
        if not word.isalpha():
            classes.append(_NUMBER if word[0].isalnum() else ())
        elif capitals and (i not in capitals or before in _ENDS):
            classes.append(())
        elif word in unnamed:
            classes.append(_NAME if capitals else ())
        else:
            classes.append(_PROPER if capitals else _NAME)
        before = word
    return [*classes, ()]


def _is_capital(text: str, token: re.Match[str]) -> bool:
    """Whether a word has a capital of its own; an abbreviation is no name."""
    start, end = token.span()
    return text[start].isupper() and (end - start == 1 or not text[start:end].isupper())


def _match(
    root: _Node,
    start: int,
    *,
    first: int,
    hits: set[tuple[str, int, int]],
    words: list[str],
    classes: Sequence[tuple[str, ...]],
) -> None:
    """Add every phrase of `root` that goes on at the token `start`, having begun at `first`."""
    nodes, at = [root], start
    while nodes and at < len(words):
        grown = []
        for key in (words[at], *classes[at]) if classes[at] else (words[at],):
            grown += [node[key] for node in nodes if key in node]
        nodes, at = grown, at + 1
        for node in nodes:
            if _END in node:
                hits.update((cue, first, at) for cue in node[_END])
            if _GAP in node:
                _match_later(node[_GAP], at, first=first, hits=hits, words=words, classes=classes)


def _match_later(
    rest: _Node,
    at: int,
    *,
    first: int,
    hits: set[tuple[str, int, int]],
    words: list[str],
    classes: Sequence[tuple[str, ...]],
) -> None:
    """Add every phrase that goes on with `rest` at the token `at` or a little later."""
    for later in range(at, min(at + _REACH + 1, len(words))):
        if words[later] in rest or classes[later]:
            _match(rest, later, first=first, hits=hits, words=words, classes=classes)
        if words[later] in _STOPS:
            return
