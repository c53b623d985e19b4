"""Whether corrected counts are nearer the truth than raw ones, in a world where the truth is known.

    python -m tests.benchmarks.correction [--worlds 200]

A world draws how often each of 17 labels occurs in the reference and, differing a little or wholly, among the
opinions of a period; how a model of a given accuracy answers each label, errors going to a few others and to
abstentions; and then the texts of both. Only counts rounded to 10 are seen, as in the answers of the service.
The error is the sum of the absolute differences between shown and true shares of labels (0 to 2), over the
labels that are told; `raw` are the shares among the texts that were labelled.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.reference import Confusion
from service.monitor.correction import Answers, correct
from service.monitor.suppression import disclose

_K = 10
_N_LABELS = 17
_LABELS = tuple(f"L{i:02}" for i in range(_N_LABELS))
_ANSWERS = (*_LABELS, "abstain", "none_of_these")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of world: how good the model is, how many texts it was measured on, how many are counted.

    `likeness` is the concentration of the Dirichlet distribution that the shares of now are drawn from,
    around those of the reference; None: they have nothing to do with them.
    """

    likeness: float | None
    accuracy: float
    n_reference: int
    n_texts: int


CASES = [
    Case(likeness, accuracy, n_reference, n_texts)
    for likeness in (30.0, None)
    for accuracy in (0.70, 0.85)
    for n_reference in (500, 2_000)
    for n_texts in (500, 20_000)
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Mean errors, and the share of true counts that lie in their interval."""

    raw: float
    corrected: float
    nearer: float
    covered: float


def simulate(case: Case, *, n_worlds: int, seed: int = 1) -> Outcome:
    """The outcome over some worlds."""
    random = np.random.default_rng(seed)
    runs = [_world(case, random=random) for _ in range(n_worlds)]
    raw, corrected, covered, told = (np.array(column) for column in zip(*runs, strict=True))
    nearer = float(np.mean(corrected < raw))
    return Outcome(
        float(raw.mean()), float(corrected.mean()), nearer, float(covered.sum() / told.sum())
    )


def _world(case: Case, *, random: np.random.Generator) -> tuple[float, float, int, int]:
    rates = _rates(case.accuracy, random=random)
    usual, other = random.dirichlet(np.full(_N_LABELS, 1.5), size=2)
    now = other if case.likeness is None else random.dirichlet(usual * case.likeness + 1e-3)
    measured = np.array(
        [
            random.multinomial(n, row)
            for n, row in zip(_split(case.n_reference, usual, random), rates, strict=True)
        ]
    )
    truth = _split(case.n_texts, now, random)
    answered = [random.multinomial(n, row) for n, row in zip(truth, rates, strict=True)]
    seen = np.array(answered).sum(axis=0)
    told = tuple(disclose(int(n), k=_K) for n in seen)
    confusion = Confusion(_LABELS, _ANSWERS, tuple(map(tuple, measured.tolist())))
    period = Answers(told, disclose(case.n_texts, k=_K))
    [estimates] = correct([period], confusion, groups=[(label,) for label in _LABELS], k=_K)
    if estimates is None:
        raise RuntimeError("nothing was corrected")
    shown = [i for i in range(_N_LABELS) if told[i] is not None]
    labelled = sum(told[i] or 0 for i in shown)
    raw = sum(abs((told[i] or 0) / labelled - truth[i] / case.n_texts) for i in shown)
    error = sum(abs(estimates[i].count - truth[i]) / case.n_texts for i in shown)
    covered = sum(estimates[i].low - 0.5 <= truth[i] <= estimates[i].high + 0.5 for i in shown)
    return raw, error, int(covered), len(shown)


def _split(n: int, shares: Floats, random: np.random.Generator) -> npt.NDArray[np.int64]:
    drawn: npt.NDArray[np.int64] = random.multinomial(n, shares)
    return drawn


def _rates(accuracy: float, *, random: np.random.Generator) -> Floats:
    """How each label is answered: some well, some badly; errors go to a few others most of all."""
    right = random.beta(accuracy * 20, (1 - accuracy) * 20, size=_N_LABELS)
    rates = np.zeros((_N_LABELS, len(_ANSWERS)))
    for i in range(_N_LABELS):
        wrong = random.dirichlet(np.full(len(_ANSWERS) - 1, 0.3))
        rest = np.delete(np.arange(len(_ANSWERS)), i)
        rates[i, rest] = wrong * (1 - right[i]) * 0.6
        rates[i, _N_LABELS] += (1 - right[i]) * 0.4
        rates[i, i] = right[i]
    return rates


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    n_worlds = parser.parse_args().worlds
    sys.stdout.write(
        "| mix | accuracy | reference | opinions | raw error | corrected | nearer | covered |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|---|---|\n")
    for case in CASES:
        found = simulate(case, n_worlds=n_worlds)
        mix = "alike" if case.likeness else "other"
        sys.stdout.write(
            f"| {mix} | {case.accuracy:.0%} | {case.n_reference} | {case.n_texts} | {found.raw:.3f}"
            f" | {found.corrected:.3f} | {found.nearer:.0%} | {found.covered:.0%} |\n"
        )


if __name__ == "__main__":
    main()
