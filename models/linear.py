"""The embedded default: linear heads over one sparse matrix of hashed n-grams.

A text is a row of tf-idf values (each n-gram once, L2-normalised); a head is a matrix of weights and a
calibration. Trained by scikit-learn's LinearSVC, stored as safetensors and JSON.

Source: Joachims 1998 (SVM on tf-idf); Platt 1999 (sigmoid calibration); Guo et al. 2017 (temperature);
Gupta & Ramdas 2022 (top-label calibration).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit

from models.odds import log_odds
from nlp.features import N_BLOCKS, FeatureSpec, IntArray, Ngrams, extract_ngrams
from nlp.protocols import Attribution, FloatArray, HeadSpec

_TABLE_BITS = 22
_BLOCK_LENGTHS = (1.0, 0.3, 0.5, 0.3)  # syllables, opening, context, characters


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The n-grams a model knows: `keys` uint32, sorted, their `idf` float32 and `blocks` int8.

    All of shape (n_columns,).
    """

    keys: npt.NDArray[np.uint32]
    idf: FloatArray
    blocks: npt.NDArray[np.int8]

    @classmethod
    def learn(cls, ngrams: Ngrams, *, min_texts: int) -> "Vocabulary":
        """Keep n-grams of at least `min_texts` texts; idf = 1 + ln((1 + n) / (1 + df)).

        Rounded to three decimals so that different C libraries agree on every bit.
        """
        pairs = np.unique(ngrams.keys.astype(np.int64) * ngrams.n_texts + ngrams.rows)
        keys, counts = np.unique(pairs // ngrams.n_texts, return_counts=True)
        kept = counts >= min_texts
        idf = np.log((1 + ngrams.n_texts) / (1 + counts[kept])) + 1
        own, first = np.unique(ngrams.keys, return_index=True)
        blocks = ngrams.blocks[first[np.searchsorted(own, keys[kept])]]
        return cls(keys[kept].astype(np.uint32), np.round(idf, 3).astype(np.float32), blocks)


class Vectorizer:
    """Looks n-grams up in a vocabulary through a direct table."""

    def __init__(self, vocabulary: Vocabulary, *, spec: FeatureSpec) -> None:
        self.vocabulary = vocabulary
        self.spec = spec
        # one gather instead of a binary search; where two keys share a slot one is lost
        n_columns = len(vocabulary.keys)
        self._table = np.zeros(1 << _TABLE_BITS, dtype=np.min_scalar_type(n_columns))
        self._table[vocabulary.keys & np.uint32((1 << _TABLE_BITS) - 1)] = np.arange(n_columns)

    def read(self, texts: Sequence[str], *, contexts: Sequence[str] | None = None) -> "Rows":
        """Vectorise texts in Unicode NFC, each with its context."""
        ngrams = extract_ngrams(texts, self.spec, contexts=contexts)
        if not len(self.vocabulary.keys):
            return Rows(ngrams, np.zeros(0, np.int64), np.zeros(0, np.int64), self.vocabulary)
        columns = self._table[ngrams.keys & np.uint32((1 << _TABLE_BITS) - 1)].astype(np.int64)
        known = np.flatnonzero(self.vocabulary.keys[columns] == ngrams.keys)
        return Rows(ngrams, known, columns[known], self.vocabulary)


@dataclass(frozen=True)
class Rows:
    """Texts as vectors: `known` are the n-grams that have a column, `columns` those columns."""

    ngrams: Ngrams
    known: IntArray
    columns: IntArray
    vocabulary: Vocabulary

    @cached_property
    def cells(self) -> "Cells":
        """The known n-grams by text and column."""
        n = len(self.known)
        cell = self.ngrams.rows[self.known] * len(self.vocabulary.keys) + self.columns
        # sorted with their places in one number: numpy sorts many times faster than it sorts places
        n_bits = n.bit_length()
        packed = np.sort((cell << n_bits) | np.arange(n))
        order, cell = packed & ((1 << n_bits) - 1), packed >> n_bits
        is_first = np.ones(n, dtype=bool)
        is_first[1:] = cell[1:] != cell[:-1]
        firsts = np.flatnonzero(is_first)
        rows = self.ngrams.rows[self.known[order]]
        texts = np.arange(self.ngrams.n_texts + 1)
        return Cells(
            order=order,
            borders=np.searchsorted(rows, texts),
            rows=rows[firsts],
            columns=self.columns[order[firsts]],
            counts=np.diff(firsts, append=n),
            indptr=np.searchsorted(rows[firsts], texts),
        )

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """Rows of idf values of the n-grams a text has, float32.

        The syllable n-grams have together length 1, those of the context 0.5, those of the opening and
        of characters 0.3 (0 where there are none), so that a long text does not drown its opening.
        """
        cells, n_texts = self.cells, self.ngrams.n_texts
        values = self.vocabulary.idf[cells.columns]
        parts = cells.rows * N_BLOCKS + self.vocabulary.blocks[cells.columns]
        squares = np.bincount(parts, weights=values * values, minlength=n_texts * N_BLOCKS)
        scale = np.tile(_BLOCK_LENGTHS, n_texts) / np.sqrt(np.maximum(squares, 1e-12))
        indices, indptr = (own.astype(np.int32) for own in (cells.columns, cells.indptr))
        return sparse.csr_matrix(
            ((values * scale[parts]).astype(np.float32), indices, indptr),
            shape=(n_texts, len(self.vocabulary.keys)),
        )


@dataclass(frozen=True, slots=True)
class Cells:
    """The known n-grams of some texts, ordered by text and column; what falls together is one cell.

    Per known n-gram: `order`, its place before; those of text i stand from `borders[i]` to `borders[i + 1]`.
    Per cell: `rows`, `columns`, and in `counts` how many n-grams fell into it; the cells of text i stand
    from `indptr[i]` to `indptr[i + 1]`.
    """

    order: IntArray
    borders: IntArray
    rows: IntArray
    columns: IntArray
    counts: IntArray
    indptr: IntArray


@dataclass(frozen=True, slots=True)
class Head:
    """One question: weights float32 (n_columns, n_labels), bias, and its calibration.

    `slope` and `offset` have shape (n_labels,): a probability is sigmoid(slope * score + offset) for
    independent labels, and the softmax of the same for exclusive ones. Of these the best label then gets
    sigmoid(a * log-odds + b), with `confidence` = (a, b), and the others share the rest as before.
    """

    spec: HeadSpec
    weights: FloatArray
    bias: FloatArray
    slope: FloatArray
    offset: FloatArray
    confidence: FloatArray

    def scores(self, matrix: sparse.csr_matrix) -> FloatArray:
        """Raw scores, float32, shape (n_texts, n_labels)."""
        return np.asarray(matrix @ self.weights + self.bias, dtype=np.float32)

    def calibrate(self, scores: FloatArray) -> FloatArray:
        """Probabilities in [0, 1] from raw scores, same shape."""
        logits = scores * self.slope + self.offset
        if self.spec.multi:
            return np.asarray(expit(logits), dtype=np.float32)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float64)
        return _with_confidence(shares, confidence=self.confidence).astype(np.float32)


def _with_confidence(
    shares: npt.NDArray[np.float64], *, confidence: FloatArray
) -> npt.NDArray[np.float64]:
    """Put the best share of each row right; it stays the best one."""
    a, b = confidence.tolist()
    if (a, b) == (1, 0) or shares.shape[1] < 2:
        return shares
    shares = np.maximum(shares, 1e-9)  # so that a rest can be shared out
    rows, best = np.arange(len(shares)), shares.argmax(axis=1)
    others = shares.copy()
    others[rows, best] = 0
    rest, second = others.sum(axis=1), others.max(axis=1)
    least = second / (rest + second)  # below this the second would overtake it
    wanted = np.maximum(expit(a * log_odds(shares[rows, best]) + b), least)
    others *= ((1 - wanted) / rest)[:, None]
    others[rows, best] = wanted
    return others


@dataclass(frozen=True)
class LinearReading:
    """One feature pass, answered by every head."""

    rows: Rows
    linear_heads: Mapping[str, Head]

    def probabilities(self, head: str) -> FloatArray:
        """Calibrated probabilities, float32, shape (n_texts, n_labels)."""
        chosen = self.linear_heads[head]
        return chosen.calibrate(chosen.scores(self.rows.matrix))

    def attribute(self, questions: Sequence[tuple[int, str]], *, head: str) -> Attribution:
        """What each token adds to the score: the terms of the dot product, spread over their tokens.

        An n-gram's term is shared equally by its occurrences and by the tokens each covers, so the
        weights of one question sum to its score less the bias and what its context adds.
        """
        chosen = self.linear_heads[head]
        texts = np.array([row for row, _ in questions], dtype=np.int64)
        labels = np.array(
            [chosen.spec.labels.index(label) for _, label in questions], dtype=np.int64
        )
        ngrams = self.rows.ngrams

        token_begin, token_end = self._token_borders
        sizes = token_end[texts] - token_begin[texts]
        slots = np.concatenate([[0], np.cumsum(sizes)])  # where each question's tokens begin
        tokens = _ranges(token_begin[texts], sizes)

        cells = self.rows.cells
        n_terms = cells.borders[texts + 1] - cells.borders[texts]
        at = _ranges(cells.borders[texts], n_terms)
        known = cells.order[at]
        question = np.repeat(np.arange(len(texts)), n_terms)
        # the cell of a term by one index: two would take numpy three times as long
        weights_at = self.rows.columns[known] * len(chosen.spec.labels) + labels[question]
        terms = self._shares[at] * chosen.weights.ravel()[weights_at]
        firsts, lasts = (own[self.rows.known[known]] for own in (ngrams.firsts, ngrams.lasts))
        terms = terms / (lasts - firsts + 1)
        shift = slots[question] - token_begin[texts[question]]
        weights = np.zeros(int(slots[-1]), dtype=np.float64)
        for step in range(int((lasts - firsts).max(initial=0)) + 1):
            covered = (firsts >= 0) & (firsts + step <= lasts)
            place = (firsts + step + shift)[covered]
            weights += np.bincount(place, weights=terms[covered], minlength=len(weights))
        return Attribution(
            n_questions=len(texts),
            questions=np.repeat(np.arange(len(texts)), sizes),
            starts=ngrams.starts[tokens],
            ends=ngrams.ends[tokens],
            weights=weights.astype(np.float32),
            speaks=ngrams.speaks[tokens],
        )

    @cached_property
    def _token_borders(self) -> tuple[IntArray, IntArray]:
        rows = np.arange(self.rows.ngrams.n_texts)
        token_rows = self.rows.ngrams.token_rows
        return np.searchsorted(token_rows, rows), np.searchsorted(token_rows, rows, side="right")

    @cached_property
    def _shares(self) -> FloatArray:
        """Of the known n-grams in the order of their cells, each one's share of the value of its cell."""
        counts = self.rows.cells.counts
        return np.repeat(self.rows.matrix.data / counts.astype(np.float32), counts)


def _ranges(begins: IntArray, sizes: IntArray) -> IntArray:
    """The concatenation of arange(begin, begin + size) for each pair."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - sizes - begins, sizes)


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """A Classifier (`nlp.protocols`) over linear heads."""

    name: str
    version: str
    sha256: str
    taxonomy: tuple[str, str]
    vectorizer: Vectorizer
    linear_heads: Mapping[str, Head]

    @property
    def heads(self) -> Mapping[str, HeadSpec]:
        """The questions it answers, by name."""
        return {name: head.spec for name, head in self.linear_heads.items()}

    def read(self, texts: Sequence[str], *, contexts: Sequence[str] | None = None) -> LinearReading:
        """Read texts (Unicode NFC, any length, possibly empty) in one pass, each with its context."""
        return LinearReading(self.vectorizer.read(texts, contexts=contexts), self.linear_heads)
