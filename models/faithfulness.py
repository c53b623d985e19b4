"""Whether the words shown are the words that decided: take them away and see.

Source: DeYoung et al. 2020 (ERASER), comprehensiveness, against random words of the same number.
"""

import re
import time
import zlib
from collections.abc import Sequence

import numpy as np

from models.corpus import Example
from models.heads import Question, questions_of
from nlp.evidence import pick_evidence
from nlp.pipeline import Pipeline, Request
from nlp.protocols import Classifier, FloatArray
from nlp.readers import from_text
from nlp.taxonomy import Taxonomy
from nlp.types import Analysis, Span

_WORD = re.compile(r"\w+")
_DRAWS = 5


def faithfulness(
    classifier: Classifier, examples: Sequence[Example], *, taxonomy: Taxonomy
) -> dict[str, dict[str, float]]:
    """What the best label of each text loses without its evidence, and without as many random words.

    Returns:
        JSON values: head to `n` texts with evidence, mean `drop` of the probability, mean `random_drop`,
        and the share of texts where the evidence weighs `more`.
    """
    report = {}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if chosen and question.name != "text_kind":  # for which no evidence is shown
            figures = _measure(classifier, chosen, question=question)
            if figures:
                report[question.name] = figures
    return report


def evidence_cost(pipeline: Pipeline, examples: Sequence[Example]) -> float:
    """Time to find the evidence of what is asserted about opinions, as a share of the rest of the work."""
    texts = [example.text for example in examples if example.kind == "opinion"]
    requests = [Request(str(i), from_text(text), "opinion") for i, text in enumerate(texts)]
    whole = explain = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        analyses = pipeline.analyze_all(requests)
        whole = min(whole, time.perf_counter() - start)
        reading = pipeline.classifier.read(texts)
        reading.probabilities("sentiment")  # as in the pipeline, the matrix is there already
        start = time.perf_counter()
        for head, codes in _asserted(analyses).items():
            pick_evidence(reading.attribute(codes, head=head))
        explain = min(explain, time.perf_counter() - start)
    return explain / (whole - explain)


def _asserted(analyses: Sequence[Analysis]) -> dict[str, list[tuple[int, str]]]:
    """What is shown with its evidence: rows and codes by head."""
    asked: dict[str, list[tuple[int, str]]] = {
        "civic_field": [],
        "task_area_opinion": [],
        "sentiment": [],
    }
    for row, analysis in enumerate(analyses):
        asked["civic_field"] += [(row, label.code) for label in analysis.civic_field.labels]
        asked["task_area_opinion"] += [(row, label.code) for label in analysis.task_area.labels]
        if analysis.sentiment.label:
            asked["sentiment"].append((row, analysis.sentiment.label))
    return asked


def _measure(
    classifier: Classifier, chosen: Sequence[Example], *, question: Question
) -> dict[str, float]:
    labels = classifier.heads[question.name].labels
    texts = [example.text for example in chosen]
    contexts = [example.context for example in chosen]
    reading = classifier.read(texts, contexts=contexts)
    before = reading.probabilities(question.name)
    best = before.argmax(axis=1)
    asked = [(row, labels[i]) for row, i in enumerate(best)]
    proofs = pick_evidence(reading.attribute(asked, head=question.name))
    rows = [row for row, spans in enumerate(proofs) if spans]
    if not rows:
        return {}

    def drops(changed: Sequence[str]) -> FloatArray:
        after = classifier.read(changed, contexts=[contexts[row] for row in rows])
        kept = np.arange(len(rows)), best[rows]
        return np.asarray(before[rows, best[rows]] - after.probabilities(question.name)[kept])

    without = drops([_without(texts[row], proofs[row]) for row in rows])
    random = np.mean(
        [
            drops([_without(texts[row], _others(texts[row], proofs[row], draw)) for row in rows])
            for draw in range(_DRAWS)
        ],
        axis=0,
    )
    return {
        "n": len(rows),
        "drop": round(float(without.mean()), 3),
        "random_drop": round(float(random.mean()), 3),
        "more": round(float((without > random).mean()), 3),
    }


def _without(text: str, spans: Sequence[Span]) -> str:
    for span in sorted(spans, key=lambda span: -span.start):
        text = f"{text[: span.start]} {text[span.end :]}"
    return text


def _others(text: str, spans: Sequence[Span], draw: int) -> list[Span]:
    """As many random words as the evidence has, from outside it as far as there are any."""
    words = [Span(match.start(), match.end()) for match in _WORD.finditer(text)]
    shown = [w for w in words if any(w.start < s.end and s.start < w.end for s in spans)]
    free = [word for word in words if word not in shown] or words
    dice = np.random.default_rng(zlib.crc32(text.encode()) + draw)
    picked = dice.choice(len(free), size=min(len(shown), len(free)), replace=False)
    return [free[int(i)] for i in picked]
