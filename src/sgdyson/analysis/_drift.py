"""Whether levels have come to rest."""

import numpy as np

from .._types import Floats

_DRIFT = 4.0  # standard errors


def still_drift(levels: Floats) -> bool:
    """Whether the first half of the records has another mean than the second."""
    half = levels.shape[1] // 2
    if not half:
        return False
    change = levels[:, -half:].mean(axis=1) - levels[:, :half].mean(axis=1)
    error = change.std(axis=0, ddof=1) / len(change) ** 0.5
    return bool(np.any(np.abs(change.mean(axis=0)) > _DRIFT * error))
