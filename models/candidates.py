"""What people corrected, as lessons: a candidate beside the model that stands, never in its place.

The candidate learns the corpus and four fifths of the corrections. Both models are then measured on the
texts of the corpus that are held out, and on the fifth of the corrections that is.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.corpus import Example
from models.evaluate import evaluate
from models.recipe import Recipe
from models.registry import CANDIDATE
from nlp.errors import CorpusError
from nlp.protocols import Classifier
from nlp.taxonomy import Taxonomy
from nlp.text import fold

_HELD_OUT = 51  # of 256: a fifth
_WORD = re.compile(r"[^\W_]+")
_SHOWN = ("n", "accuracy", "macro_f1", "asserted_precision", "coverage", "ece")


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people said of stored texts, to learn from besides the corpus.

    `number` is that of the last correction read and tells one candidate from another. `standing` is the model
    to compare with. `left_out` counts what was corrected and teaches nothing, by reason.
    """

    examples: Sequence[Example]
    number: int
    standing: Classifier | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


def candidate_recipe(recipe: Recipe, corrections: Corrections, *, out: Path) -> Recipe:
    """The recipe under the version of the candidate, without the figures of the model it is made beside.

    Raises:
        CorpusError: the recipe would keep what a single text says, or this candidate is there already.
    """
    if recipe.encoder is not None:
        raise CorpusError("a candidate is linear: an encoder may know single texts by heart")
    if recipe.min_texts < 2:
        raise CorpusError("with corrections min_texts must be 2 or more: no text may be kept alone")
    version = f"{recipe.version}{CANDIDATE}corrections.{corrections.number}"
    if (out / recipe.name / version).exists():
        raise CorpusError(f"{recipe.name}@{version} is there already; nothing was corrected since")
    return recipe.model_copy(update={"version": version, "measured": None})


def split_corrections(
    corrections: Corrections, *, corpus: Sequence[Example]
) -> tuple[list[Example], list[Example]]:
    """The corrections to learn from and those held out; a text of the corpus stays what the corpus says."""
    known = {example.sha256 for example in corpus}
    fresh = [example for example in corrections.examples if example.sha256 not in known]
    learnt = [example for example in fresh if not is_held_out(example)]
    return learnt, [example for example in fresh if is_held_out(example)]


def is_held_out(example: Example) -> bool:
    """A fifth of all texts, by the hash of their words: spelling them another way changes nothing."""
    words = " ".join(_WORD.findall(fold(example.text)))
    return hashlib.sha256(words.encode()).digest()[0] < _HELD_OUT


def compare(
    candidate: Classifier,
    standing: Classifier | None,
    *,
    parts: Mapping[str, Sequence[Example]],
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    """Figures of both models side by side, by part and head; those of `standing` only under the same pack.

    Returns:
        JSON values without any text: part to head to `standing` (or null) and `candidate`.
    """
    same_pack = standing is not None and standing.taxonomy == candidate.taxonomy
    report = {}
    for name, examples in parts.items():
        new = evaluate(candidate, examples, taxonomy=taxonomy)
        old = evaluate(standing, examples, taxonomy=taxonomy) if standing and same_pack else {}
        report[name] = {
            head: {"standing": _shown(old.get(head)), "candidate": _shown(own)}
            for head, own in new.items()
        }
    return report


def _shown(figures: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {name: figures[name] for name in _SHOWN} if figures else None
