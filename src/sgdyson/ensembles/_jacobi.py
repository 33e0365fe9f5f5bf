"""Levels between zero and one: how much of a variance one of two Wishart matrices explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import settle, whole
from ..errors import require
from ._random import Levels, RandomState, generator, repulsion_of
from ._tridiagonal import tridiagonal_levels
from ._wishart import WishartEnsemble
from .entries import Matrices, check_dense


@dataclass(frozen=True)
class JacobiEnsemble:
    r"""Levels of $A (A + B)^{-1}$, A and B Wishart matrices of m1 and m2 rows.

    Their density is $\prod |x_i - x_j|^\beta \prod x_i^{\beta(m_1 - n + 1)/2 - 1}
    (1 - x_i)^{\beta(m_2 - n + 1)/2 - 1}$ on [0, 1]. Eigenvalues are those of a tridiagonal matrix
    of beta-distributed numbers (R. Killip and I. Nenciu, IMRN 2004, 2665, theorem 2).

    Args:
        n: levels.
        m1: rows behind A, at least n.
        m2: rows behind B, at least n.
        beta: any positive number; 1, 2 or 4 for dense matrices.
    """

    n: int
    m1: int
    m2: int
    beta: float = 1

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n), m1=whole("m1", self.m1), m2=whole("m2", self.m2))
        settle(self, beta=repulsion_of(self.beta))
        require(
            min(self.m1, self.m2) >= self.n,
            f"m1 = {self.m1} and m2 = {self.m2} must be at least n = {self.n}.",
        )

    def matrices(self, size: int = 1, random_state: RandomState = None) -> Matrices:
        """Dense symmetric $(A+B)^{-1/2} A (A+B)^{-1/2}$, shape (size, n, n); beta = 4 doubled."""
        size = whole("size", size)
        check_dense(self.beta)
        random = generator(random_state)
        first = WishartEnsemble(self.n, self.m1, self.beta).matrices(size, random)
        second = WishartEnsemble(self.n, self.m2, self.beta).matrices(size, random)
        values, vectors = np.linalg.eigh(first + second)
        root = (vectors / np.sqrt(values)[:, None, :]) @ vectors.conj().mT
        return np.asarray(root @ first @ root)

    def eigenvalues(self, size: int = 1, random_state: RandomState = None) -> Levels:
        """Levels of `size` matrices, ascending, shape (size, n)."""
        size = whole("size", size)
        verblunsky = self._verblunsky(size, generator(random_state))
        before, even, odd = verblunsky[:, 1:-1:2], verblunsky[:, 2::2], verblunsky[:, 3::2]
        # columns of `verblunsky`: alpha_{-2} (unused, 0), alpha_{-1} = -1, alpha_0, alpha_1, ...
        diagonal = (1 - before) * even - (1 + before) * verblunsky[:, 0:-2:2]
        off = np.sqrt((1 - before) * (1 - even**2))[:, :-1] * np.sqrt(1 + odd)
        # from [-2, 2] of the theorem to [0, 1], beyond which rounding may lead
        return np.clip((2 + tridiagonal_levels(diagonal, off)) / 4, 0.0, 1.0)

    def _verblunsky(self, size: int, random: np.random.Generator) -> Levels:
        """alpha_k, k = -2 ... 2 n - 2, of the measure on [-2, 2]."""
        n, beta = self.n, self.beta
        at_two = beta / 2 * (self.m2 - n + 1) - 1
        at_minus_two = beta / 2 * (self.m1 - n + 1) - 1
        k = np.arange(2 * n - 1)
        even = k % 2 == 0
        first = np.where(
            even,
            (2 * n - k - 2) * beta / 4 + at_two + 1,
            (2 * n - k - 3) * beta / 4 + at_two + at_minus_two + 2,
        )
        second = np.where(
            even, (2 * n - k - 2) * beta / 4 + at_minus_two + 1, (2 * n - k - 1) * beta / 4
        )
        coefficients = np.zeros((size, 2 * n + 1))
        coefficients[:, 1] = -1.0
        coefficients[:, 2:] = 1 - 2 * random.beta(first, second, (size, 2 * n - 1))
        return coefficients
