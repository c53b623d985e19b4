"""A count with what it tells: its share and how far chance alone would move both.

All are worked out from rounded counts and made wider by what the rounding hides.
"""

from dataclasses import dataclass

from service.monitor.suppression import behind

_Z = 1.959964  # 95 %, two-sided
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Range:
    """The ends of an interval of 95 %."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the whole, 0 to 1, with its interval of 95 %."""

    value: float
    low: float
    high: float


def count_range(told: int, *, k: int) -> Range:
    """Between which means a count like this would be no surprise, were texts to come by chance alone.

    Source: Garwood 1936, Biometrika 28: exact limits of a Poisson mean, here as quantiles of gamma.
    """
    from scipy.special import gammaincinv

    least, most = behind(told, k=k)
    low, high = gammaincinv(least, _TAIL), gammaincinv(most + 1, 1 - _TAIL)
    return Range(round(float(low), 1), round(float(high), 1))


def share_of(told: int, whole: int | None, *, k: int) -> Share | None:
    """What a part is of its whole; None where nothing is told of the whole.

    Source: Wilson 1927, JASA 22: score interval of a binomial share.
    """
    if whole is None:
        return None
    least, most = behind(told, k=k)
    fewest, largest = behind(whole, k=k)
    low, _ = _wilson(least, largest)
    _, high = _wilson(min(most, fewest), fewest)
    return Share(*(round(part, 4) for part in (min(told / whole, 1.0), low, high)))


def _wilson(n: int, n_whole: int) -> tuple[float, float]:
    share, z2 = n / n_whole, _Z**2 / n_whole
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z * ((share * (1 - share) + z2 / 4) / n_whole) ** 0.5 / (1 + z2)
    return max(middle - half, 0.0), min(middle + half, 1.0)
