"""Probabilities as log-odds, finite: the same where a confidence is fitted and where it is used."""

import numpy as np
import numpy.typing as npt

_NEAR = 1e-6  # how near a probability comes to 0 and 1


def log_odds(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """ln(p / (1 - p)) of probabilities, any shape; p is kept a millionth away from 0 and 1."""
    inside = np.clip(probabilities, _NEAR, 1 - _NEAR)
    return np.asarray(np.log(inside) - np.log1p(-inside))
