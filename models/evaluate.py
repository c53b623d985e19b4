"""Figures of a classifier on labelled texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.calibration import BoolArray
from models.corpus import Example
from models.heads import questions_of
from nlp.protocols import Classifier, FloatArray, HeadSpec
from nlp.taxonomy import Taxonomy

_BINS = 10


def evaluate(
    classifier: Classifier, examples: Sequence[Example], *, taxonomy: Taxonomy
) -> dict[str, Any]:
    """Measure every head on the examples that it concerns.

    Returns:
        JSON values: head name to the figures of `measure`. Heads without examples are left out.
    """
    report = {}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if chosen:
            reading = classifier.read([example.text for example in chosen])
            report[question.name] = measure(
                reading.probabilities(question.name),
                question.targets(chosen),
                spec=classifier.heads[question.name],
            )
    return report


def measure(probabilities: FloatArray, gold: BoolArray, *, spec: HeadSpec) -> dict[str, Any]:
    """The figures of one head.

    - `accuracy`: the best label is one of the gold labels (texts with any).
    - `macro_f1`, `micro_f1`: of the best label; of independent labels, all from 0.5 on.
    - `asserted_*`: precision, recall and share of texts (coverage) of what passes the threshold.
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
        "ece": _rounded(expected_calibration_error(probabilities.max(axis=1), hit)),
        "labels": figures,
    }


def expected_calibration_error(confidence: FloatArray, right: BoolArray) -> float:
    """The mean gap between confidence and accuracy over 10 bins, weighted by their sizes, in [0, 1]."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gap = 0.0
    for i in range(_BINS):
        inside = bins == i
        if inside.any():
            gap += abs(confidence[inside].mean() - right[inside].mean()) * inside.mean()
    return float(gap)


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
