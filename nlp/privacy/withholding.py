"""What may not be said of a citizen's text, whatever a model reads in it."""

from collections.abc import Collection
from dataclasses import replace

from nlp.types import Analysis, CategoryResult


def withhold(analysis: Analysis, *, codes: Collection[str]) -> Analysis:
    """The Analysis of a citizen's text without task areas that may only be said of official ones.

    A model that never predicts them leaves nothing to do here; this holds for any other.
    """
    area = analysis.task_area
    labels = tuple(label for label in area.labels if label.code not in codes)
    decision = "abstain" if area.labels and not labels else area.decision
    guess = None if area.guess is not None and area.guess.code in codes else area.guess
    return replace(
        analysis,
        task_area=CategoryResult(decision, labels[0].code if labels else None, guess, labels),
        segments=tuple(
            replace(segment, task_area=tuple(c for c in segment.task_area if c not in codes))
            for segment in analysis.segments
        ),
    )
