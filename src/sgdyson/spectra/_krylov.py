r"""Block Lanczos iteration on $W^T W$: nodes and weights of its spectral measure, and its top.

From b orthonormal vectors V, drawn at random, k steps give a matrix T of size bk with
$V^T f(W^T W)\,V = [f(T)]_{bb}$, the block in its corner, for every polynomial f of degree 2k - 1
(G. H. Golub and G. Meurant, Matrices, Moments and Quadrature, Princeton 2010, chapter 6). The basis
is made orthogonal to all that stands before it at every step, twice, so that no level comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._types import Floats
from ._blocks import Matrix

Singles = NDArray[np.float32]
_IN_CACHE = 2**19  # entries of a block that is used twice: 2 MB in float32
_INVARIANT = 1e-6  # of the largest level: what is left then is rounding


@dataclass(frozen=True)
class Quadrature:
    """Nodes of a spectral measure, descending.

    Attributes:
        levels: nodes, (node,).
        weights: mean over the vectors begun with; they sum to one.
        residuals: how far from a level each node is at the most.
    """

    levels: Floats
    weights: Floats
    residuals: Floats


class BlockLanczos:
    """An iteration that can be gone on with.

    Args:
        matrix: (rows, columns), of real numbers of any type; products are those of float32.
        block: number of vectors to begin with.
        seed: of these.
    """

    def __init__(self, matrix: Matrix, block: int, seed: int) -> None:
        self._tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        self.size, self.block = self._tall.shape[1], block
        start = np.random.default_rng(seed).standard_normal((self.size, block))
        self._next = np.linalg.qr(start)[0].astype(np.float32)
        self._basis = np.zeros((0, self.size), np.float32)
        self._columns: list[Floats] = []
        self._last = np.zeros((block, block))

    @property
    def steps(self) -> int:
        """Steps that have been taken."""
        return len(self._columns)

    @property
    def exhausted(self) -> bool:
        """Whether all levels that the vectors know are nodes already, or there is no room."""
        largest = max((float(np.abs(c).max()) for c in self._columns), default=0.0)
        beyond = (self.steps + 2) * self.block > self.size
        left = float(np.abs(self._last).max())
        return beyond or (self.steps > 0 and left <= _INVARIANT * largest)

    def go_on(self, steps: int) -> None:
        """Take so many steps more, or as many as there are."""
        for _ in range(steps):
            if self.exhausted:
                return
            self._step()

    def quadrature(self, steps: int | None = None) -> Quadrature:
        """Nodes after so many steps, of those taken; after all of them by default."""
        steps = steps or self.steps
        size, b = steps * self.block, self.block
        t = np.zeros((size, size))
        for number, column in enumerate(self._columns[:steps]):
            rows = min(len(column), size)
            t[:rows, number * b : (number + 1) * b] = column[:rows]
        # a column holds what stands above its diagonal block: the lower triangle is not read
        levels, vectors = np.linalg.eigh(t, UPLO="U")
        last = self._last if steps == self.steps else self._columns[steps - 1][-b:]
        residuals = np.linalg.norm(last @ vectors[-b:], axis=0)
        # the corner [f(T)]_bb, traced: squares of the first b entries of each eigenvector
        weights = np.mean(vectors[:b] ** 2, axis=0)
        return Quadrature(np.maximum(levels[::-1], 0.0), weights[::-1], residuals[::-1])

    def _step(self) -> None:
        x, self._basis = self._next, np.concatenate([self._basis, self._next.T])
        z = _square_times(self._tall, x)
        column = np.zeros((len(self._basis), self.block), np.float32)
        for _ in range(2):
            along = self._basis @ z
            z -= self._basis.T @ along
            column += along
        new, self._last = np.linalg.qr(z.astype(np.float64))
        # of columns that were nearly dependent, QR leaves directions that are not orthogonal
        new -= self._basis.T @ (self._basis @ new)
        self._next = np.linalg.qr(new)[0].astype(np.float32)
        self._columns.append(np.concatenate([column.astype(np.float64), self._last]))


def _square_times(tall: Matrix, x: Singles) -> Singles:
    """W^T W x: each block of rows is brought to the cache once, and used twice."""
    total = np.zeros(x.shape, np.float32)
    step = max(1, _IN_CACHE // tall.shape[1])
    for first in range(0, len(tall), step):
        rows = tall[first : first + step].astype(np.float32, copy=False)
        total += rows.T @ (rows @ x)
    return total
