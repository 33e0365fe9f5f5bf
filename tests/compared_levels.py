"""Two samples of levels held against each other."""

import numpy as np
from scipy import stats

FALSE_ALARM = 1e-3  # of one comparison, shared among its levels


def smallest_pvalue(x: np.ndarray, y: np.ndarray) -> float:
    """Of Kolmogorov and Smirnov, over the levels, times their number."""
    pvalues = [stats.ks_2samp(a, b).pvalue for a, b in zip(x.T, y.T, strict=True)]
    return min(pvalues) * len(pvalues)
