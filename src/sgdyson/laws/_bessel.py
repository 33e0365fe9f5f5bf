r"""The determinants of the hard edge and of the bulk, with all their digits in both tails.

V is the integral operator of `HardEdge` at $t = \sqrt s$, a and b as in `_determinants`. With
$\sigma = s R(s)$ of the Bessel kernel, $t (a + b)' = -2 \sigma$ and $(b - a)' = q$ with $q^2 = 4
d\sigma/ds$. While 1 less the largest eigenvalue keeps its digits they come from the determinants,
and beyond from sigma's series in 1/t, a solution of Painleve's third equation (C. A. Tracy and
H. Widom, Commun. Math. Phys. 161, 289 (1994), eq. (1.21)), whose constants of integration are set
where the two meet. What the series leaves out is of the order of that difference from 1, 1e-5, and
its share of sigma is below 1e-8.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import Polynomial
from scipy import special

from .._types import Floats

# an eigenvalue is known to some 1e-15, which is 1e-10 of this; the slopes keep some eight digits
_LEFT_OF_ONE = 1e-5
_TERMS = 60  # `series` cuts at the smallest, the 17th to the 30th for orders -1/2 to 5


def eigenvalues(t: float, order: float) -> tuple[Floats, Floats]:
    """Eigenvalues of V, and by ln t; the kernel is taken in the roots of x, where it is smooth."""
    # twice as many nodes change the determinants by no more than rounding does, up to `start`
    u, weights = _nodes(order, 24 + 8 * int(np.ceil(t / 6)))
    x, root = np.outer(u, u), np.sqrt(np.outer(weights, weights))
    same, next_ = _bessel_over_power(t, x, order, order), _bessel_over_power(t, x, order + 1, order)
    kernel = t / 2 * root * same
    slope = t / 2 * root * ((1 + order) * same - t * x * next_)
    scale = np.abs(kernel).max()  # LAPACK's own scaling ends where squares underflow
    values, vectors = np.linalg.eigh(kernel / scale)
    slopes = (vectors * (slope / scale @ vectors)).sum(axis=0)
    return values * scale, slopes * scale


def logarithms(t: float, order: float) -> tuple[float, float, float]:
    """The sum a + b, and -(a + b)' and (b - a)' by ln t, from the determinants."""
    values, slopes = eigenvalues(t, order)
    slopes = 2 * slopes / (1 - values**2)
    return float(np.log1p(-(values**2)).sum()), float(slopes @ values), float(slopes.sum())


def _bessel_over_power(t: float, x: Floats, order: float, power: float) -> Floats:
    """J of t x, over x to a power, without underflow where both are small."""
    lead = np.exp(order * np.log(t / 2) - special.gammaln(order + 1)) * x ** (order - power)
    z = t * x
    near = z < 1
    lead[near] *= special.hyp0f1(order + 1, -(z[near] ** 2) / 4)
    lead[~near] = special.jv(order, z[~near]) / x[~near] ** power
    return np.asarray(lead)


@lru_cache
def _nodes(order: float, count: int) -> tuple[Floats, Floats]:
    """Quadrature of 2 u^(2 order + 1) du on [0, 1]: of dx, and of two factors u^order."""
    nodes, weights = special.roots_jacobi(count, 0.0, 2 * order + 1)
    return (1 + nodes) / 2, 2 * weights / 2 ** (2 * order + 2)


@dataclass(frozen=True)
class Series:
    """Asymptotic series of one order of the kernel, in 1/t, good from t = `start` on."""

    start: float
    sigma: Floats
    q: Floats
    both_at_one: float = 0.0
    difference_at_one: float = 0.0

    def both(self, t: Floats) -> Floats:
        """The sum of both logarithms, a + b."""
        return self.both_at_one - 2 * _integral(self.sigma, 1, t)

    def difference(self, t: Floats) -> Floats:
        """The difference of the logarithms, b - a."""
        return self.difference_at_one + _integral(self.q, 0, t)

    def rates(self, t: Floats) -> tuple[Floats, Floats]:
        """-(a + b)' and (b - a)' by ln t."""
        return 2 * t**2 * Polynomial(self.sigma)(1 / t), t * Polynomial(self.q)(1 / t)


def _integral(coefficients: Floats, power: int, t: Floats) -> Floats:
    """Integral of the sum of c_k t^(power - k), without its constant."""
    total = np.zeros_like(t)
    for k, coefficient in enumerate(coefficients):
        p = power - k + 1
        total = total + coefficient * (np.log(t) if p == 0 else t**p / p)
    return total


@lru_cache
def series(order: float) -> Series:
    """The asymptotic series of the kernel of one order."""
    start = _last_of_the_determinants(order)
    sigma = _sigma(order)
    terms = np.abs(sigma) * start ** -np.arange(float(_TERMS))
    # of some orders all further terms vanish, and no smallest is there to be found
    smallest = 3 + int(np.argmin(np.where(terms[3:] > 0, terms[3:], np.inf)))
    sigma = sigma[:smallest]
    bare = Series(start, sigma, _square_root(4 * sigma * (1 - np.arange(smallest) / 2)))
    values, _ = eigenvalues(start, order)
    at = np.array(start)
    both = np.log1p(-(values**2)).sum() - bare.both(at)
    difference = (np.log1p(values) - np.log1p(-values)).sum() - bare.difference(at)
    return Series(start, bare.sigma, bare.q, float(both), float(difference))


def _last_of_the_determinants(order: float) -> float:
    """The t at which the largest eigenvalue comes near to one."""
    low, high = 1.0, 60.0
    while high - low > 0.1:
        t = (low + high) / 2
        near = 1 - eigenvalues(t, order)[0].max() < _LEFT_OF_ONE
        low, high = (low, t) if near else (t, high)
    return low


def _sigma(order: float) -> Floats:
    r"""Coefficients of $s^{1 - k/2}$, by Painleve's equation, once differentiated.

    $2 s^2 \sigma''' + 2 s \sigma'' + 8 \sigma \sigma' - 12 s \sigma'^2 - \sigma + 2 s \sigma' - 2
    \nu^2 \sigma' = 0$; the first two terms it leaves open.
    """
    c, p = np.zeros(_TERMS), 1 - np.arange(_TERMS) / 2
    c[:2] = 0.25, -order / 2
    for k in range(2, _TERMS):
        inner, mirror = np.arange(1, k), np.arange(k - 1, 0, -1)
        products = ((8 - 12 * p[mirror]) * p[inner] * c[inner] * c[mirror]).sum()
        last = 2 * p[k - 2] * ((p[k - 2] - 1) ** 2 - order**2) * c[k - 2]
        c[k] = -(products + last) / (k - 1)
    return c


def _square_root(c: Floats) -> Floats:
    """Square root of a power series that begins with one."""
    root = np.zeros_like(c)
    root[0] = 1.0
    for k in range(1, len(c)):
        root[k] = (c[k] - root[1:k] @ root[k - 1 : 0 : -1]) / 2
    return root
