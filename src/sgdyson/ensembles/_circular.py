"""Levels on the unit circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import settle, whole
from ._random import Levels, RandomState, generator, repulsion_of
from .entries import Matrices, check_dense, complex_form, normal_entries


@dataclass(frozen=True)
class CircularEnsemble:
    r"""n angles of density $\prod_{i<j} |e^{i\theta_i} - e^{i\theta_j}|^\beta$.

    Eigenvalues are those of a five-diagonal unitary matrix of independent random numbers (R.
    Killip and I. Nenciu, IMRN 2004, 2665, theorem 1).

    Args:
        n: levels.
        beta: any positive number; 1, 2 or 4 for dense matrices.
    """

    n: int
    beta: float = 2

    def __post_init__(self) -> None:
        settle(self, n=whole("n", self.n))
        settle(self, beta=repulsion_of(self.beta))

    def matrices(self, size: int = 1, random_state: RandomState = None) -> Matrices:
        """Dense unitary matrices (F. Mezzadri, Notices AMS 54, 592 (2007)), shape (size, n, n).

        Symmetric for beta = 1; self-dual of shape (size, 2 n, 2 n), levels doubled, for beta = 4.
        """
        size = whole("size", size)
        check_dense(self.beta)
        n = 2 * self.n if self.beta == 4 else self.n
        unitary = _haar(generator(random_state), size, n)
        if self.beta == 2:
            return unitary
        if self.beta == 1:
            return np.asarray(unitary.mT @ unitary)
        # U^R U is self-dual, U^R = J U^T J^T
        unit = complex_form(np.zeros((self.n, self.n)), np.eye(self.n))
        return np.asarray(unit @ unitary.mT @ unit.T @ unitary)

    def eigenvalues(self, size: int = 1, random_state: RandomState = None) -> Levels:
        """Angles of `size` matrices in (-pi, pi], ascending, shape (size, n)."""
        size = whole("size", size)
        return np.sort(np.angle(np.linalg.eigvals(self._five_diagonal(size, random_state))), axis=1)

    def _five_diagonal(self, size: int, random_state: RandomState) -> Matrices:
        random = generator(random_state)
        n = self.n
        # |alpha_k|^2 has the law beta(1, beta (n - 1 - k)/2), and the last is a phase alone
        squares = np.ones((size, n))
        squares[:, :-1] = random.beta(1.0, self.beta / 2 * np.arange(n - 1, 0, -1), (size, n - 1))
        alpha = np.sqrt(squares) * np.exp(2j * np.pi * random.random((size, n)))
        rest = np.sqrt(1 - squares)
        factors = np.zeros((2, size, n, n), complex)
        factors[1, :, 0, 0] = 1.0
        # 2 x 2 reflections of neighbours, those that share no place in one of two block diagonal
        # matrices; the last is a phase alone
        for k in range(n):
            factor = factors[k % 2]
            factor[:, k, k] = alpha[:, k].conj()
            if k + 1 < n:
                factor[:, k, k + 1] = factor[:, k + 1, k] = rest[:, k]
                factor[:, k + 1, k + 1] = -alpha[:, k]
        return np.asarray(factors[0] @ factors[1])


def _haar(random: np.random.Generator, size: int, n: int) -> Matrices:
    entries, _ = normal_entries(random, (size, n, n), 2)
    unitary, triangular = np.linalg.qr(entries)
    # QR leaves the phases of R open: Q is Haar's only where R has a positive diagonal
    phases = np.diagonal(triangular, axis1=1, axis2=2)
    return np.asarray(unitary * (phases / np.abs(phases))[:, None, :])
