r"""Quadratic and cubic terms of one update of an RBM, and their Gaussian averages.

Each is a matrix product, $\sum_k K_{ikj} z^a_{ik} z^b_{kj}$ or $\sum_{kl} K_{iklj} z^a_{ik}
z^b_{kl} z^c_{lj}$ with a, b, c = 0 (m) or 1 (c): the Neumann series of G, divided differences of
A^k, and the polynomial of step 2. So moments close on cyclic index pairs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._rbm_joint import Blocks, Cube, Setting, Square


class Quadratic(NamedTuple):
    """K_ikj, shape (i, k, j), and which of m and c stands left and right of k."""

    kernel: Cube
    left: int
    right: int


class Cubic(NamedTuple):
    """K_iklj as a function of four index arrays, and which of m and c stand where."""

    kernel: Callable[..., np.ndarray]
    left: int
    middle: int
    right: int


def chain_quadratic(s: Setting) -> list[Quadratic]:
    """The quadratic terms of step 1, that of the samples."""
    p, n = s.propagator, len(s.target)
    a, h, _ = s.contraction(s.x)
    i, k, j = np.ogrid[:n, :n, :n]
    filled = np.ones((n, n, n))
    both = (
        (1 - a[i] * a[j]) * p[i] * p[k] * p[j]
        - h[i, k] * a[j] * p[k] * p[j] - a[i] * p[i] * p[k] * h[k, j]
    )  # fmt: skip
    return [
        Quadratic(both, 0, 0),
        Quadratic(h[i, k] * a[j] * filled, 0, 1),
        Quadratic(a[i] * h[k, j] * filled, 1, 0),
    ]


def weight_quadratic(s: Setting) -> list[Quadratic]:
    """The quadratic terms of step 2, that of the weights."""
    n = len(s.target)
    filled = np.ones((n, n, n))
    return [
        Quadratic(-s.alpha * filled, 0, 1),
        Quadratic(-s.alpha * filled, 1, 0),
        Quadratic(s.alpha**2 * s.x[None, :, None] * filled, 1, 1),
    ]


def chain_cubic(s: Setting) -> list[Cubic]:
    """The cubic terms of step 1."""
    p = s.propagator
    a, h, h3 = s.contraction(s.x)

    def weights_alone(i: np.ndarray, k: np.ndarray, m: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.asarray(
            (1 - a[i] * a[j]) * p[i] * p[k] * p[m] * p[j]
            - h3[i, k, m] * p[m] * p[j] * a[j] - a[i] * p[i] * p[k] * h3[k, m, j]
            - h[i, k] * h[m, j] * p[k] * p[m]
            - h[i, k] * p[k] * p[m] * p[j] * a[j] - a[i] * p[i] * p[k] * p[m] * h[m, j]
        )  # fmt: skip

    return [
        Cubic(weights_alone, 0, 0, 0),
        Cubic(lambda i, k, m, j: h3[i, k, m] * a[j], 0, 0, 1),
        Cubic(lambda i, k, m, j: a[i] * h3[k, m, j], 1, 0, 0),
        Cubic(lambda i, k, m, j: h[i, k] * h[m, j], 0, 1, 0),
    ]


def weight_cubic(s: Setting) -> list[Cubic]:
    """The cubic term of step 2, alpha^2 c m c."""
    return [Cubic(lambda i, k, m, j: np.full_like(s.x, s.alpha**2)[i], 1, 0, 1)]


def with_cubic(terms: list[Cubic], moments: Blocks, which: int) -> Square:
    r"""$\langle z^w_{ij}\, \mathrm{cubic}_{ij} \rangle$ of Gaussian z: three pairings."""
    n = len(moments)
    i, j, k = np.ogrid[:n, :n, :n]
    row, column = np.ogrid[:n, :n]
    filled, average = np.ones((n, n, n)), np.zeros((n, n))
    for kernel, a, b, c in terms:
        # z_ij pairs with the first factor, k = j, and the other two with each other
        closed_right = kernel(i, j, k, j) * filled
        # with the last, l = i
        closed_left = kernel(i, k, i, j) * filled
        average += moments[..., which, a] * np.einsum(
            "ijk,jk->ij", closed_right, moments[..., b, c]
        )
        average += moments[..., which, c] * np.einsum("ijk,ik->ij", closed_left, moments[..., a, b])
        # with the middle one, k = j and l = i
        crossed = kernel(row, column, row, column)
        average += crossed * moments[..., which, b] * moments[..., a, c]
    return average


def quadratic_squared(terms: list[Quadratic], moments: Blocks) -> Square:
    r"""$\langle \mathrm{quad}_{ij}^2 \rangle$ of Gaussian z, the disconnected mean left out."""
    n = len(moments)
    average, diagonal = np.zeros((n, n)), np.arange(n)
    for first, a, b in terms:
        for second, c, e in terms:
            both = first * second
            average += np.einsum("ikj,ik,kj->ij", both, moments[..., a, c], moments[..., b, e])
            # m_ik and m_ki are one entry, so that on the diagonal factors pair crosswise too
            average[diagonal, diagonal] += np.einsum(
                "iki,ik,ik->i", both, moments[..., a, e], moments[..., b, c]
            )
    return average


def with_quadratic(terms: list[Quadratic], third: np.ndarray, which: int) -> Square:
    r"""$\langle z^w_{ij}\, \mathrm{quad}_{ij} \rangle$ from third cumulants."""
    n = third.shape[-1]
    average = np.zeros((n, n))
    for kernel, a, b in terms:
        average += np.einsum("ikj,ijk->ij", kernel, third[which, b, a])
    return average
