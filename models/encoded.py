"""A Classifier over an encoder: texts read in windows, pooled to one vector, a linear head a question.

The encoder is a checkpoint run by torch (`models.transformer`) or by onnxruntime (`models.onnx`); neither is
imported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from models.linear import Head
from nlp.protocols import Attribution, FloatArray, HeadSpec
from nlp.types import Span


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """How a checkpoint reads.

    A window has at most `max_tokens` tokens, special ones among them; neighbours share `overlap`.
    `segmented`: the checkpoint knows words joined by "_", as PhoBERT does. Ids from `n_ids` on are pieces
    without an embedding: the checkpoint does not know them.
    """

    max_tokens: int
    overlap: int
    segmented: bool
    n_ids: int


@dataclass(frozen=True, slots=True)
class Window:
    """Token ids as the checkpoint takes them; from `at` on `n` of the text, the first its token `first`."""

    ids: tuple[int, ...]
    first: int
    at: int
    n: int


@dataclass(frozen=True, slots=True)
class CutText:
    """The span of each token in the text, in order and never crossing; and the windows over them."""

    spans: tuple[Span, ...]
    windows: tuple[Window, ...]


class Encoder(Protocol):
    """A checkpoint at work."""

    @property
    def backend(self) -> str:
        """What the manifest calls it."""
        ...

    @property
    def spec(self) -> WindowSpec:
        """How it reads."""
        ...

    @property
    def size(self) -> int:
        """Values of a vector."""
        ...

    def cut(self, text: str, *, context: str = "") -> CutText:
        """Cut a text (Unicode NFC) into windows, its context in each of them."""
        ...

    def embed(self, windows: Sequence[Window]) -> FloatArray:
        """The mean state of each window's tokens, float32, shape (n_windows, size)."""
        ...

    def states(self, window: Window) -> FloatArray:
        """The last state of each token of a window, float32, shape (n_tokens, size)."""
        ...

    def save(self, folder: Path) -> None:
        """Write the checkpoint into a folder, without code and without pickle."""
        ...


def shares(cut: CutText) -> FloatArray:
    """What each window weighs in the vector of its text, by its tokens; float32, shape (n_windows,)."""
    sizes = np.array([max(1, window.n) for window in cut.windows], dtype=np.float32)
    return np.asarray(sizes / sizes.sum(), dtype=np.float32)


@dataclass(frozen=True)
class EncoderReading:
    """Texts embedded once, answered by every head."""

    encoder: Encoder
    encoder_heads: Mapping[str, Head]
    texts: tuple[str, ...]
    cuts: tuple[CutText, ...]

    @cached_property
    def vectors(self) -> FloatArray:
        """One vector a text: the mean over its windows by their tokens; float32, shape (n_texts, size)."""
        if not self.cuts:
            return np.zeros((0, self.encoder.size), dtype=np.float32)
        found = self.encoder.embed([window for cut in self.cuts for window in cut.windows])
        parts = np.concatenate([shares(cut) for cut in self.cuts])
        firsts = np.cumsum([0, *(len(cut.windows) for cut in self.cuts[:-1])])
        return np.asarray(np.add.reduceat(found * parts[:, None], firsts), dtype=np.float32)

    def probabilities(self, head: str) -> FloatArray:
        """Calibrated probabilities, float32, shape (n_texts, n_labels)."""
        chosen = self.encoder_heads[head]
        return chosen.calibrate(self.vectors @ chosen.weights + chosen.bias)

    def attribute(self, questions: Sequence[tuple[int, str]], *, head: str) -> Attribution:
        """What each token adds to the score of a label, more than the mean token of its window.

        A score is a sum over tokens, as the vector is the mean of their states; these are its terms. They
        need no gradient, so that torch and onnxruntime show the same words.

        Source: Zhou et al. 2016, "Learning deep features for discriminative localization", section 2.
        """
        labels = self.encoder_heads[head].spec.labels
        numbers, spans, weights, speaks = [], [], [], []
        for number, (row, label) in enumerate(questions):
            terms = self._terms(row)[head][:, labels.index(label)].tolist()
            for span, term in zip(self.cuts[row].spans, terms, strict=True):
                if span.start < span.end:
                    numbers.append(number)
                    spans.append((span.start, span.end))
                    weights.append(term)
                    own = self.texts[row][span.start : span.end]
                    speaks.append(any(map(str.isalnum, own)))
        places = np.array(spans, dtype=np.int64).reshape(-1, 2)
        return Attribution(
            n_questions=len(questions),
            questions=np.array(numbers, dtype=np.int64),
            starts=places[:, 0],
            ends=places[:, 1],
            weights=np.array(weights, dtype=np.float32),
            speaks=np.array(speaks, dtype=np.bool_),
        )

    @cached_property
    def _known_terms(self) -> dict[int, dict[str, FloatArray]]:
        return {}

    def _terms(self, row: int) -> dict[str, FloatArray]:
        """By head what each token of a text adds to each label, float32, shape (n_tokens, n_labels)."""
        if row in self._known_terms:
            return self._known_terms[row]
        cut = self.cuts[row]
        total = {
            name: np.zeros((len(cut.spans), len(head.spec.labels)), dtype=np.float32)
            for name, head in self.encoder_heads.items()
        }
        for window, share in zip(cut.windows, shares(cut), strict=True):
            states = self.encoder.states(window)
            own = slice(window.at, window.at + window.n)
            beyond = (states - states.mean(axis=0))[own] * (share / len(states))
            for name, head in self.encoder_heads.items():
                total[name][window.first : window.first + window.n] += beyond @ head.weights
        self._known_terms[row] = total
        return total


@dataclass(frozen=True, slots=True)
class EncoderClassifier:
    """A Classifier (`nlp.protocols`) over an encoder."""

    name: str
    version: str
    sha256: str
    taxonomy: tuple[str, str]
    encoder: Encoder
    encoder_heads: Mapping[str, Head]

    @property
    def heads(self) -> Mapping[str, HeadSpec]:
        """The questions it answers, by name."""
        return {name: head.spec for name, head in self.encoder_heads.items()}

    def read(
        self, texts: Sequence[str], *, contexts: Sequence[str] | None = None
    ) -> EncoderReading:
        """Read texts (Unicode NFC, any length, possibly empty) in one pass, each with its context."""
        beside = contexts if contexts is not None else ("",) * len(texts)
        cuts = tuple(
            self.encoder.cut(text, context=context)
            for text, context in zip(texts, beside, strict=True)
        )
        return EncoderReading(self.encoder, self.encoder_heads, tuple(texts), cuts)
