"""From calibrated probabilities to an answer: labelled, none_of_these, or abstain.

Two honest kinds of "no": `none_of_these` is a decision (every category is improbable), `abstain` is none
(nothing is sure enough, a person must look).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.protocols import FloatArray, HeadSpec
from nlp.types import AssignedLabel, CategoryResult, Decision, Guess, Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one head for one text.

    `chosen` are (code, probability), most probable first; empty unless the decision is `labelled`.
    `guess` is the best single answer whatever the decision.
    """

    decision: Decision
    guess: Guess
    chosen: tuple[tuple[str, float], ...] = ()


Chosen = tuple[tuple[str, float], ...]


def choose(probabilities: FloatArray, *, head: HeadSpec, max_labels: int = 1) -> list[Chosen]:
    """The labels that each row of probabilities asserts, most probable first, at most `max_labels`.

    `probabilities` has shape (n_texts, n_labels). A label is asserted from its `assert_at` on.
    """
    asserted = probabilities >= np.array(head.assert_at, dtype=np.float32)
    asserted |= asserted.any(axis=1, keepdims=True) & (probabilities >= np.float32(head.also_at))
    rows, columns = np.nonzero(asserted)
    chosen: list[Chosen] = [()] * len(probabilities)
    for row, column, probability in zip(
        rows.tolist(), columns.tolist(), probabilities[rows, columns].tolist(), strict=True
    ):
        chosen[row] += ((head.labels[column], probability),)
    return [
        own if len(own) < 2 else tuple(sorted(own, key=lambda pair: -pair[1])[:max_labels])
        for own in chosen
    ]


def decide(
    probabilities: FloatArray,
    *,
    head: HeadSpec,
    max_labels: int = 1,
    reject_code: str | None = None,
) -> tuple[Verdict, ...]:
    """Decide each row of probabilities, shape (n_texts, n_labels).

    A label is asserted from its `assert_at` on; at most `max_labels` are kept. With `reject_code`, the
    category that says "none of these" decides when it is asserted and nothing beats it. Without one,
    `none_of_these` needs every probability below `reject_below`.
    """
    best = probabilities.argmax(axis=1) if len(probabilities) else np.zeros(0, dtype=np.int64)
    most = probabilities.max(axis=1, initial=0)
    return tuple(
        _verdict(
            Guess(head.labels[column], round_probability(probability)),
            found,
            head=head,
            max_labels=max_labels,
            reject_code=reject_code,
        )
        for column, probability, found in zip(
            best.tolist(),
            most.tolist(),
            choose(probabilities, head=head, max_labels=max_labels + 1),
            strict=True,
        )
    )


def _verdict(
    guess: Guess,
    asserted: Chosen,
    *,
    head: HeadSpec,
    max_labels: int,
    reject_code: str | None,
) -> Verdict:
    if not asserted:
        is_none = guess.probability < head.reject_below
        return Verdict("none_of_these" if is_none else "abstain", guess)
    if asserted[0][0] == reject_code:
        return Verdict("none_of_these", guess)
    chosen = tuple(
        (code, round_probability(probability))
        for code, probability in asserted
        if code != reject_code
    )
    return Verdict("labelled", guess, chosen[:max_labels])


def round_probability(probability: float) -> float:
    """Four decimals: more would claim a precision that no calibration has."""
    return round(probability, 4)


_Evidence = Mapping[tuple[int, str], tuple[Span, ...]]


def category_result(verdict: Verdict, *, row: int, evidence: _Evidence) -> CategoryResult:
    """The answer of a facet for one text; `evidence` is looked up by (row, code)."""
    labels = tuple(
        AssignedLabel(code, probability, evidence[row, code])
        for code, probability in verdict.chosen
    )
    return CategoryResult(
        decision=verdict.decision,
        primary=labels[0].code if labels else None,
        guess=verdict.guess,
        labels=labels,
    )


def merge_paragraphs(
    verdicts: Sequence[Verdict], *, lengths: Sequence[int], evidence: _Evidence
) -> CategoryResult:
    """The answer for a whole document from those of its paragraphs.

    Every label of a paragraph is one of the document, with the probability of the surest paragraph and
    the evidence of all. The primary label covers the most code points (`lengths`); ties go to the
    more probable. Without labels the document abstains if any paragraph does.
    """
    best: dict[str, float] = {}
    covered: Counter[str] = Counter()
    proofs: dict[str, list[Span]] = {}
    guesses: Counter[str] = Counter()
    sure: dict[str, float] = {}
    for row, (verdict, length) in enumerate(zip(verdicts, lengths, strict=True)):
        guess = verdict.guess
        guesses[guess.code] += round(length * guess.probability)
        sure[guess.code] = max(sure.get(guess.code, 0.0), guess.probability)
        for code, probability in verdict.chosen:
            best[code] = max(best.get(code, 0.0), probability)
            covered[code] += length
            proofs.setdefault(code, []).extend(evidence[row, code])
    order = sorted(best, key=lambda code: (-covered[code], -best[code], code))
    top = min(guesses, key=lambda code: (-guesses[code], code), default=None)
    return CategoryResult(
        decision=_merge_decisions([verdict.decision for verdict in verdicts]),
        primary=order[0] if order else None,
        guess=Guess(order[0], best[order[0]])
        if order
        else Guess(top, sure[top])
        if top is not None
        else None,
        labels=tuple(AssignedLabel(code, best[code], tuple(proofs[code])) for code in order),
    )


def _merge_decisions(decisions: Sequence[Decision]) -> Decision:
    """Any label, else any doubt, else none of these."""
    if "labelled" in decisions:
        return "labelled"
    return "none_of_these" if decisions and "abstain" not in decisions else "abstain"
