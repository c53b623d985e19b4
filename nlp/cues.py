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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, product
from operator import itemgetter
from typing import Any

from nlp.text import fold, lower, place_tones
from nlp.types import Span

_TOKEN = re.compile(r"([^\W_]+|[?.!\n…]+|[,;:()])")
PLAIN = "plain"
_MARKED = re.compile("[à-ãè-êìíò-õùúýăđĩũơưạ-ỹ]", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"[()]")
_PAUSES = frozenset(",;:()")  # no phrase goes on beyond one, but a gap does
_ENDS = frozenset("?.")
_STOPS = _ENDS | frozenset(";:")
_GAP = "..."
_REACH = 8  # syllables
_ONE_TONE = str.maketrans("ãẫẵẽễĩõỗỡũữỹ", "ảẩẳẻểỉỏổởủửỷ")
_NUMBER, _NAME, _PROPER = _KINDS = ("<number>", "<name>", "<proper>")
_LONGEST_SYLLABLE = 8  # letters; remembered are no longer words, which may tell who wrote them
_MOST_REMEMBERED = 1 << 15


_Phrase = tuple[str, str]  # its cue, and its words


class _Node:
    """A place in the trie of phrases, worked out when it is first looked at, as most never are.

    `words` and `kinds` lead on by a word or by what a word can stand for, `later` by what comes within some
    syllables; `cues` are those of the phrases that end here.
    """

    __slots__ = ("_phrases", "_spell", "cues", "kinds", "later", "words")
    words: "dict[str, _Node]"
    kinds: "dict[str, _Node]"
    later: "_Node | None"
    cues: tuple[str, ...]

    def __init__(self, phrases: Sequence[_Phrase], *, spell: Callable[[str], str]) -> None:
        self._phrases = phrases  # how they go on from here
        self._spell = spell

    def __getattr__(self, name: str) -> Any:
        """One of the four, before they are there. `Any`: each is of its own kind."""
        if name in self.__slots__:
            self._grow()
            return getattr(self, name)
        raise AttributeError(name)

    def _grow(self) -> None:
        """Two threads may do so at once: what they find is the same."""
        rests: dict[str, list[_Phrase]] = {}
        for cue, phrase in self._phrases:
            if phrase:
                first, _, rest = phrase.partition(" ")
                rests.setdefault(self._spell(first), []).append((cue, rest))
        nodes = {word: _Node(found, spell=self._spell) for word, found in rests.items()}
        self.later = nodes.pop(_GAP, None)
        self.kinds = {kind: nodes.pop(kind) for kind in _KINDS if kind in nodes}
        self.cues = tuple(dict.fromkeys(cue for cue, phrase in self._phrases if not phrase))
        self.words = nodes


@dataclass(frozen=True, slots=True)
class _Token:
    """How a token is read: its `word` in the trie, and what that word is made of."""

    word: str
    is_alpha: bool
    has_number: bool
    is_capital: bool  # of its own: an abbreviation is no name


class _Spelling(dict[str, _Token]):
    """How tokens are read, each syllable and sign remembered as it is met."""

    def __init__(self, shorthand: Mapping[str, str], *, plain: bool) -> None:
        super().__init__()
        self._shorthand, self._key = shorthand, fold if plain else _key

    def __missing__(self, token: str) -> _Token:
        read = self._read(token)
        is_known = token.isalpha() or not token[0].isalnum()  # a syllable, or signs
        if len(token) <= _LONGEST_SYLLABLE and is_known and len(self) < _MOST_REMEMBERED:
            self[token] = read
        return read

    def _read(self, token: str) -> _Token:
        if not token[0].isalnum():
            word = token if token in _PAUSES else "?" if "?" in token else "."
            return _Token(word, is_alpha=False, has_number=False, is_capital=False)
        word = self._key(token)
        word = self._shorthand.get(word, word)
        return _Token(
            word,
            is_alpha=word.isalpha(),
            has_number=not word.isalpha() and word[0].isalnum(),
            is_capital=token[0].isupper() and (len(token) == 1 or not token.isupper()),
        )


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Cues with their phrases, ready for reading.

    `marked` and `plain` are tries over syllables with and without diacritics, each with its spelling;
    `unnamed` words that never are a name. What begins or ends in a phrase of the cue `passing` is not found.
    """

    marked: tuple[_Node, _Spelling]
    plain: tuple[_Node, _Spelling]
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
        folded = {fold(spelling): fold(word) for spelling, word in short.items()}
        return cls(
            marked=(
                _trie(cues, plain=False),
                _Spelling(short | _by_spelling(dialect), plain=False),
            ),
            plain=(_trie(cues, plain=True), _Spelling(folded, plain=True)),
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
    is_marked = _MARKED.search(text) is not None
    root, spelling = lexicon.marked if is_marked else lexicon.plain
    pieces = _TOKEN.split(text)  # what lies between tokens, and tokens, in turn
    tokens = [spelling[token] for token in pieces[1::2]]
    passage = _Passage(tokens, unnamed=lexicon.unnamed)
    hits = passage.find(root)
    found: dict[str, list[Span]] = {}
    if hits:
        borders = list(accumulate(map(len, pieces)))
        for cue, first, last in _not_in_passing(hits, passing=lexicon.passing):
            end = borders[2 * min(last, len(tokens)) - 1]
            found.setdefault(cue, []).append(Span(borders[2 * first], end))
    if not is_marked:
        found[PLAIN] = []
    return Reading({cue: tuple(spans) for cue, spans in found.items()}, tuple(passage.words))


_Hit = tuple[str, int, int]  # a cue, its first token, and the one behind its last


def _not_in_passing(hits: set[_Hit], *, passing: str) -> list[_Hit]:
    """The hits in reading order, without those that begin or end in a phrase of the cue `passing`."""
    covered = {i for cue, first, last in hits if cue == passing for i in range(first, last)}
    ordered = sorted(hits, key=itemgetter(1, 2))
    if not covered:
        return ordered
    return [
        hit
        for hit in ordered
        if hit[0] != passing and hit[1] not in covered and hit[2] - 1 not in covered
    ]


def word_forms(words: Iterable[str]) -> frozenset[str]:
    """Words as `Reading.words` spells them, with and without diacritics."""
    return frozenset(form for word in words for form in (_key(word), fold(word)))


def _key(word: str) -> str:
    return place_tones(lower(word)).translate(_ONE_TONE)


def _by_spelling(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {_key(spelling): _key(word) for word, given in words.items() for spelling in given}


def _trie(cues: Mapping[str, Sequence[str]], *, plain: bool) -> _Node:
    phrases = [
        (cue, " ".join(phrase.split()))
        for cue, given in cues.items()
        for written in given
        for phrase in _spelled_out(written)
        # without diacritics too many words look like one of a single syllable that has some
        if not (plain and " " not in phrase and fold(phrase) != phrase)
    ]
    return _Node(phrases, spell=fold if plain else _key)


def _spelled_out(phrase: str) -> Iterator[str]:
    """The phrases that one with alternatives stands for."""
    if "(" not in phrase:
        return iter((phrase,))
    parts = [part.split("|") for part in _ALTERNATIVES.split(phrase)]
    return ("".join(chosen) for chosen in product(*parts))


class _Passage:
    """The tokens of a text while phrases are looked for; one more end at the end."""

    def __init__(self, tokens: Sequence[_Token], *, unnamed: frozenset[str]) -> None:
        self.words = [*(token.word for token in tokens), "."]
        self._tokens = tokens
        self._unnamed = unnamed
        self._has_capitals = any(token.is_capital for token in tokens)
        self._hits: set[_Hit] = set()

    def find(self, root: _Node) -> set[_Hit]:
        """Every phrase under `root`, wherever it begins."""
        starts = root.words
        for first, (word, following) in enumerate(pairwise(self.words)):
            # most words that could begin a phrase do not: told here, before a call
            if (node := starts.get(word)) and (
                following in node.words or node.cues or node.later or node.kinds
            ):
                self._go_on(node, first + 1, first=first)
        for first, token in enumerate(self._tokens):
            if token.has_number or (
                token.is_capital if self._has_capitals else _NAME in root.kinds
            ):
                self._go_on_by_kind(root, first, first=first)
        return self._hits

    def _go_on(self, node: _Node, at: int, *, first: int) -> None:
        """Add the phrases that end at `node`, which the tokens from `first` to `at` led to, or go on."""
        for cue in node.cues:
            self._hits.add((cue, first, at))
        if at < len(self.words):
            if following := node.words.get(self.words[at]):
                self._go_on(following, at + 1, first=first)
            if node.kinds:
                self._go_on_by_kind(node, at, first=first)
        if node.later:
            self._go_on_later(node.later, at, first=first)

    def _go_on_later(self, rest: _Node, at: int, *, first: int) -> None:
        for later, word in enumerate(self.words[at : at + _REACH + 1], start=at):
            if following := rest.words.get(word):
                self._go_on(following, later + 1, first=first)
            if rest.kinds:
                self._go_on_by_kind(rest, later, first=first)
            if word in _STOPS:
                return

    def _go_on_by_kind(self, node: _Node, at: int, *, first: int) -> None:
        for kind in self._kinds(at):
            if following := node.kinds.get(kind):
                self._go_on(following, at + 1, first=first)

    def _kinds(self, at: int) -> tuple[str, ...]:
        """What a token can stand for. Where the writer uses no capitals any rarer word may be a name."""
        token = self._tokens[at] if at < len(self._tokens) else None
        if token is None or not token.is_alpha:
            return (_NUMBER,) if token and token.has_number else ()
        before = self.words[at - 1] if at else "."
        if self._has_capitals and (not token.is_capital or before in _ENDS):
            return ()
        if token.word in self._unnamed:
            return (_NAME,) if self._has_capitals else ()
        return (_NAME, _PROPER) if self._has_capitals else (_NAME,)
