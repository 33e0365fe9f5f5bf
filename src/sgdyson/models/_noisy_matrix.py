"""A diagonal matrix with Gaussian noise: the weights of a linear student in its teacher's basis."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._leading import Levels, degenerate
from ._random_matrix import Matrices, RandomMatrix

Square = Float[np.ndarray, "level level"]


@dataclass(frozen=True)
class NoisyMatrix(RandomMatrix):
    r"""$W = \mathrm{diag}(c) + \delta$; levels are singular values.

    Attributes:
        centre: c, of either sign.
        variance: of every entry of delta.
        mirrored: covariance of the entries ij and ji.
        common: variance of what all entries of the diagonal have in common, a part of `variance`.
    """

    centre: Levels
    variance: Square
    mirrored: Square
    common: Levels
    power = 1

    @property
    def coordinates(self) -> int:
        """One number for each entry, and one for the whole diagonal."""
        return len(self.centre) ** 2 + 1

    def weights(self, normal: Float[np.ndarray, "sample coordinate"]) -> Matrices:
        """W, of the symmetric part above the diagonal, the diagonal, and the antisymmetric part."""
        n = len(self.centre)
        above = n * (n - 1) // 2
        rows, columns = self._above()
        symmetric, antisymmetric = normal[:, :above], normal[:, above + n + 1 :]
        own, common = normal[:, above : above + n], normal[:, above + n : above + n + 1]
        delta = np.zeros((len(normal), n, n))
        # (d_ij + d_ji)/sqrt 2 moves levels to first order, (d_ij - d_ji)/sqrt 2 to second
        plus, cross, minus = self._rotated(rows, columns)
        u = symmetric * plus
        v = symmetric * cross + antisymmetric * minus
        delta[:, rows, columns], delta[:, columns, rows] = (u + v) / 2**0.5, (u - v) / 2**0.5
        alone = np.sqrt(np.maximum(np.diag(self.variance) - self.common, 0.0))
        diagonal = np.arange(n)
        delta[:, diagonal, diagonal] = own * alone + common * np.sqrt(self.common) + self.centre
        return delta

    def _above(self) -> tuple[np.ndarray, np.ndarray]:
        """Entries above the diagonal, those within a multiplet first: they decide its gaps."""
        rows, columns = np.triu_indices(len(self.centre), 1)
        order = np.argsort(~degenerate(self.centre)[rows, columns], kind="stable")
        return rows[order], columns[order]

    def _rotated(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cholesky's factor of the covariance of the symmetric and the antisymmetric part."""
        first, second = self.variance[rows, columns], self.variance[columns, rows]
        mean, mirrored = (first + second) / 2, self.mirrored[rows, columns]
        plus = np.sqrt(np.maximum(mean + mirrored, 0.0))
        cross = np.divide((first - second) / 2, plus, out=np.zeros_like(plus), where=plus > 0)
        return plus, cross, np.sqrt(np.maximum(mean - mirrored - cross**2, 0.0))
