"""A diagonal matrix with Gaussian noise: the weights of a linear student in its teacher's basis."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._leading import Levels, degenerate
from ._random_matrix import Matrices, RandomMatrix, of_components

Square = Float[np.ndarray, "level level"]


@dataclass(frozen=True)
class NoisyMatrix(RandomMatrix):
    r"""$W = \mathrm{diag}(c) + \delta$; levels are singular values.

    Attributes:
        centre: c, of either sign.
        variance: $\langle |\delta_{ij}|^2 \rangle$; on the diagonal of the real part alone.
        mirrored: $\langle \delta_{ij} \delta_{ji} \rangle$.
        common: variance of what all entries of the diagonal have in common, a part of `variance`.
        beta: 1, 2 or 4: real, complex or quaternion entries.
        twist: mean square of the imaginary part of each entry of the diagonal.
    """

    centre: Levels
    variance: Square
    mirrored: Square
    common: Levels
    beta: int = 1
    twist: Levels | float = 0.0
    power = 1

    @property
    def coordinates(self) -> int:
        """One number for each component of an entry, and one for the whole diagonal."""
        return self.beta * len(self.centre) ** 2 + 1

    def weights(self, normal: Float[np.ndarray, "sample coordinate"]) -> Matrices:
        """W, of the Hermitian part above the diagonal, the diagonal, the anti-Hermitian part."""
        n = len(self.centre)
        rows, columns = self._above()
        entries = self.beta * len(rows)
        ends = np.cumsum([entries, n, 1, entries])
        first, own, common, second, phases = np.split(normal, ends, axis=1)
        # a column for each component of an entry
        hermitian, antihermitian = (
            component.reshape(len(normal), self.beta, len(rows)) for component in (first, second)
        )
        delta = np.zeros((len(normal), self.beta, n, n))
        # (d_ij + d_ji*)/sqrt 2 moves levels to first order, (d_ij - d_ji*)/sqrt 2 to second
        plus, cross, minus = self._rotated(rows, columns)
        u = hermitian * plus
        v = hermitian * cross + antihermitian * minus
        delta[:, :, rows, columns], delta[:, :, columns, rows] = (u + v) / 2**0.5, (u - v) / 2**0.5
        delta[:, 1:, columns, rows] *= -1  # d_ji is the conjugate of what was filled in
        alone = np.sqrt(np.maximum(np.diag(self.variance) - self.common, 0.0))
        diagonal = np.arange(n)
        delta[:, 0, diagonal, diagonal] = own * alone + common * np.sqrt(self.common) + self.centre
        if self.beta > 1:
            size = np.sqrt(self.twist / (self.beta - 1))
            delta[:, 1:, diagonal, diagonal] = phases.reshape(len(normal), -1, n) * size
        return of_components(delta)

    def _above(self) -> tuple[np.ndarray, np.ndarray]:
        """Entries above the diagonal, those within a multiplet first: they decide its gaps."""
        rows, columns = np.triu_indices(len(self.centre), 1)
        order = np.argsort(~degenerate(self.centre)[rows, columns], kind="stable")
        return rows[order], columns[order]

    def _rotated(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cholesky's factor of the covariance of one component of both parts."""
        first, second = (
            self.variance[place] / self.beta for place in ((rows, columns), (columns, rows))
        )
        mean, mirrored = (first + second) / 2, self.mirrored[rows, columns] / self.beta
        plus = np.sqrt(np.maximum(mean + mirrored, 0.0))
        cross = np.divide((first - second) / 2, plus, out=np.zeros_like(plus), where=plus > 0)
        return plus, cross, np.sqrt(np.maximum(mean - mirrored - cross**2, 0.0))
