r"""Tracy and Widom's laws with all their digits in both tails, as logarithms.

With $\lambda_i$ the eigenvalues of V_r (see `TracyWidom`), $a = \ln\det(1 - V)$ and $b =
\ln\det(1 + V)$. In the right tail differences from one are summed before they vanish beside it. In
the left one determinants lose their digits to $1 - \lambda$; there a and b follow from Hastings and
McLeod's solution q of Painleve's second equation, $a + b = \ln F_2$, $b - a = \int_r^\infty q$, by
its series in $t^{-3}$, $t = -r$, what it leaves out being of order $e^{-2\sqrt2 t^{3/2}/3}$;
where the two meet, at r = -7.2, each is good to some 1e-7 of the density, and soon far better
(J. Baik, R. Buckingham and J. DiFranco, Commun. Math. Phys. 280, 463 (2008): the constants).
"""

import numpy as np
from numpy.polynomial import Polynomial
from scipy import special

from ._law import Floats
from ._table import quadrature

_A = Polynomial([1, -1 / 8, -73 / 128, -10657 / 1024, -13912277 / 32768, -8045883943 / 262144])
_ZETA_PRIME = -0.16542114370045092921  # of Riemann's zeta function at -1
_TERMS = 6


def left(r: Floats, beta: int) -> tuple[Floats, Floats]:
    """Ln F and ln F' far to the left, by r."""
    t = -r
    y = t**-3.0
    q = np.sqrt(t / 2) * _A(y)
    powers = 0.5 - 3 * np.arange(_TERMS)
    steep = Polynomial([0, 1]) * Polynomial(np.asarray(_A.coef, dtype=float) * powers) ** 2
    slope = 0.5 * _A**2 - 0.25 * _A**4 + 0.5 * steep
    rates = slope.coef[:_TERMS]
    higher = sum(rates[k] * t ** (3.0 - 3 * k) / (3 - 3 * k) for k in range(_TERMS) if k != 1)
    both = np.log(2) / 24 + _ZETA_PRIME - higher - rates[1] * np.log(t)
    rate = t**2 * Polynomial(rates)(y)
    area = np.log(2) / 2 + sum(
        _A.coef[k] / np.sqrt(2) * t ** (1.5 - 3 * k) / (1.5 - 3 * k) for k in range(_TERMS)
    )
    a, b = (both - area) / 2, (both + area) / 2
    if beta == 1:
        return a, a + np.log((rate + q) / 2)
    if beta == 2:
        return both, both + np.log(rate)
    ratio = np.exp(a - b)
    density = b + np.log(((rate - q) + ratio * (rate + q)) / 4)
    return b + np.log1p(ratio) - np.log(2), density


def middle(r: float, beta: int) -> tuple[float, float, float]:
    """Ln F, ln(1 - F) and ln F', by r, from the determinants."""
    values, slopes = _eigenvalues(r)
    minus, plus = np.log1p(-values), np.log1p(values)
    a, b, both = minus.sum(), plus.sum(), np.log1p(-(values**2)).sum()
    if beta == 1:
        density = np.exp(a) * -(slopes / (1 - values)).sum()
        return a, np.log(-np.expm1(a)), np.log(density)
    if beta == 2:
        density = np.exp(both) * -(2 * slopes * values / (1 - values**2)).sum()
        return both, np.log(-np.expm1(both)), np.log(density)
    # 1 - F = 1 - e^{(a + b)/2} cosh((b - a)/2); (1 +- V) without one eigenvalue, its odd terms
    half = (b - a) / 2
    above = -np.expm1(both / 2) * np.cosh(half) - 2 * np.sinh(half / 2) ** 2
    density = slopes @ (np.expm1(b - plus) - np.expm1(a - minus)) / 2
    return np.logaddexp(a, b) - np.log(2), np.log(above), np.log(density)


def _eigenvalues(r: float) -> tuple[Floats, Floats]:
    """Of V, and their derivatives by r."""
    # Ai oscillates before its argument turns positive, and falls the faster the larger it is
    reach = 16.0 / np.sqrt(1 + max(r, 0.0) / 6) + max(-r, 0.0)
    x, weights = quadrature(40 + int(5 * max(-r, 0.0)), 0.0, reach)
    kernel, slope, _, _ = special.airy(x[:, None] + x + r)
    root = np.sqrt(np.outer(weights, weights))
    scale = kernel[0, 0] if r > 0 else 1.0  # LAPACK's own scaling ends where squares underflow
    values, vectors = np.linalg.eigh(root * kernel / scale)
    slopes = np.einsum("xi,xy,yi->i", vectors, root * slope / scale, vectors)
    return values * scale, slopes * scale
