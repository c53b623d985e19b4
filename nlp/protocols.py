"""The seams: what a second implementation must offer. Each has one suite in `tests/contracts/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nlp.types import Document

FloatArray = npt.NDArray[np.float32]


class Reader(Protocol):
    """Turns the bytes of one family of formats into a Document."""

    def __call__(self, data: bytes, *, media_type: str) -> Document:
        """Read a file.

        Raises:
            UnreadableFile: empty, damaged or encrypted.
            TooLarge: a limit was reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """One question the model answers.

    `multi`: the labels are independent (task areas); otherwise exactly one holds.
    `assert_at[i]`: probability from which label i is asserted (precision of 0.90 on validation).
    `reject_below`: with every label of a multi head below it, the answer is `none_of_these`;
    between the two the head abstains. Single heads have 0.0: they abstain below `assert_at`.
    `also_at`: in a single head, a second label is asserted beside the first from here on (1.01: never).
    """

    name: str
    labels: tuple[str, ...]
    multi: bool
    assert_at: tuple[float, ...]
    reject_below: float = 0.0
    also_at: float = 1.01


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each token of a text adds to the score of a label, for many questions at once.

    A question is a pair (text, label). Per token, shape (n_tokens,), in the order of questions and of
    the text: `questions` int64, `starts` and `ends` int64 offsets in that text, `weights` float32,
    `speaks` bool: whether the token can prove anything (no punctuation mark).
    """

    n_questions: int
    questions: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    weights: FloatArray
    speaks: npt.NDArray[np.bool_]


class Reading(Protocol):
    """One feature pass over some texts; every head is answered from it."""

    def probabilities(self, head: str) -> FloatArray:
        """Calibrated probabilities, float32, shape (n_texts, n_labels), each in [0, 1]."""
        ...

    def attribute(self, questions: Sequence[tuple[int, str]], *, head: str) -> Attribution:
        """Explain labels of one head: `questions` are (row of the text, label), rows not decreasing."""
        ...


class Classifier(Protocol):
    """A trained model: name, version, hash, heads, and a reading of texts."""

    @property
    def name(self) -> str:
        """Its folder under `models/artifacts/`."""
        ...

    @property
    def version(self) -> str:
        """Its version, x.y.z."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of its manifest, hexadecimal: two models of one hash answer alike."""
        ...

    @property
    def taxonomy(self) -> tuple[str, str]:
        """Pack name and version it was trained for."""
        ...

    @property
    def heads(self) -> Mapping[str, HeadSpec]:
        """The questions it answers, by name."""
        ...

    def read(self, texts: Sequence[str], *, contexts: Sequence[str] | None = None) -> Reading:
        """Read texts (Unicode NFC, any length, possibly empty) in one pass.

        `contexts` has one string a text: the heading it stands under, or "" for none.
        """
        ...
