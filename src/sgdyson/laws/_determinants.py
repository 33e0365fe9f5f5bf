r"""Laws of an extreme level from det(1 - V) and det(1 + V), as logarithms with all their digits.

With $\lambda_i$ the eigenvalues of V, $a = \ln\det(1 - V)$ and $b = \ln\det(1 + V)$, the extreme
level stays out of the interval with probability
$$E = e^a \ (\beta = 1), \qquad e^{a + b} \ (\beta = 2), \qquad
\tfrac12 (e^a + e^b) \ (\beta = 4).$$
Where E is near one, what is missing is summed before it vanishes beside one. Where E is tiny,
determinants lose their digits to $1 - \lambda$; there a + b and b - a come from asymptotic series.
"""

import numpy as np

from .._types import Floats


def of_eigenvalues(values: Floats, slopes: Floats, beta: int) -> tuple[float, float, float]:
    """Ln E, ln(1 - E) and ln -E', by the variable with which V grows and by which slopes are."""
    minus, plus = np.log1p(-values), np.log1p(values)
    a, b, both = minus.sum(), plus.sum(), np.log1p(-(values**2)).sum()
    if beta == 1:
        density = np.exp(a) * (slopes / (1 - values)).sum()
        return a, np.log(-np.expm1(a)), np.log(density)
    if beta == 2:
        density = np.exp(both) * (2 * slopes * values / (1 - values**2)).sum()
        return both, np.log(-np.expm1(both)), np.log(density)
    # 1 - E = 1 - e^{(a + b)/2} cosh((b - a)/2); (1 +- V) without one eigenvalue, its odd terms
    half = (b - a) / 2
    above = -np.expm1(both / 2) * np.cosh(half) - 2 * np.sinh(half / 2) ** 2
    density = slopes @ (np.expm1(a - minus) - np.expm1(b - plus)) / 2
    return np.logaddexp(a, b) - np.log(2), np.log(above), np.log(density)


def of_series(
    both: Floats, difference: Floats, rate: Floats, q: Floats, beta: int
) -> tuple[Floats, Floats]:
    """Ln E and ln -E' from a + b, b - a, -(a + b)' and (b - a)'."""
    a, b = (both - difference) / 2, (both + difference) / 2
    if beta == 1:
        return a, a + np.log((rate + q) / 2)
    if beta == 2:
        return both, both + np.log(rate)
    ratio = np.exp(a - b)
    return b + np.log1p(ratio) - np.log(2), b + np.log(((rate - q) + ratio * (rate + q)) / 4)
