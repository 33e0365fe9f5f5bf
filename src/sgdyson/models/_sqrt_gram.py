r"""The square root of the Gram matrix, which is nearly Gaussian where X itself is not.

$X = W^T W$ is positive and skewed. In the target's eigenbasis take $W = (H, t)$, $H =
\mathrm{diag}(h) + s$ on the modes that are learnt and t from them to those that are not, with
independent Gaussian entries of variance $U_{ij} = V_{ij}/(\sqrt{x_i} + \sqrt{x_j})^2$: then
$X_{ij}$ has the variance $V_{ij}$ to first order, and the third cumulants of a square. W has as
many rows as modes are learnt, so that the levels of all others vanish. Where the third cumulants
are known, $s \to s_{ij} + \sum_k c_{ijk} s_{ik} s_{kj}$ reproduces them (docs, "Theory", (B)).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..errors import NoPredictionError
from ._leading import Levels, degenerate
from ._random_matrix import Matrices, RandomMatrix, of_components

Square = Float[np.ndarray, "level level"]


@dataclass(frozen=True)
class SqrtGram(RandomMatrix):
    """H = sqrt(X) of an RBM.

    Attributes:
        fixed_point: x, descending, zero of modes that are not learnt, which come last.
        mean: of X_ii in the target's eigenbasis, $x_i + E_i$.
        variance: U, mean squares of the entries of H.
        bend: c_ijk, shape (level, level, level); None for a Gaussian H.
        beta: 1, 2 or 4: real, complex or quaternion entries; 1 where H is not Gaussian.
    """

    fixed_point: Levels
    mean: Levels
    variance: Square
    bend: np.ndarray | None = None
    beta: int = 1
    power = 2

    @property
    def learnt(self) -> int:
        """How many modes are learnt."""
        return int((self.fixed_point > 0).sum())

    @property
    def coordinates(self) -> int:
        """Entries of s on and above the diagonal, and of t."""
        n = self.learnt
        return n + self.beta * (n * (n - 1) // 2 + n * (len(self.fixed_point) - n))

    def weights(self, normal: Float[np.ndarray, "sample coordinate"]) -> Matrices:
        """W = (H, t)."""
        n, rows, columns = self.learnt, *self._entries()
        s = np.zeros((len(normal), self.beta, n, len(self.fixed_point)))
        if self.beta > 1:
            rows, columns, component = _components(rows, columns, self.beta)
        else:
            component = np.zeros_like(rows)
        # <|s_ij|^2> = U_ij, which the components of an entry share
        each = np.where(rows == columns, 1, self.beta)
        s[:, component, rows, columns] = normal * np.sqrt(self.variance[rows, columns] / each)
        inside = columns < n
        # below the diagonal stands the conjugate: all components but the first change sign
        low, high, component = rows[inside], columns[inside], component[inside]
        s[:, component, high, low] = s[:, component, low, high] * np.where(
            component == 0, 1.0, -1.0
        )
        if self.bend is not None:
            s[:, 0] = self._bent(s[:, 0])
        s[:, 0, np.arange(n), np.arange(n)] += self._centre()
        return of_components(s)

    def _entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the entries, those within a multiplet first: they decide its gaps."""
        n = self.learnt
        rows, columns = np.triu_indices(n, m=len(self.fixed_point))
        apart = ~degenerate(self.fixed_point)[rows, columns]
        order = np.argsort(apart, kind="stable")
        return rows[order], columns[order]

    def _centre(self) -> Levels:
        r"""h, of $\langle X_{ii} \rangle = h_i^2 + \sum_k \langle s_{ik}^2 \rangle$."""
        n = self.learnt
        square = (self.mean - self._spread().sum(axis=1))[:n]
        if (square <= 0).any():
            lost = int(np.argmin(square))
            raise NoPredictionError(
                f"the level {self.fixed_point[lost]:.4g} would fluctuate by as much as it is high"
                f" (h^2 = {square[lost]:.3g}), and there is no stationary state of this kind; take"
                " a smaller alpha/|B|."
            )
        return np.asarray(np.sqrt(square))

    def _spread(self) -> Square:
        """Variances of s on the learnt modes, bent or not."""
        n = self.learnt
        within = self.variance[:n, :n]
        if self.bend is None:
            return np.pad(within, [(0, len(self.fixed_point) - n), (0, 0)])
        return np.asarray(self._rescaled() ** 2 * self._bent_variance())

    def _bent(self, s: Matrices) -> Matrices:
        """Third cumulants by a square, at the variances and the mean there were."""
        assert self.bend is not None
        square = np.einsum("sik,skj,ijk->sij", s, s, self.bend, optimize=True)
        # the mean of the square, taken off so that its levels stay where they were
        mean = np.einsum("iik,ik->i", self.bend, self.variance)
        diagonal = np.arange(len(mean))
        square[:, diagonal, diagonal] -= mean
        return np.asarray((s + square) * self._rescaled())

    def _bent_variance(self) -> Square:
        r"""$U_{ij} + (1 + \delta_{ij}) \sum_k c_{ijk}^2 U_{ik} U_{kj}$, by Wick's theorem."""
        assert self.bend is not None
        own = np.einsum("ijk,ik,kj->ij", self.bend**2, self.variance, self.variance)
        return np.asarray(self.variance + own * (1 + np.eye(len(own))))

    def _rescaled(self) -> Square:
        """Factors that bring the variances back; one for a multiplet, which has no direction."""
        factor = np.sqrt(self.variance / self._bent_variance())
        together = degenerate(self.fixed_point)
        for i, row in enumerate(together):
            others = np.flatnonzero(row)
            if len(others) > 1:
                factor[i, others] = factor[others[0], others[1]]
        return np.asarray(factor)


def _components(
    rows: np.ndarray, columns: np.ndarray, beta: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and number of components of each entry; one component on the diagonal."""
    counts = np.where(rows == columns, 1, beta)
    component = np.concatenate([np.arange(count) for count in counts])
    return rows.repeat(counts), columns.repeat(counts), component


def root_variance(covariance: Square, fixed_point: Levels) -> Square:
    r"""$U_{ij} = V_{ij}/(\sqrt{x_i} + \sqrt{x_j})^2$.

    A mode that is learnt and one that is not of the same target turn into each other freely:
    infinite V. The basis is then that of the learnt one, and U vanishes.
    """
    root = np.sqrt(fixed_point)
    both = (root[:, None] + root) ** 2
    usable = (both > 0) & np.isfinite(covariance)
    return np.divide(covariance, both, out=np.zeros_like(covariance), where=usable)
