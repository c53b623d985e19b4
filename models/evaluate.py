"""Figures of a classifier on labelled texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from models.agreement import agreement, is_clear
from models.calibration import BoolArray
from models.corpus import Example
from models.faithfulness import evidence_cost, faithfulness
from models.heads import Question, questions_of
from models.robustness import robustness
from nlp.pipeline import Pipeline
from nlp.protocols import Classifier, FloatArray, HeadSpec
from nlp.taxonomy import Taxonomy

_BINS = 10
_WANTED_PRECISION = 0.9


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts to measure on; `second` are labels of a second reading by SHA-256.

    `unlabelled_heads` are not measured: nobody labelled these texts for them.
    """

    examples: Sequence[Example]
    second: Mapping[str, Example] = field(default_factory=dict)
    unlabelled_heads: tuple[str, ...] = ()


def evaluate_all(pipeline: Pipeline, data: LabelledTexts) -> dict[str, Any]:
    """Everything a card shows of a set of texts.

    Returns:
        JSON values: `heads` (as `evaluate`), `agreement`, `robustness`, `evidence` and `evidence_cost`.
    """
    examples, second = data.examples, data.second
    classifier, taxonomy = pipeline.classifier, pipeline.taxonomy

    def labelled(report: dict[str, Any]) -> dict[str, Any]:
        return {name: own for name, own in report.items() if name not in data.unlabelled_heads}

    changed = robustness(classifier, examples, taxonomy=taxonomy)
    return {
        "heads": labelled(evaluate(classifier, examples, taxonomy=taxonomy, second=second)),
        "agreement": labelled(agreement(examples, second, taxonomy=taxonomy)),
        "robustness": {name: labelled(own) for name, own in changed.items()},
        "evidence": labelled(faithfulness(classifier, examples, taxonomy=taxonomy)),
        "evidence_cost": _rounded(evidence_cost(pipeline, examples)),
    }


def evaluate(
    classifier: Classifier,
    examples: Sequence[Example],
    *,
    taxonomy: Taxonomy,
    second: Mapping[str, Example] = MappingProxyType({}),
) -> dict[str, Any]:
    """Measure every head on the examples that it concerns, each under its heading.

    Args:
        classifier: what is measured.
        examples: labelled texts.
        taxonomy: their pack.
        second: labels of the same texts from a second reading, by SHA-256.

    Returns:
        JSON values: head name to the figures of `measure`, those of independent labels also for their
        `parents`, and with second labels those of the `clear` texts, where both readings agree. Heads
        without examples are left out.
    """
    report = {}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if not chosen:
            continue
        reading = classifier.read(
            [example.text for example in chosen],
            contexts=[example.context for example in chosen],
        )
        spec = classifier.heads[question.name]
        probabilities, gold = reading.probabilities(question.name), question.targets(chosen)
        clear = np.array([_is_clear(question, example, second=second) for example in chosen])
        figures = _with_parents(probabilities, gold, spec=spec, taxonomy=taxonomy)
        if clear.any():
            own = _with_parents(probabilities[clear], gold[clear], spec=spec, taxonomy=taxonomy)
            figures["clear"] = {key: value for key, value in own.items() if key != "labels"}
        report[question.name] = figures
    return report


def _is_clear(question: Question, example: Example, *, second: Mapping[str, Example]) -> bool:
    other = second.get(example.sha256)
    return other is not None and is_clear(question, example, other)


def _with_parents(
    probabilities: FloatArray, gold: BoolArray, *, spec: HeadSpec, taxonomy: Taxonomy
) -> dict[str, Any]:
    """The figures of a head; of independent labels also `parents`, micro-F1 of the areas above them."""
    figures = measure(probabilities, gold, spec=spec)
    if spec.multi:
        above = {c.code: c.parent or c.code for c in taxonomy.facets["task_area"].categories}
        names = sorted({above[label] for label in spec.labels})
        belongs = np.array([[above[label] == name for name in names] for label in spec.labels])
        predicted, wanted = (probabilities >= 0.5) @ belongs, gold @ belongs
        hits, n = int((predicted & wanted).sum()), int(predicted.sum() + wanted.sum())
        figures["parents"] = _rounded(2 * hits / max(1, n))
    return figures


def measure(probabilities: FloatArray, gold: BoolArray, *, spec: HeadSpec) -> dict[str, Any]:
    """The figures of one head.

    - `accuracy`: the best label is one of the gold labels (texts with any).
    - `macro_f1`, `micro_f1`: of the best label; of independent labels, all from 0.5 on.
    - `asserted_*`: precision, recall and share of texts (coverage) of what passes the threshold.
    - `coverage_at_90`: the largest share of texts, the surest first, of whose best labels nine in ten are
      right (El-Yaniv & Wiener 2010, risk and coverage); of exclusive labels alone.
    - `ece`: expected calibration error of the best label, 10 bins of equal width (Guo et al. 2017).
    - `labels`: precision, recall, F1 and support of each, of the asserted or best labels.
    """
    labelled = gold.any(axis=1)
    best = probabilities.argmax(axis=1)
    hit = gold[np.arange(len(gold)), best]
    predicted = _predicted(probabilities, spec=spec)
    asserted = probabilities >= np.array(spec.assert_at, dtype=np.float32)
    figures = _per_label(predicted, gold, labels=spec.labels)
    hits, sizes = (predicted & gold).sum(axis=0), predicted.sum(axis=0) + gold.sum(axis=0)
    supported = (2 * hits / np.maximum(1, sizes))[gold.any(axis=0)]
    return {
        "n": len(gold),
        "accuracy": _rounded(hit[labelled].mean() if labelled.any() else 0.0),
        "macro_f1": _rounded(supported.mean() if len(supported) else 0.0),
        "micro_f1": _rounded(
            _f1(int((predicted & gold).sum()), int(predicted.sum()), int(gold.sum()))
        ),
        "asserted_precision": _rounded((asserted & gold).sum() / max(1, asserted.sum())),
        "asserted_recall": _rounded((asserted & gold).sum() / max(1, gold.sum())),
        "coverage": _rounded(asserted.any(axis=1).mean()),
        **({} if spec.multi else {"coverage_at_90": _coverage(probabilities.max(axis=1), hit)}),
        "ece": _rounded(expected_calibration_error(probabilities.max(axis=1), hit)),
        "labels": figures,
    }


def surest_errors(
    classifier: Classifier, examples: Sequence[Example], *, taxonomy: Taxonomy, n: int = 3
) -> dict[str, list[tuple[str, tuple[str, ...], str, float]]]:
    """The `n` most probable wrong answers of each head: text, gold labels, answer, probability."""
    report = {}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if not chosen:
            continue
        contexts = [example.context for example in chosen]
        reading = classifier.read([example.text for example in chosen], contexts=contexts)
        probabilities, gold = reading.probabilities(question.name), question.targets(chosen)
        best = probabilities.argmax(axis=1)
        sure = np.where(gold[np.arange(len(gold)), best], 0, probabilities.max(axis=1))
        worst = np.argsort(-sure, kind="stable")[:n].tolist()
        report[question.name] = [
            (
                chosen[row].text,
                question.answers(chosen[row]),
                question.labels[best[row]],
                _rounded(sure[row]),
            )
            for row in worst
            if sure[row] > 0
        ]
    return report


def expected_calibration_error(confidence: FloatArray, right: BoolArray) -> float:
    """The mean gap between confidence and accuracy over 10 bins, weighted by their sizes, in [0, 1]."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gap = 0.0
    for i in range(_BINS):
        inside = bins == i
        if inside.any():
            gap += abs(confidence[inside].mean() - right[inside].mean()) * inside.mean()
    return float(gap)


def _coverage(confidence: FloatArray, right: BoolArray) -> float:
    """The largest share of texts, the surest first, that are right 90 % of the time, in [0, 1]."""
    order = np.argsort(-confidence, kind="stable")
    n = np.arange(1, len(order) + 1)
    reached = np.flatnonzero(np.cumsum(right[order]) / n >= _WANTED_PRECISION)
    return _rounded((reached[-1] + 1) / len(order)) if len(reached) else 0.0


def _predicted(probabilities: FloatArray, *, spec: HeadSpec) -> BoolArray:
    """Labels counted for F1: the best one, and for independent labels all from 0.5 on."""
    predicted = np.zeros(probabilities.shape, dtype=bool)
    if spec.multi:
        return np.asarray(probabilities >= 0.5, dtype=bool)
    predicted[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
    return predicted


def _per_label(
    predicted: BoolArray, gold: BoolArray, *, labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    figures = {}
    for i, label in enumerate(labels):
        hits = int((predicted[:, i] & gold[:, i]).sum())
        n_predicted, n_gold = int(predicted[:, i].sum()), int(gold[:, i].sum())
        figures[label] = {
            "precision": _rounded(hits / max(1, n_predicted)),
            "recall": _rounded(hits / max(1, n_gold)),
            "f1": _rounded(_f1(hits, n_predicted, n_gold)),
            "support": n_gold,
        }
    return figures


def _f1(hits: int, n_predicted: int, n_gold: int) -> float:
    return 2 * hits / max(1, n_predicted + n_gold)


def _rounded(value: float) -> float:
    return round(float(value), 3)
