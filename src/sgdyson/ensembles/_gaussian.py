"""Symmetric, Hermitian and self-dual matrices of normal numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import positive, settle, whole
from ._random import Levels, RandomState, generator, repulsion_of
from ._tridiagonal import tridiagonal_levels
from .entries import Matrices, check_dense, complex_form, normal_entries


@dataclass(frozen=True)
class GaussianEnsemble:
    r"""n levels of density $\prod_{i<j} |x_i - x_j|^\beta\, e^{-\sum x_i^2/2\sigma^2}$.

    Eigenvalues are those of a tridiagonal matrix with normal numbers of variance $\sigma^2$ on
    its diagonal and $\sigma \chi_{\beta k}/\sqrt 2$ beside it (I. Dumitriu and A. Edelman, J. Math.
    Phys. 43, 5830 (2002), table II): n^2 operations a matrix, not n^3.

    Args:
        n: levels.
        beta: any positive number; 1, 2 or 4 for dense matrices.
        width: sigma. A dense matrix has the variance sigma^2 on its diagonal and, in each of the
            beta components of an entry, sigma^2/2 off it.

    Examples:
        <sum of x^2> = n + beta n (n - 1)/2 in units of sigma^2:

        >>> levels = GaussianEnsemble(4, beta=2).eigenvalues(20000, random_state=0)
        >>> levels.shape
        (20000, 4)
        >>> bool(abs((levels**2).sum(axis=1).mean() - (4 + 2 * 4 * 3 / 2)) < 0.2)
        True
    """

    n: int
    beta: float = 1
    width: float = 1.0

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n))
        settle(self, beta=repulsion_of(self.beta))
        settle(self, width=positive("width", self.width))

    def matrices(self, size: int = 1, random_state: RandomState = None) -> Matrices:
        """Dense matrices, shape (size, n, n); for beta = 4 complex ones of (size, 2 n, 2 n).

        Those of beta = 4 have each level twice; `eigenvalues` gives it once.
        """
        size = whole("size", size)
        check_dense(self.beta)
        first, second = normal_entries(generator(random_state), (size, self.n, self.n), self.beta)
        first = (first + first.conj().mT) * (self.width / 2)
        if second is not None:
            # of A + B j to be self-dual A is Hermitian and B antisymmetric
            second = (second - second.mT) * (self.width / 2)
        return complex_form(first, second)

    def eigenvalues(self, size: int = 1, random_state: RandomState = None) -> Levels:
        """Levels of `size` matrices, ascending, shape (size, n)."""
        size = whole("size", size)
        random = generator(random_state)
        diagonal = random.standard_normal((size, self.n))
        degrees = self.beta * np.arange(self.n - 1, 0, -1)
        # chi^2/2 of k degrees is a gamma number of shape k/2: chi/sqrt(2) is its root
        off = np.sqrt(random.standard_gamma(degrees / 2, (size, self.n - 1)))
        return self.width * tridiagonal_levels(diagonal, off)
