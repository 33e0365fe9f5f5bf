r"""Tracy and Widom's laws with all their digits in both tails.

V is the V_r of `TracyWidom`, F the E of `_determinants`. In the left tail a and b follow from
Hastings and McLeod's solution q of Painleve's second equation, $a + b = \ln F_2$, $b - a =
\int_r^\infty q$, by its series in $t^{-3}$, $t = -r$, what it leaves out being of order
$e^{-2\sqrt2 t^{3/2}/3}$; where the two meet, at r = -7.2, each is good to some 1e-8 of the density,
and soon far better (J. Baik, R. Buckingham and J. DiFranco, Commun. Math. Phys. 280, 463 (2008):
the constants). In the far right one V is so small that its first traces are all there is of F;
they are integrals of Airy's function, and of their series in $1/\zeta$, $\zeta = 2 r^{3/2}/3$, the
leading terms that cancel are cancelled by hand.
"""

from functools import lru_cache

import numpy as np
from numpy.polynomial import Polynomial
from scipy import special

from .._types import Floats
from ._determinants import of_eigenvalues, of_series
from ._table import quadrature

_ZETA_PRIME = -0.16542114370045092921  # of Riemann's zeta function at -1
_TERMS = 9  # to the left; at r = -7.2 the terms fall to 3e-10
# at r = 18 the last of 1 - F is 1e-12 of the first; 4e-9 for beta = 4, of which the leading cancel
_RIGHT_TERMS = 12


def left(r: Floats, beta: int) -> tuple[Floats, Floats]:
    """Ln F and ln F' far to the left, by r."""
    t = -r
    y = t**-3.0
    series = _hastings_mcleod()
    a = np.asarray(series.coef, dtype=float)
    q = np.sqrt(t / 2) * series(y)
    powers = 0.5 - 3 * np.arange(_TERMS)
    steep = Polynomial([0, 1]) * Polynomial(a * powers) ** 2
    rates = (0.5 * series**2 - 0.25 * series**4 + 0.5 * steep).coef[:_TERMS]
    # k = 1 is t^-1, which integrates to the logarithm below
    higher = sum(rates[k] * t ** (3.0 - 3 * k) / (3 - 3 * k) for k in range(_TERMS) if k != 1)
    both = np.log(2) / 24 + _ZETA_PRIME - higher - rates[1] * np.log(t)
    rate = t**2 * Polynomial(rates)(y)
    area = np.log(2) / 2 + sum(
        a[k] / np.sqrt(2) * t ** (1.5 - 3 * k) / (1.5 - 3 * k) for k in range(_TERMS)
    )
    # by -r, in which V grows: (a + b)' = -rate, (b - a)' = q
    return of_series(both, np.asarray(area), rate, q, beta)


@lru_cache
def _hastings_mcleod() -> Polynomial:
    r"""A in $q = \sqrt{t/2}\, A(t^{-3})$, of $q'' + t q = 2 q^3$: $A^3 - A = y\,[t^{3/2} q'']$."""
    a = np.zeros(_TERMS)
    a[0] = 1.0
    for k in range(1, _TERMS):
        power = 0.5 - 3 * (k - 1)
        cube = np.convolve(np.convolve(a, a)[:_TERMS], a)[k]  # a[k] is zero in it as yet
        a[k] = (power * (power - 1) * a[k - 1] - cube) / 2
    return Polynomial(a)


def middle(r: float, beta: int) -> tuple[float, float, float]:
    """Ln F, ln(1 - F) and ln F', by r, from the determinants."""
    values, slopes = _eigenvalues(r)
    return of_eigenvalues(values, -slopes, beta)


def _eigenvalues(r: float) -> tuple[Floats, Floats]:
    """Eigenvalues of the operator V, and their derivatives by r."""
    # Ai oscillates before its argument turns positive, and falls the faster the larger it is: to
    # less than 1e-16 of the largest entry at the end of this reach
    reach = 16.0 / np.sqrt(1 + max(r, 0.0) / 6) + max(-r, 0.0)
    x, weights = quadrature(40 + int(5 * max(-r, 0.0)), 0.0, reach)
    kernel, slope, _, _ = special.airy(x[:, None] + x + r)
    root = np.sqrt(np.outer(weights, weights))
    scale = kernel[0, 0] if r > 0 else 1.0  # LAPACK's own scaling ends where squares underflow
    values, vectors = np.linalg.eigh(root * kernel / scale)
    slopes = (vectors * (root * slope / scale @ vectors)).sum(axis=0)
    return values * scale, slopes * scale


def right(r: Floats, beta: int) -> tuple[Floats, Floats]:
    r"""Ln(1 - F) and ln F' far to the right, by r.

    $1 - F = T$, $Q$ and $(Q - T^2)/2$ for beta = 1, 2, 4 with $T = \mathrm{tr} V = \tfrac12
    \int_r^\infty \mathrm{Ai}$ and $Q = \mathrm{tr} V^2$, $-Q' = \mathrm{Ai}'^2 - r\,\mathrm{Ai}^2$.
    """
    zeta = r**1.5 / 1.5
    above, density = _right_series(beta)
    y, log = 1 / zeta, np.log(r)
    if beta == 1:
        lead = -zeta - np.log(4 * np.sqrt(np.pi))
        return lead - 0.75 * log + np.log(above(y)), lead - 0.25 * log + np.log(density(y))
    lead = -2 * zeta - np.log(16 * np.pi)
    return lead - 1.5 * log + np.log(above(y)), lead - log + np.log(2 * density(y))


@lru_cache
def _right_series(beta: int) -> tuple[Polynomial, Polynomial]:
    r"""Series in $1/\zeta$ of 1 - F and F' without the factors that `right` gives them.

    Ai, -Ai', $\int_r^\infty$ Ai have the factors $e^{-\zeta} r^p/2\sqrt\pi$, p = -1/4, 1/4, -3/4;
    $-Q'$ and Q have $e^{-2\zeta}/8\pi r$ and $e^{-2\zeta}/16\pi r^{3/2}$ (DLMF 9.7.5, 9.7.6).
    """
    ai, slope, area, square = (np.ones(_RIGHT_TERMS) for _ in range(4))
    for k in range(1, _RIGHT_TERMS):
        ai[k] = -ai[k - 1] * (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / (216 * k * (2 * k - 1))
        slope[k] = -ai[k] * (6 * k + 1) / (6 * k - 1)
        area[k] = ai[k] - (k - 0.5) * area[k - 1]
    kernel = 3 * (np.convolve(slope, slope) - np.convolve(ai, ai))[1:_RIGHT_TERMS]
    for k in range(1, len(kernel)):
        square[k] = kernel[k] - k / 2 * square[k - 1]
    terms = len(kernel)
    if beta == 1:
        return Polynomial(area), Polynomial(ai)
    if beta == 2:
        return Polynomial(square[:terms]), Polynomial(kernel)
    above = square - np.convolve(area, area)[:_RIGHT_TERMS]
    density = kernel - np.convolve(ai, area)[:terms]
    return Polynomial(above[:terms] / 2), Polynomial(density / 2)
