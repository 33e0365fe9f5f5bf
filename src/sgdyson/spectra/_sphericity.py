r"""Is the bulk that of independent entries? John's test of sphericity, on its levels.

Of an M x n matrix of independent Gaussian entries of one variance, whatever it is, the ratio
$R = \sum_i x_i^2 / (\sum_i x_i)^2$ of the n levels $x_i$ of $W^T W$ has

$$\langle R \rangle = \frac{n + M + 1}{nM + 2}, \qquad
\mathrm{Var}\,R = \frac{4 (n-1)(n+2)(M-1)(M+2)}{(nM+2)^2 (nM+4)(nM+6)}$$

exactly (S. John, Biometrika 59, 169 (1972)); of large matrices of any proportion
$MnR - n - M$ is normal of mean $1 + \kappa$ and variance 4, $\kappa$ the excess kurtosis of the
entries (O. Ledoit and M. Wolf, Ann. Stat. 30, 1081 (2002); Q. Wang and J. Yao, Electron. J. Stat.
7, 2164 (2013)).
Anything but independent entries of one variance makes levels too wide, and R too large.
"""

import math

import numpy as np
from scipy.special import gammainc, gammaincc, ndtr

from .._types import Floats
from ..stats import Estimate

LEAST_KURTOSIS = -2.0  # of two values with equal chances


def sphericity_pvalue(
    levels: Floats, shape: tuple[int, int], kurtosis: tuple[float, float]
) -> float:
    """Chance that noise has levels at least as far from Marchenko and Pastur's, two-sided.

    Args:
        levels: of W^T W, positive, at least two of them.
        shape: shape of the matrix, less a row and a column for each level left out.
        kurtosis: the least and the largest excess kurtosis that the entries may have: levels are
            too narrow for the one, or too wide for the other.
    """
    n, m = sorted(shape)
    relative = levels / levels.max()
    # R is at least 1/n, that of equal levels: what is above has Gamma's law
    excess = float(np.sum(relative**2) / np.sum(relative) ** 2) - 1 / n
    (few, narrow), (many, wide) = (_law(n, m, value) for value in kurtosis)
    excess = max(excess, 0.0)
    return float(min(1.0, 2 * min(gammainc(few, excess / narrow), gammaincc(many, excess / wide))))


def sphericity_of_sums(
    ratio: Estimate, shape: tuple[int, int], kurtosis: tuple[float, float]
) -> float:
    """The same, of R with an error of its own, which is added to what noise has: less is seen.

    Args:
        ratio: R, the sum of squares of levels over the square of their sum.
        shape: see `sphericity_pvalue`.
        kurtosis: see `sphericity_pvalue`.
    """
    n, m = sorted(shape)
    excess = ratio.value - 1 / n
    (few, narrow), (many, wide) = (_law(n, m, value) for value in kurtosis)
    low = (excess - few * narrow) / math.hypot(math.sqrt(few) * narrow, ratio.error)
    high = (excess - many * wide) / math.hypot(math.sqrt(many) * wide, ratio.error)
    return float(min(1.0, 2 * min(ndtr(low), ndtr(-high))))


def _law(n: int, m: int, kurtosis: float) -> tuple[float, float]:
    """Shape and scale of Gamma's law with the mean and variance of R - 1/n, never negative."""
    size = n * m
    mean = (n + m + 1) / (size + 2) - 1 / n + kurtosis / size
    variance = 4.0 * (n - 1) * (n + 2) * (m - 1) * (m + 2)
    variance /= (size + 2.0) ** 2 * (size + 4.0) * (size + 6.0)
    mean = max(mean, 2 * math.sqrt(variance) / n)  # kurtosis of a few entries may be anything
    return mean**2 / variance, variance / mean
