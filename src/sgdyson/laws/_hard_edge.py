"""The smallest level of a Wishart matrix."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.polynomial import Chebyshev
from scipy import special

from .._checks import finite, settle
from ..errors import require
from ._law import Floats, Law, one_of
from ._table import TabulatedLaw, tabulate

_DEGREE, _HIGHER_DEGREE, _LARGEST = 120, 200, 10


@dataclass(frozen=True)
class HardEdge(Law):
    r"""The smallest level x of n large, in units of the spacing at the edge: s = 4 n x.

    x is the smallest of n levels of density $\prod |x_i - x_j|^\beta \prod x_i^a e^{-\beta x_i/2}$,
    as of $W^T W$ with unit normal entries (for beta = 2: with $<|w|^2> = 1$), M x n, where
    $a = \tfrac{\beta}{2}(M - n + 1) - 1$. With V the integral operator of kernel
    $\tfrac12 \sqrt s J_\nu(\sqrt{s x y})$ on [0, 1],
    $$P(x > s) = \det(1 - V)_{\nu = 2a + 1} \ (\beta = 1), \qquad
    \det(1 - V^2)_{\nu = a} \ (\beta = 2), \qquad
    \tfrac12 [\det(1 - V) + \det(1 + V)]_{\nu = a - 1,\ s \to 4 s} \ (\beta = 4).$$

    Args:
        beta: 1, 2 or 4; quaternion matrices give each level once.
        a: from -1/2 to 10; from 1/2 for beta = 4.
    """

    citation: ClassVar[str] = (
        "A. Edelman, SIAM J. Matrix Anal. Appl. 9, 543 (1988); P. J. Forrester, Nonlinearity 19,"
        " 2989 (2006); F. Bornemann, Markov Process. Relat. Fields 16, 803 (2010)"
    )
    beta: int = 1
    a: float = 0.0

    def __post_init__(self) -> None:
        settle(self, beta=one_of("beta", self.beta, 1, 2, 4))
        settle(self, a=finite("a", self.a))
        smallest = 0.5 if self.beta == 4 else -0.5
        require(
            smallest <= self.a <= _LARGEST,
            f"a = {self.a!r} must be a number from {smallest} to {_LARGEST}.",
        )

    @property
    def _root(self) -> "_RootOfSmallest":
        return _RootOfSmallest(self.beta, float(self.a))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, self._root.support[1] ** self._root.power

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, np.inf

    def _pdf(self, x: Floats) -> Floats:
        values, power = x, self._root.power
        tiny = np.finfo(float).tiny
        positive = np.maximum(values, tiny)
        # nearer to zero s^a is closer to the density than the slope of the table is
        near = np.maximum(positive, tiny if power == 2 else 1e-9)
        root = near ** (1 / power)
        density = self._root.pdf(root) * root / (power * near) * (positive / near) ** self.a
        return np.where(values < 0, 0.0, density)

    def _cdf(self, x: Floats) -> Floats:
        values = np.maximum(x, 0.0)
        return self._root.cdf(values ** (1 / self._root.power))

    def _ppf(self, q: Floats) -> Floats:
        return np.asarray(self._root.ppf(q) ** self._root.power)

    def mean(self) -> float:
        return self._root._moment(self._root.power)

    def var(self) -> float:
        return self._root._moment(2 * self._root.power) - self.mean() ** 2


@dataclass(frozen=True)
class _RootOfSmallest(TabulatedLaw):
    """sqrt(s), in which the distribution function is analytic for a whole 2a.

    Otherwise its cube root, in which the powers s^(k (a + 1)) at zero are smooth enough.
    """

    citation: ClassVar[str] = HardEdge.citation
    beta: int
    a: float

    @property
    def power(self) -> int:
        """Of the root that is s."""
        return 2 if float(2 * self.a).is_integer() else 6

    @property
    def _series(self) -> Chebyshev:
        return _distribution(self.beta, self.a, self.power // 2)


@lru_cache
def _distribution(beta: int, a: float, power: int) -> Chebyshev:
    # det(1 - V^2) falls as exp(-t^2/4 + a t), its factors as exp(-t^2/8 + a t)
    slower = 1 if beta == 2 else 2
    high = (2 * a * slower + np.sqrt(160 * slower) + 2.0) / (2 if beta == 4 else 1)
    degree = _DEGREE if power == 1 else _HIGHER_DEGREE
    return tabulate(
        lambda u: 1 - _survival(u**power, beta, a), 0.0, float(high) ** (1 / power), degree
    )


def _survival(t: float, beta: int, a: float) -> float:
    """P(sqrt(s) > t), the kernel taken in the roots u of x, where it is smooth."""
    order = {1: 2 * a + 1, 2: a, 4: a - 1}[beta]
    if beta == 4:
        t = 2 * t
    u, weights = _nodes(order)
    bessel = special.jv(order, t * u[:, None] * u) / (u[:, None] * u) ** order
    root = np.sqrt(weights)
    eigenvalues = np.linalg.eigvalsh(t / 2 * root[:, None] * bessel * root)
    minus, plus = np.prod(1 - eigenvalues), np.prod(1 + eigenvalues)
    return float({1: minus, 2: minus * plus, 4: (minus + plus) / 2}[beta])


@lru_cache
def _nodes(order: float) -> tuple[Floats, Floats]:
    """Quadrature of 2 u^(2 order + 1) du on [0, 1]: of dx, and of two factors u^order."""
    nodes, weights = special.roots_jacobi(80, 0.0, 2 * order + 1)
    return (1 + nodes) / 2, 2 * weights / 2 ** (2 * order + 2)
