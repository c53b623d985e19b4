"""What to look at next: where a person's answer is worth most, and nothing twice.

Each facet of an item has a use in [0, 1]: the reasons why it may need a look, each with a weight and a
strength, together make 1 - Π (1 - weight · strength).

- `migration` (1.0, always 1): what a person said has no place in the taxonomy version that views read.
- `runs_disagree` (0.9): a run that is not promoted yet says another thing; the strength is 1 - Jaccard of
  both sets of labels, and 1 where one side has none (query by committee: Seung et al. 1992).
- `abstained` and `unsure` (0.8): the strength is how little sure the model is (uncertainty sampling: Lewis &
  Gale 1994). Of labels that exclude each other (1 - p) · n / (n - 1) of the best of n, or 1 minus the margin
  to the second where two are asserted (Scheffer et al. 2001); of independent ones 1 - |2p - 1|.
- `second_reading` (0.5, always 1): one in ten that one person has answered, so that agreement can be told.

What is nearly the same text stands there once and says for how many.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import prod

import sqlalchemy as sa

from nlp.taxonomy import Facet
from service.actions import Desk
from service.store.dialect import snapshot
from service.store.records import Answer, Row
from service.store.review import (
    Candidate,
    Reason,
    Text,
    Wanted,
    find_candidates,
    read_labels,
    read_lost,
    read_texts,
)
from service.store.search import words_of
from service.store.views import EXCERPT_CHARS

_WEIGHTS: Mapping[Reason, float] = {
    "migration": 1.0,
    "runs_disagree": 0.9,
    "abstained": 0.8,
    "unsure": 0.8,
    "second_reading": 0.5,
}
_OF_DOUBT: tuple[Reason, ...] = ("abstained", "unsure")
_COMPARED = 400  # of the most useful candidates are told apart
_COMPARED_CHARS = 1_000  # of each text; the first 280 of two letters may be one letterhead
_SIMILARITY = 0.6  # of pairs of syllables: one changed in ten leaves 0.64
_TURN_S = 60  # after which other old items are looked at
_INDEPENDENT = "task_area"  # of the labels of this facet several may hold


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """An answer of a model: its best guess, and what it asserts with probability and evidence."""

    decision: str
    guess: str | None
    probability: float | None
    labels: tuple[Row, ...]  # code, probability, evidence as in an Analysis


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a person said under another version of the taxonomy."""

    codes: tuple[str, ...]
    taxonomy_version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One facet of an item to look at, and why; `n_similar` more say nearly the same.

    `model` is what views would show without people, `other` what a run says that is not promoted yet.
    """

    id: str
    kind: str
    excerpt: str
    facet: str
    reasons: tuple[Reason, ...]
    use: float
    n_similar: int
    model: ModelAnswer
    other: Answer | None
    earlier: Earlier | None


def next_to_review(desk: Desk, wanted: Wanted, *, limit: int) -> tuple[Entry, ...]:
    """What a reader should look at next, the most useful first."""
    with snapshot(desk.engine) as connection:
        found = find_candidates(connection, wanted)
        several = [one for one in found if len(one.answer.codes) > 1 and one.facet != _INDEPENDENT]
        labels = read_labels(connection, several)
        facets = desk.pipeline.taxonomy.facets
        uses = {
            (one.seq, one.facet): use_of(
                one, facet=facets[one.facet], labels=labels.get((one.seq, one.facet), ())
            )
            for one in found
        }
        ranked = sorted(found, key=lambda one: (-uses[one.seq, one.facet], -one.seq, one.facet))
        best = ranked[:_COMPARED]
        seqs = tuple(dict.fromkeys(one.seq for one in best))
        texts = read_texts(connection, seqs, n_chars=_COMPARED_CHARS)
        chosen = one_of_each([(one.facet, texts[one.seq].beginning) for one in best], n=limit)
        shown = {best[place]: n_similar for place, n_similar in chosen.items()}
        labels = read_labels(connection, shown)
        earlier = {one: _earlier(connection, one) for one in shown}
    return tuple(
        _entry(
            one,
            text=texts[one.seq],
            labels=labels.get((one.seq, one.facet), []),
            use=uses[one.seq, one.facet],
            n_similar=n_similar,
            earlier=earlier[one],
        )
        for one, n_similar in shown.items()
    )


def turn_of(desk: Desk) -> int:
    """Which of the old items are looked at now: others every minute."""
    return int(desk.now().timestamp() // _TURN_S)


def use_of(candidate: Candidate, *, facet: Facet, labels: Sequence[Row]) -> float:
    """How much a person's answer is worth, in [0, 1]; `labels` are those asserted if there are several."""
    strengths: dict[Reason, float] = dict.fromkeys(candidate.reasons, 1.0)
    doubt = _doubt(candidate, facet=facet, labels=labels)
    strengths |= {reason: doubt for reason in _OF_DOUBT if reason in strengths}
    if candidate.other is not None:
        strengths["runs_disagree"] = _distance(candidate.answer.codes, candidate.other.codes)
    kept = prod(1 - _WEIGHTS[reason] * strength for reason, strength in strengths.items())
    return round(1 - kept, 3)


def _doubt(candidate: Candidate, *, facet: Facet, labels: Sequence[Row]) -> float:
    best = candidate.answer.probability or 0.0
    if facet.name == _INDEPENDENT:
        return 1 - abs(2 * best - 1)
    if len(labels) > 1:
        first, second, *_ = sorted((label["probability"] for label in labels), reverse=True)
        return float(1 - (first - second))
    n = len(facet.leaves("opinion"))
    return min(1.0, (1 - best) * n / (n - 1))


def _distance(one: Sequence[str], other: Sequence[str]) -> float:
    """1 - Jaccard of two sets of labels; two refusals of different kinds are apart too."""
    both = {*one, *other}
    return 1 - len(set(one) & set(other)) / len(both) if both else 1.0


def one_of_each(texts: Sequence[tuple[str, str]], *, n: int) -> dict[int, int]:
    """The places of the first `n` texts that are not nearly the same, and for how many others each stands.

    Two texts of a facet are when the pairs of syllables in both are six in ten of those in either: the
    resemblance of Broder 1997, counted out, as pools are small and texts short.

    Args:
        texts: facet and text, the most wanted first.
        n: how many are wanted.
    """
    pairs = [_pairs(facet, words_of(text)) for facet, text in texts]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, own in enumerate(pairs):
        for pair in own:
            holders[pair].append(place)
    chosen: dict[int, int] = {}
    gone: set[int] = set()
    for place, own in enumerate(pairs):
        if len(chosen) == n:
            break
        if place in gone:
            continue
        common = Counter(chain.from_iterable(holders[pair] for pair in own))
        twins = {
            other
            for other, shared in common.items()
            if shared >= _SIMILARITY * (len(own) + len(pairs[other]) - shared)
        } - gone
        gone |= twins
        chosen[place] = len(twins - {place})
    return chosen


def _pairs(facet: str, words: str) -> set[tuple[str, ...]]:
    """The pairs of syllables of a text within its facet; of a single syllable, that."""
    syllables = words.split()
    return {(facet, *pair) for pair in pairwise(syllables)} or {(facet, word) for word in syllables}


def _earlier(connection: sa.Connection, candidate: Candidate) -> Earlier | None:
    if "migration" not in candidate.reasons:
        return None
    said = read_lost(connection, (candidate.seq, candidate.facet))
    return Earlier(said.codes, said.taxonomy_version) if said else None


def _entry(
    candidate: Candidate,
    *,
    text: Text,
    labels: Sequence[Row],
    use: float,
    n_similar: int,
    earlier: Earlier | None,
) -> Entry:
    answer = candidate.answer
    model = ModelAnswer(answer.decision, answer.guess, answer.probability, tuple(labels))
    return Entry(
        id=text.id,
        kind=candidate.kind,
        excerpt=text.beginning[:EXCERPT_CHARS],
        facet=candidate.facet,
        reasons=candidate.reasons,
        use=use,
        n_similar=n_similar,
        model=model,
        other=candidate.other,
        earlier=earlier,
    )
