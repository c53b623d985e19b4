"""What a model was measured against, kept as `reference.json`: its answers to the opinions held out.

`confusions` say how often a true label is answered as another: by them counts of answers can be corrected.
The profile says how those texts were written and how sure the model was of them: texts of a later day are
compared with it. Only counts are kept, never a text.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from models.corpus import Example
from models.heads import Question, questions_of
from models.registry import MANIFEST, REFERENCE
from nlp.decide import Verdict, decide
from nlp.errors import ArtifactError, CorpusError
from nlp.privacy import mask
from nlp.protocols import Classifier
from nlp.quality import profile
from nlp.taxonomy import Taxonomy

ABSTAIN, NONE = "abstain", "none_of_these"
STYLE = ("n_syllables", "plain_share", "unknown_share")
_N_BINS = 10
_DIGITS = 4  # as many as probabilities have


@dataclass(frozen=True, slots=True)
class Confusion:
    """`counts[i][j]`: opinions whose true main label is `labels[i]` and whose answer was `answers[j]`.

    The answers are the labels, then `abstain` and `none_of_these`; a category that stands for none of the
    others is answered as the latter.
    """

    labels: tuple[str, ...]
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie between `edges`, which rise: from each edge on the next bin begins.

    There is one bin more than edges. They are the deciles, so that each bin has a tenth where values differ.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The answers of the model with this manifest to `n` opinions; by facet, but for `style`.

    `style`: number of syllables, share of them without diacritics, share of unknown ones (`nlp.quality`).
    `confidence`: probability of the best answer. `decisions`: how many were labelled, and so on.
    """

    model_sha256: str
    n: int
    confusions: Mapping[str, Confusion]
    style: Mapping[str, Histogram]
    confidence: Mapping[str, Histogram]
    decisions: Mapping[str, Mapping[str, int]]


_JSON = TypeAdapter(Reference)


def measure_reference(
    classifier: Classifier, examples: Sequence[Example], *, taxonomy: Taxonomy
) -> Reference:
    """Ask the model about the opinions among labelled texts, masked as they are at work.

    Raises:
        CorpusError: there are no opinions among them.
    """
    opinions = [example for example in examples if example.kind == "opinion"]
    if not opinions:
        raise CorpusError("no opinion is held out, so there is nothing to compare later texts with")
    texts = [mask(example.text) for example in opinions]
    reading = classifier.read(texts)
    fields = taxonomy.facets["civic_field"]
    confusions, confidence, decisions = {}, {}, {}
    for question in questions_of(taxonomy):
        if "opinion" not in question.kinds or question.name == "text_kind":
            continue
        reject = fields.reject_code if question.facet == "civic_field" else None
        spec = classifier.heads[question.name]
        verdicts = decide(reading.probabilities(question.name), head=spec, reject_code=reject)
        confidence[question.facet] = histogram([v.guess.probability for v in verdicts])
        decisions[question.facet] = dict(Counter[str](v.decision for v in verdicts))
        if not question.multi:
            confusions[question.facet] = _confusion(question, opinions, verdicts=verdicts)
    styles = [profile(text) for text in texts]
    return Reference(
        model_sha256=classifier.sha256,
        n=len(opinions),
        confusions=confusions,
        style={name: histogram([getattr(style, name) for style in styles]) for name in STYLE},
        confidence=confidence,
        decisions=decisions,
    )


def histogram(values: Sequence[float]) -> Histogram:
    """The bins between the deciles of some values, at least one; equal deciles make one edge."""
    parts = np.arange(1, _N_BINS) / _N_BINS
    deciles = np.quantile(values, parts, method="higher").round(_DIGITS)  # values, none in between
    edges = np.unique(deciles[deciles > min(values)])
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _confusion(
    question: Question, examples: Sequence[Example], *, verdicts: Sequence[Verdict]
) -> Confusion:
    answers = (*question.labels, ABSTAIN, NONE)
    seen = Counter(
        (question.answers(example)[0], verdict.chosen[0][0] if verdict.chosen else verdict.decision)
        for example, verdict in zip(examples, verdicts, strict=True)
    )
    rows = tuple(tuple(seen[label, answer] for answer in answers) for label in question.labels)
    return Confusion(question.labels, answers, rows)


def write_reference(reference: Reference, *, folder: Path) -> Path:
    """Write it beside the artifact in `folder`; the manifest does not name it and stays as it is."""
    path = folder / REFERENCE
    text = json.dumps(asdict(reference), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def read_reference(folder: Path) -> Reference | None:
    """What the artifact in `folder` was measured against; None where nothing was kept for these very weights.

    Raises:
        ArtifactError: it cannot be read.
    """
    path = folder / REFERENCE
    if not path.exists():
        return None
    try:
        reference = _JSON.validate_json(path.read_bytes())
        manifest = (folder / MANIFEST).read_bytes()
    except (OSError, ValidationError) as error:
        raise ArtifactError(
            f"{path}: cannot be read; make it again with `danvan reference`"
        ) from error
    is_own = reference.model_sha256 == hashlib.sha256(manifest).hexdigest()
    return reference if is_own else None
