"""The smallest level of a Wishart matrix."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import ArrayLike
from scipy import special

from ..errors import require
from ._law import Floats, Law
from ._table import TabulatedLaw, tabulate

_DEGREE, _LARGEST = 120, 10


@dataclass(frozen=True)
class HardEdge(Law):
    r"""The smallest level x of n large, in units of the spacing at the edge: s = 4 n x.

    x is the smallest of n levels of density $\prod |x_i - x_j|^\beta \prod x_i^a e^{-\beta x_i/2}$,
    as of $W^T W$ with unit normal entries (for beta = 2: with $<|w|^2> = 1$), M x n, where
    $a = \tfrac{\beta}{2}(M - n + 1) - 1$. With V the integral operator of kernel
    $\tfrac12 \sqrt s J_\nu(\sqrt{s x y})$ on [0, 1],
    $$P(x > s) = \det(1 - V)_{\nu = 2a + 1} \ (\beta = 1), \qquad
    \det(1 - V^2)_{\nu = a} \ (\beta = 2).$$

    Args:
        beta: 1 or 2.
        a: a multiple of 1/2, from -1/2 to 10.
    """

    citation: ClassVar[str] = (
        "A. Edelman, SIAM J. Matrix Anal. Appl. 9, 543 (1988); Bornemann (2010)"
    )
    beta: int = 1
    a: float = 0.0

    def __post_init__(self) -> None:
        require(self.beta in (1, 2), f"beta = {self.beta!r} must be 1 or 2.")
        require(
            -0.5 <= self.a <= _LARGEST and float(2 * self.a).is_integer(),
            f"a = {self.a!r} must be a multiple of 1/2 from -1/2 to {_LARGEST}.",
        )

    @property
    def _root(self) -> "_RootOfSmallest":
        return _RootOfSmallest(self.beta, float(self.a))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, self._root.support[1] ** 2

    def pdf(self, x: ArrayLike) -> Floats:
        values = np.asarray(x, dtype=float)
        root = np.sqrt(np.maximum(values, np.finfo(float).tiny))
        return np.where(values < 0, 0.0, self._root.pdf(root) / (2 * root))

    def cdf(self, x: ArrayLike) -> Floats:
        return self._root.cdf(np.sqrt(np.maximum(np.asarray(x, dtype=float), 0.0)))

    def ppf(self, q: ArrayLike) -> Floats:
        return np.asarray(self._root.ppf(q) ** 2)

    def mean(self) -> float:
        return self._root._moment(2)

    def var(self) -> float:
        return self._root._moment(4) - self.mean() ** 2


@dataclass(frozen=True)
class _RootOfSmallest(TabulatedLaw):
    """sqrt(s), in which the distribution function is analytic."""

    citation: ClassVar[str] = HardEdge.citation
    beta: int
    a: float

    @property
    def _series(self) -> Chebyshev:
        return _distribution(self.beta, self.a)


@lru_cache
def _distribution(beta: int, a: float) -> Chebyshev:
    # the tails fall as exp(-t^2/4 + a t), for beta = 1 as exp(-t^2/8 + a t)
    high = 2 * a * (3 - beta) + np.sqrt(160 * (3 - beta)) + 2.0
    return tabulate(lambda t: 1 - _survival(t, beta, a), 0.0, float(high), _DEGREE)


def _survival(t: float, beta: int, a: float) -> float:
    """P(sqrt(s) > t), the kernel taken in the roots u of x, where it is smooth."""
    order = 2 * a + 1 if beta == 1 else a
    u, weights = _nodes(order)
    bessel = special.jv(order, t * u[:, None] * u) / (u[:, None] * u) ** order
    root = np.sqrt(weights)
    eigenvalues = np.linalg.eigvalsh(t / 2 * root[:, None] * bessel * root)
    factors = 1 - eigenvalues if beta == 1 else 1 - eigenvalues**2
    return float(np.prod(factors))


@lru_cache
def _nodes(order: float) -> tuple[Floats, Floats]:
    """Quadrature of 2 u^(2 order + 1) du on [0, 1]: of dx, and of two factors u^order."""
    nodes, weights = special.roots_jacobi(80, 0.0, 2 * order + 1)
    return (1 + nodes) / 2, 2 * weights / 2 ** (2 * order + 2)
