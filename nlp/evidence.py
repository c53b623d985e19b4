"""The words that prove a label: from what each syllable adds to its score to a few spans.

Faithful by construction for linear models: the weights are the very terms of the score. Works on a whole
batch at a time.
"""

from collections.abc import Sequence

import numpy as np

from nlp.protocols import Attribution
from nlp.types import Span

MAX_SPANS = 3
_SHARE_OF_BEST = 0.3  # a syllable below this share of the strongest one proves little
_MAX_GAP = 1  # code points between two syllables of one span: a blank


def pick_evidence(attribution: Attribution) -> list[tuple[Span, ...]]:
    """Choose up to three spans a question, in the order of the text.

    A span is a run of neighbouring syllables that each add at least 30 % of what the strongest one adds;
    the runs with the largest sums are kept. Empty where nothing speaks for the label.
    """
    n = attribution.n_questions
    spans: list[list[tuple[float, Span]]] = [[] for _ in range(n)]
    weights = np.where(attribution.speaks, attribution.weights, 0)
    best = np.zeros(n, dtype=np.float32)
    firsts = np.flatnonzero(np.diff(attribution.questions, prepend=-1))
    if len(firsts):
        best[attribution.questions[firsts]] = np.maximum.reduceat(weights, firsts)
    strong = (weights > 0) & (weights >= _SHARE_OF_BEST * best[attribution.questions])
    at = np.flatnonzero(strong)
    if not len(at):
        return [()] * n
    questions, starts, ends = (
        attribution.questions[at],
        attribution.starts[at],
        attribution.ends[at],
    )
    breaks = np.ones(len(at), dtype=bool)
    breaks[1:] = (questions[1:] != questions[:-1]) | (starts[1:] - ends[:-1] > _MAX_GAP)
    firsts = np.flatnonzero(breaks)
    lasts = np.append(firsts[1:], len(at)) - 1
    sums = np.add.reduceat(weights[at], firsts)
    for question, start, end, total in zip(
        questions[firsts].tolist(),
        starts[firsts].tolist(),
        ends[lasts].tolist(),
        sums.tolist(),
        strict=True,
    ):
        spans[question].append((total, Span(start, end)))
    return [_strongest(found) for found in spans]


def _strongest(found: Sequence[tuple[float, Span]]) -> tuple[Span, ...]:
    kept = sorted(found, key=lambda pair: (-pair[0], pair[1]))[:MAX_SPANS]
    return tuple(sorted(span for _, span in kept))
