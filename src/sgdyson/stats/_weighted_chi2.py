"""Law of a weighted sum of squared normal numbers, exact far into its tail."""

import numpy as np
from scipy.optimize import brentq

from .._types import Floats


def weighted_chi2_sf(x: float, weights: Floats) -> float:
    r"""$P(\sum_j \lambda_j Z_j^2 > x)$ for independent standard normal $Z_j$.

    $$P = \frac{1}{2\pi i} \int_{c - i\infty}^{c + i\infty} e^{K(s) - s x} \frac{ds}{s}, \qquad
    K(s) = -\tfrac12 \sum_j \ln(1 - 2 \lambda_j s),$$

    by the trapezoidal rule on a parabola through the saddle point c (Rice, SIAM J. Sci. Stat.
    Comput. 1, 438 (1980)), bent round the branch cut $s \ge 1/(2\lambda_1)$ so that the integrand
    falls off as a Gaussian. Nothing cancels: small p-values keep their relative accuracy.

    Args:
        x: of any sign.
        weights: (j,), not negative, not all zero.

    Returns:
        A probability.
    """
    if x <= 0:
        return 1.0
    x, weights = x / float(weights.max()), weights / weights.max()  # the cut begins at s = 1/2
    if x > 1.4 * weights.sum() + 3200:  # Chernoff's bound at s = 1/4 is below the least double
        return 0.0
    # on the parabola s = 1/2 - z^2/x, z = depth - i t, the factor exp(-s x) falls off as exp(-t^2);
    # it meets the real axis at the saddle, and the pole s = 0 lies at z = sqrt(x/2)
    depth = np.sqrt(x * (0.5 - _saddle(x, weights)))
    to_pole = np.sqrt(x / 2) - depth
    step = min(depth, to_pole, 1.0) / 4  # error exp(-2 pi 4)
    # the lower half is the conjugate of the upper; exp(-6.5^2) is below rounding
    z = depth - 1j * np.arange(0.0, 6.5 + depth, step)
    s = 0.5 - z * z / x
    factors = 1 - 2 * weights[:, None] * s
    # their logarithm in two parts: NumPy's of complex numbers takes ten times as long
    logarithm = np.log(np.abs(factors)).sum(axis=0) + 1j * np.angle(factors).sum(axis=0)
    exponent = -0.5 * logarithm - s * x
    terms = (np.exp(exponent) * z / s).real
    return float(np.clip(2 * step / (np.pi * x) * (terms.sum() - terms[0] / 2), 0.0, 1.0))


def _saddle(x: float, weights: Floats) -> float:
    """Where $K'(s) = x$, or a little above the pole at zero when that lies below it."""
    least = min(0.25, 0.5 / float(np.sqrt(2 * np.sum(weights**2))))

    def slope(s: float) -> float:
        return float(np.sum(weights / (1 - 2 * weights * s))) - x

    if slope(least) >= 0:
        return least
    # at the upper end the term of the largest weight, which is 1, exceeds x alone
    return float(brentq(slope, least, 0.5 - 0.4 / x))
