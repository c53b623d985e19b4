"""One pass from texts to hashed n-grams, for thousands of texts at a time.

Texts are laid end to end as one array of code points; lower case, tone placement, folding, syllables and
their n-grams are then array operations. Each n-gram knows the syllables it covers, so a weight of the
model leads straight back to words of the text.

Kinds of n-grams: syllables as written, syllables without diacritics, characters of the folded text across
syllables; and apart from these the first syllables of the text (its opening often tells the tone) and those
of its context (the heading it stands under). Numbers count by their shape: every digit is read as 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp.text import fold, lower
from nlp.types import Span

IntArray = npt.NDArray[np.int64]
_HashArray = npt.NDArray[np.uint64]

# Covers Latin, Vietnamese (to U+1EF9), punctuation and every blank; beyond it no letter folds.
_TABLE_SIZE = 0x3001
_SPACE, _SYLLABLE, _SYMBOL = 0, 1, 2
_FIRST_PICTOGRAM = 0x2190  # arrows, dingbats, emoji; general punctuation lies below
_BASE = np.uint64(0x100000001B3)  # FNV prime as the base of the polynomial hash
_BORDER = np.uint64(0x1F)  # stands between syllables in character n-grams
WHOLE, OPENING, CONTEXT, CHARACTERS = 0, 1, 2, 3
N_BLOCKS = 4
_MAX_CHARS = 20_000  # of one text; the rest of a longer one is not read for labels


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Which n-grams are read."""

    written: tuple[int, ...] = (1, 2)
    folded: tuple[int, ...] = (1, 2)
    characters: tuple[int, ...] = (4,)
    opening_tokens: int = 6

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "FeatureSpec":
        """From the JSON values of a manifest, where tuples are lists. `Any`: checked by its hash."""
        return cls(
            written=tuple(values["written"]),
            folded=tuple(values["folded"]),
            characters=tuple(values["characters"]),
            opening_tokens=int(values["opening_tokens"]),
        )


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Every n-gram of a batch of texts, and the syllables.

    Per n-gram, shape (n_ngrams,): `keys` uint32 hash, `rows` the text, `blocks` (0 syllables, 1 opening,
    2 context, 3 characters), `firsts` and `lasts` the first and last token it covers (-1 in a context).
    Per token, shape (n_tokens,): `starts`, `ends` offsets in its own text, `token_rows` the text, `speaks`
    whether it can prove anything (a syllable, number or pictogram, not a punctuation mark).
    """

    n_texts: int
    keys: npt.NDArray[np.uint32]
    rows: IntArray
    blocks: npt.NDArray[np.int8]
    firsts: IntArray
    lasts: IntArray
    starts: IntArray
    ends: IntArray
    token_rows: IntArray
    speaks: npt.NDArray[np.bool_]

    def token_spans(self, row: int) -> tuple[Span, ...]:
        """The tokens of one text as spans of it."""
        at = np.flatnonzero(self.token_rows == row)
        return tuple(Span(int(self.starts[i]), int(self.ends[i])) for i in at)


def extract_ngrams(
    texts: Sequence[str], spec: FeatureSpec, *, contexts: Sequence[str] | None = None
) -> Ngrams:
    """Read the n-grams of texts in Unicode NFC, and of a context for each.

    The result does not depend on letter case, on tone placement (`hoà`, `hòa`), on letters repeated for
    stress (`quáááá`), or on the amount of white space. Of a text longer than 20,000 code points only the
    beginning is read.
    """
    tokens = _Tokens.of(texts)
    parts = [
        _syllable_ngrams(tokens, hashes=tokens.written, size=size, kind=1) for size in spec.written
    ]
    parts += [
        _syllable_ngrams(tokens, hashes=tokens.folded, size=size, kind=2) for size in spec.folded
    ]
    characters = [_character_ngrams(tokens, size=size) for size in spec.characters]
    opening = [_opening_ngrams(tokens, n_tokens=spec.opening_tokens, size=size) for size in (1, 2)]
    found = [(*part, tokens.rows[part[1]], WHOLE) for part in parts]
    found += [(*part, tokens.rows[part[1]], OPENING) for part in opening]
    found += [(*part, tokens.rows[part[1]], CHARACTERS) for part in characters]
    if contexts is not None:
        found += _context_ngrams(contexts)
    keys, firsts, lasts, rows, _ = zip(*found, strict=True)
    return Ngrams(
        n_texts=len(texts),
        keys=np.concatenate(keys),
        rows=np.concatenate(rows),
        blocks=np.concatenate([np.full(len(part[0]), part[4], dtype=np.int8) for part in found]),
        firsts=np.concatenate(firsts),
        lasts=np.concatenate(lasts),
        starts=tokens.starts,
        ends=tokens.ends,
        token_rows=tokens.rows,
        speaks=tokens.speaks,
    )


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Tokens of the batch: runs of letters and digits, and runs of one symbol.

    Per token: `rows`, `starts`, `ends` (offsets in its text), whether it `speaks`, hashes of its `written`
    and `folded` form.
    `stream` is the folded text as characters with a border before each token, `stream_tokens` the token
    of each of them.
    """

    rows: IntArray
    starts: IntArray
    ends: IntArray
    speaks: npt.NDArray[np.bool_]
    written: _HashArray
    folded: _HashArray
    stream: _HashArray
    stream_tokens: IntArray

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Tokens":
        texts = [text[:_MAX_CHARS] for text in texts]
        codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le"), dtype=np.uint32)
        lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
        text_starts = np.concatenate([[0], np.cumsum(lengths + 1)])
        tables = _tables()
        small = codes < _TABLE_SIZE
        index = np.where(small, codes, 0)
        written = np.where(small, tables.lower[index], codes)
        classes = np.where(small, tables.classes[index], _SYMBOL)
        folded = np.where(
            written < _TABLE_SIZE, tables.fold[np.minimum(written, _TABLE_SIZE - 1)], written
        )

        begins, ends = _token_borders(classes, folded=folded)
        rows = np.searchsorted(text_starts, begins, side="right") - 1
        chars = np.flatnonzero(classes != _SPACE)
        char_tokens = np.searchsorted(begins, chars, side="right") - 1
        kept = _unrepeated(folded[chars], tokens=char_tokens)
        chars, char_tokens = chars[kept], char_tokens[kept]
        spelt = written[chars]
        _place_tones(spelt, tokens=char_tokens, tables=tables)
        firsts = np.searchsorted(char_tokens, np.arange(len(begins)))
        return cls(
            rows=rows,
            starts=begins - text_starts[rows],
            ends=ends - text_starts[rows],
            speaks=(classes[begins] == _SYLLABLE) | (codes[begins] >= _FIRST_PICTOGRAM),
            written=_token_hashes(spelt, firsts=firsts, char_tokens=char_tokens),
            folded=_token_hashes(folded[chars], firsts=firsts, char_tokens=char_tokens),
            stream=np.insert(folded[chars].astype(np.uint64), firsts, _BORDER),
            stream_tokens=np.insert(char_tokens, firsts, np.arange(len(begins))),
        )


@dataclass(frozen=True, slots=True)
class _Tables:
    """Per code point below U+3000: lower case with digits as 0, folded form, class, and tone parts."""

    lower: npt.NDArray[np.uint32]
    fold: npt.NDArray[np.uint32]
    classes: npt.NDArray[np.int8]
    tone: npt.NDArray[np.int8]
    toneless: npt.NDArray[np.uint32]


_VOWELS = "aàáảãạ eèéẻẽẹ oòóỏõọ uùúủũụ yỳýỷỹỵ"


@cache
def _tables() -> _Tables:
    chars = [chr(code) for code in range(_TABLE_SIZE)]
    low = ["0" if char.isdigit() else lower(char) for char in chars]
    tone = np.zeros(_TABLE_SIZE, dtype=np.int8)
    toneless = np.arange(_TABLE_SIZE, dtype=np.uint32)
    for family in _VOWELS.split():
        for mark, char in enumerate(family):
            tone[ord(char)] = mark
            toneless[ord(char)] = ord(family[0])
    return _Tables(
        lower=np.array([ord(char) for char in low], dtype=np.uint32),
        fold=np.array([ord(fold(char)) for char in low], dtype=np.uint32),
        classes=np.array(
            [_SPACE if c.isspace() else _SYLLABLE if c.isalnum() else _SYMBOL for c in chars],
            dtype=np.int8,
        ),
        tone=tone,
        toneless=toneless,
    )


def _place_tones(written: npt.NDArray[np.uint32], *, tokens: IntArray, tables: _Tables) -> None:
    """Do what `nlp.text.place_tones` does, in place; `tokens` is the token of each character."""
    if len(written) < 2:
        return
    second = np.minimum(written[1:], _TABLE_SIZE - 1)
    first, base = written[:-1], tables.toneless[second]
    nucleus = ((first == ord("o")) & ((base == ord("a")) | (base == ord("e")))) | (
        (first == ord("u")) & (base == ord("y"))
    )
    at = np.flatnonzero(nucleus & (tables.tone[second] > 0) & (tokens[1:] == tokens[:-1]))
    before, after = np.maximum(at - 1, 0), np.minimum(at + 2, len(written) - 1)
    after_q = (written[before] == ord("q")) & (tokens[before] == tokens[at])
    ends_token = (after == at + 1) | (tokens[after] != tokens[at])
    is_open = ends_token | (written[after] == ord("0"))  # "hoà2" ends at its digit
    at = at[is_open & ~after_q]
    toned = np.array([[ord(char) for char in family] for family in ("oòóỏõọ", "uùúủũụ")])
    marks = tables.tone[written[at + 1]]
    written[at + 1] = base[at]
    written[at] = toned[(written[at] == ord("u")).astype(np.int64), marks]


def _token_borders(
    classes: npt.NDArray[np.int8], *, folded: npt.NDArray[np.uint32]
) -> tuple[IntArray, IntArray]:
    """Where tokens begin and end, in the laid-out array."""
    inked = classes != _SPACE
    changed = np.ones(len(classes), dtype=bool)
    changed[1:] = (classes[1:] != classes[:-1]) | (
        (classes[1:] == _SYMBOL) & (folded[1:] != folded[:-1])
    )
    begins = np.flatnonzero(inked & changed)
    stops = np.ones(len(classes), dtype=bool)
    stops[:-1] = changed[1:] | ~inked[1:]
    return begins, np.flatnonzero(inked & stops) + 1


def _unrepeated(folded: npt.NDArray[np.uint32], *, tokens: IntArray) -> npt.NDArray[np.bool_]:
    """Characters that do not repeat the one before them in their token; digits always stay."""
    kept = np.ones(len(folded), dtype=bool)
    kept[1:] = (folded[1:] != folded[:-1]) | (tokens[1:] != tokens[:-1]) | (folded[1:] == ord("0"))
    return kept


def _token_hashes(
    codes: npt.NDArray[np.uint32], *, firsts: IntArray, char_tokens: IntArray
) -> _HashArray:
    """One polynomial hash a token; arithmetic modulo 2^64."""
    if not len(firsts):
        return np.zeros(0, dtype=np.uint64)
    places = np.arange(len(codes)) - firsts[char_tokens]
    powers = np.cumprod(np.full(int(places.max()) + 1, _BASE, dtype=np.uint64))
    return np.asarray(np.add.reduceat(codes.astype(np.uint64) * powers[places], firsts))


def _mix(hashes: _HashArray) -> npt.NDArray[np.uint32]:
    """Spread 64 bits over 32: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    x = hashes
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x >> np.uint64(32)).astype(np.uint32)


_Found = tuple[npt.NDArray[np.uint32], IntArray, IntArray, IntArray, int]
_Part = tuple[npt.NDArray[np.uint32], IntArray, IntArray]


def _syllable_ngrams(tokens: _Tokens, *, hashes: _HashArray, size: int, kind: int) -> _Part:
    n = max(0, len(hashes) - size + 1)
    combined = np.full(n, kind * 31 + size, dtype=np.uint64)
    for i in range(size):
        combined = combined * _BASE + hashes[i : i + n]
    firsts = np.arange(n)
    lasts = firsts + size - 1
    whole = np.flatnonzero(tokens.rows[firsts] == tokens.rows[lasts])
    return _mix(combined[whole]), firsts[whole], lasts[whole]


def _character_ngrams(tokens: _Tokens, *, size: int) -> _Part:
    stream = tokens.stream
    n = max(0, len(stream) - size + 1)
    combined = np.full(n, 3 * 31 + size, dtype=np.uint64)
    for i in range(size):
        combined = combined * _BASE + stream[i : i + n]
    firsts = tokens.stream_tokens[:n]
    lasts = tokens.stream_tokens[size - 1 : size - 1 + n]
    whole = np.flatnonzero(tokens.rows[firsts] == tokens.rows[lasts])
    return _mix(combined[whole]), firsts[whole], lasts[whole]


def _opening_ngrams(tokens: _Tokens, *, n_tokens: int, size: int) -> _Part:
    """Syllable n-grams within the first tokens of each text, told apart from those of the whole."""
    keys, firsts, lasts = _syllable_ngrams(tokens, hashes=tokens.written, size=size, kind=4)
    begins = np.searchsorted(tokens.rows, tokens.rows[firsts])
    early = np.flatnonzero(lasts - begins < n_tokens)
    return keys[early], firsts[early], lasts[early]


def _context_ngrams(contexts: Sequence[str]) -> list[_Found]:
    """Syllables and their pairs in the contexts; they cover no token of the texts."""
    tokens = _Tokens.of(contexts)
    found = []
    for size in (1, 2):
        keys, firsts, _ = _syllable_ngrams(tokens, hashes=tokens.written, size=size, kind=5)
        nowhere = np.full(len(keys), -1, dtype=np.int64)
        found.append((keys, nowhere, nowhere, tokens.rows[firsts], CONTEXT))
    return found
