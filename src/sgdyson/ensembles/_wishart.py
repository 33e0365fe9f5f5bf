"""The levels W^T W of rectangular noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import settle, whole
from ._random import Levels, RandomState, generator, repulsion_of
from ._tridiagonal import tridiagonal_levels
from .entries import Matrices, check_dense, complex_form, normal_entries


@dataclass(frozen=True)
class WishartEnsemble:
    r"""Levels of $X = W^\dagger W$, W an m x n matrix with entries of $\langle |w|^2 \rangle = 1$.

    For m >= n their density is $\prod |x_i - x_j|^\beta \prod x_i^{\beta(m - n + 1)/2 - 1}
    e^{-\beta x_i/2}$; otherwise n - m of them are zero. The levels of X/m follow
    `MarchenkoPastur(n/m)`, and those nearest to zero `HardEdge`. Eigenvalues are those of a
    bidiagonal matrix of chi-distributed numbers (I. Dumitriu and A. Edelman, 2002, table II).

    Args:
        n: levels, columns of W.
        m: rows of W.
        beta: any positive number; 1, 2 or 4 for dense matrices.
    """

    n: int
    m: int
    beta: float = 1

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n), m=whole("m", self.m))
        settle(self, beta=repulsion_of(self.beta))

    def matrices(self, size: int = 1, random_state: RandomState = None) -> Matrices:
        """Dense X, shape (size, n, n); for beta = 4 complex, (size, 2 n, 2 n), levels doubled."""
        size = whole("size", size)
        check_dense(self.beta)
        entries = normal_entries(generator(random_state), (size, self.m, self.n), self.beta)
        weights = complex_form(*entries) / np.sqrt(self.beta)
        return np.asarray(weights.conj().mT @ weights)

    def eigenvalues(self, size: int = 1, random_state: RandomState = None) -> Levels:
        """Levels of `size` matrices, ascending, shape (size, n)."""
        size = whole("size", size)
        few, many = sorted((self.n, self.m))
        levels = np.zeros((size, self.n))
        levels[:, self.n - few :] = laguerre_levels(
            few, many, self.beta, size, generator(random_state)
        )
        return levels


def laguerre_levels(
    n: int, m: float, beta: float, size: int, random: np.random.Generator
) -> Levels:
    """Levels of `WishartEnsemble` for any real m > n - 1."""
    # chi squared is twice a gamma number, of any degrees of freedom, whole or not
    squares = 2 * random.standard_gamma(beta / 2 * (m - np.arange(n)), (size, n))
    sides = 2 * random.standard_gamma(beta / 2 * np.arange(n - 1, 0, -1), (size, n - 1))
    diagonal = squares.copy()
    diagonal[:, 1:] += sides
    off = np.sqrt(squares[:, :-1] * sides)
    # rounding takes the smallest below zero where the largest is 1e16 times it
    return np.maximum(tridiagonal_levels(diagonal, off) / beta, 0.0)
