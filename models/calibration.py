"""From raw scores to probabilities, and from probabilities to thresholds.

Fitted on out-of-fold scores only. Parameters are rounded so that machines agree on every bit.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from models.odds import log_odds
from nlp.protocols import FloatArray

_DECIMALS = 3
_STEPS = 10**_DECIMALS
# Keeps the offset of a label near the shared one: own texts are not real ones.
_OFFSET_PENALTY = 1.0
_MIN_ASSERTED = 20  # a precision over fewer answers says little

BoolArray = npt.NDArray[np.bool_]
_IntArray = npt.NDArray[np.int64]


def fit_calibration(
    scores: FloatArray, gold: BoolArray, *, multi: bool
) -> tuple[FloatArray, FloatArray]:
    """Fit one slope for the head and an offset for each label by maximum likelihood.

    Of exclusive labels any gold one is right, for texts that have two.

    Args:
        scores: float32, shape (n_texts, n_labels).
        gold: bool, same shape.
        multi: independent labels (sigmoid) or exclusive ones (softmax).

    Returns:
        slope and offset, float32, shape (n_labels,).

    Source: Platt 1999 (sigmoid); Guo et al. 2017, section 4.2 (softmax with one temperature).
    """
    n_labels = scores.shape[1]
    s = scores.astype(np.float64)
    y = gold.astype(np.float64)

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        slope, offset = parameters[0], parameters[1:]
        logits = s * slope + offset
        if multi:
            value = np.sum(np.logaddexp(0, logits) - y * logits)
            residual = expit(logits) - y
        else:
            top = logits.max(axis=1, keepdims=True)
            shares = np.exp(logits - top)
            among_gold = np.sum(shares * y, axis=1, keepdims=True)
            whole = shares.sum(axis=1, keepdims=True)
            value = np.sum(np.log(whole) - np.log(among_gold))
            residual = shares / whole - shares * y / among_gold
        spread = offset - offset.mean()
        value += _OFFSET_PENALTY * len(s) * np.sum(spread**2) / n_labels
        gradient = residual.sum(axis=0) + 2 * _OFFSET_PENALTY * len(s) * spread / n_labels
        return float(value), np.concatenate([[np.sum(residual * s)], gradient])

    start = np.concatenate([[1.0], np.zeros(n_labels)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    slope = np.full(n_labels, round(float(found[0]), _DECIMALS), dtype=np.float32)
    return slope, np.round(found[1:], _DECIMALS).astype(np.float32)


def fit_confidence(probabilities: FloatArray, gold: BoolArray) -> FloatArray:
    """Fit how sure the best of exclusive labels really is, by maximum likelihood.

    One temperature bends all of a softmax alike; where many labels compete it is then too sure at the top
    and not sure enough at the bottom.

    Args:
        probabilities: float32, shape (n_texts, n_labels), each row sums to 1.
        gold: bool, same shape.

    Returns:
        `a` and `b`, float32, shape (2,): the best label is right with sigmoid(a * log-odds + b). (1, 0) where
        all or none of the best labels are right.

    Source: Gupta & Ramdas 2022 (top-label calibration), by the sigmoid of Platt 1999.
    """
    best = probabilities.argmax(axis=1)
    right = gold[np.arange(len(gold)), best].astype(np.float64)
    if right.min(initial=1) == right.max(initial=0):
        return np.array([1, 0], dtype=np.float32)
    odds = log_odds(probabilities.max(axis=1).astype(np.float64))

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logits = odds * parameters[0] + parameters[1]
        residual = expit(logits) - right
        value = np.sum(np.logaddexp(0, logits) - right * logits)
        return float(value), np.array([np.sum(residual * odds), np.sum(residual)])

    found = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, None), (None, None)]
    ).x
    return np.asarray(np.round(found, _DECIMALS), dtype=np.float32)


def assert_threshold(probabilities: FloatArray, gold: BoolArray, *, precision: float) -> float:
    """The lowest probability from which asserted labels are right at least `precision` of the time.

    All labels of the head count together. 1.01 (never) when no threshold reaches it.
    """
    steps = _to_steps(probabilities).ravel()
    order = np.argsort(-steps, kind="stable")
    cuts = steps[order][_reached(steps[order], gold.ravel()[order], precision=precision)]
    return float(cuts[-1]) / _STEPS if len(cuts) else 1.01


def reject_threshold(
    probabilities: FloatArray, gold: BoolArray, *, precision: float, below: float
) -> float:
    """The highest best-probability under which "none of these" is right at least `precision` of the time.

    At most `below`, the threshold of assertion; 0.0 (never) when no threshold reaches it.
    """
    best = _to_steps(probabilities).max(axis=1)
    none = np.logical_not(np.any(gold, axis=1))
    order = np.argsort(best, kind="stable")
    cuts = best[order][_reached(best[order], np.take(none, order), precision=precision)] + 1
    cuts = cuts[cuts <= round(below * _STEPS)]
    return float(cuts[-1]) / _STEPS if len(cuts) else 0.0


def second_threshold(
    probabilities: FloatArray, gold: BoolArray, *, precision: float, assert_at: float
) -> float:
    """The lowest probability from which the second-best label is right `precision` of the time too.

    Counted over texts whose best label is asserted. 1.01 (never) when no threshold reaches it.
    """
    rows = np.flatnonzero(probabilities.max(axis=1) >= assert_at)
    if not len(rows) or probabilities.shape[1] < 2:
        return 1.01
    second = np.argsort(-probabilities[rows], axis=1, kind="stable")[:, 1]
    return assert_threshold(probabilities[rows, second], gold[rows, second], precision=precision)


def _to_steps(probabilities: FloatArray) -> _IntArray:
    """Probabilities as whole thousandths, rounded down: thresholds are whole thousandths too.

    Compared as float32, as `nlp.decide` compares them.
    """
    grid = (np.arange(_STEPS + 1) / _STEPS).astype(np.float32)
    return np.searchsorted(grid, probabilities, side="right") - 1


def _reached(steps: _IntArray, right: BoolArray, *, precision: float) -> _IntArray:
    """After how many answers a cut has the precision; equal answers are never torn apart."""
    n = np.arange(1, len(steps) + 1)
    is_border = np.diff(steps, append=-1) != 0
    enough = n >= min(_MIN_ASSERTED, len(steps))
    return np.flatnonzero(is_border & enough & (np.cumsum(right) / n >= precision))
