r"""Directions in noise: which of them stand out of its bulk, where, and how well they are seen.

The transition of Baik, Ben Arous and Peche: $X = \sum_k \theta_k u_k v_k^T + G$ has a level outside
the bulk of the noise G for each $\theta_k$ above a threshold, and none for those below.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._checks import positive, reals, settle, truth, whole
from .._types import Flags, Floats
from ..errors import require
from ..laws import Gaussian, LargestLevel, Law

_APART = 3.0  # widths between levels, from which they do not feel each other


@dataclass(frozen=True)
class SpikedModel:
    r"""A matrix of low rank in noise: its levels, their laws, overlaps of its singular vectors.

    $X = \sum_k \theta_k u_k v_k^T + G$, M x N, entries of G independent, of variance v. With
    $\mu = vM/\theta^2$ and $\nu = vN/\theta^2$ a direction is seen where $\mu\nu < 1$. Its singular
    value is then

    $$s = \theta\sqrt{(1+\mu)(1+\nu)}, \qquad
    \mathrm{Var}\,s = v\,\frac{(1-\mu\nu)(2+\mu+\nu)}{2(1+\mu)(1+\nu)} ,$$

    $$|\langle u, \hat u\rangle|^2 = 1 - \frac{\mu(1+\nu)}{1+\mu}, \qquad
    |\langle v, \hat v\rangle|^2 = 1 - \frac{\nu(1+\mu)}{1+\nu} .$$

    A symmetric one, $X = \sum_k \theta_k u_k u_k^T + G$ of variance v off the diagonal and 2v on
    it, has eigenvalues $\theta + vN/\theta$ of variance $2v(1 - vN/\theta^2)$ and overlaps
    $1 - vN/\theta^2$ where $\theta^2 > vN$. Levels and overlaps are of leading order in 1/N, within
    O(1/N) of the means as long as theta is not next to the threshold, see `critical`.

    Sources: F. Benaych-Georges and R. R. Nadakuditi, Adv. Math. 227, 494 (2011) and J. Multivar.
    Anal. 111, 120 (2012); symmetric variance M. Capitaine, C. Donati-Martin and D. Feral, Ann.
    Probab. 37, 1 (2009); the variance of s is derived in docs/theory.md.

    Args:
        strengths: theta_k, positive, descending.
        shape: (M, N).
        variance: v, of an entry of the noise.
        symmetric: of a symmetric matrix in symmetric noise.

    Raises:
        InvalidInputError: strengths that are not positive or not descending, more of them than
            levels, a variance that is not positive, a symmetric matrix that is not square.

    Examples:
        >>> spiked = SpikedModel([30.0, 10.0], shape=(160, 80))
        >>> round(spiked.threshold, 2), spiked.detached
        (10.64, array([ True, False]))
        >>> spiked.levels.round(2), spiked.left_overlaps.round(2)
        (array([33.97, 21.59]), array([0.84, 0.  ]))
    """

    strengths: Floats
    shape: tuple[int, int]
    variance: float = 1.0
    symmetric: bool = False

    def __post_init__(self) -> None:
        theta = np.atleast_1d(reals("strengths", self.strengths))
        shape = (whole("shape", self.shape[0]), whole("shape", self.shape[1]))
        settle(
            self, strengths=theta, shape=shape, variance=positive("variance", self.variance),
            symmetric=truth("symmetric", self.symmetric),
        )  # fmt: skip
        require(
            theta.ndim == 1 and bool((theta > 0).all() and (np.diff(theta) <= 0).all()),
            f"strengths = {theta.tolist()} must be positive and descending.",
        )
        require(
            theta.size <= min(shape),
            f"{theta.size} strengths in a matrix of shape {shape}, which has {min(shape)} levels.",
        )
        require(
            not self.symmetric or shape[0] == shape[1],
            f"a matrix of shape {shape} is not symmetric; leave symmetric = True out.",
        )

    @property
    def threshold(self) -> float:
        r"""The strength above which a direction is seen, $\sqrt v\,(MN)^{1/4}$."""
        return float(np.sqrt(self.variance) * (self.shape[0] * self.shape[1]) ** 0.25)

    @property
    def edge(self) -> float:
        r"""Where the bulk ends, $\sqrt v\,(\sqrt M + \sqrt N)$."""
        return float(np.sqrt(self.variance) * np.sqrt(self.shape).sum())

    @property
    def detached(self) -> Flags:
        """Whether each strength is above the threshold."""
        return self.strengths > self.threshold

    @property
    def critical(self) -> Flags:
        r"""Whether each strength is so close to the threshold that no law here holds.

        Within $|\theta^4/\theta_c^4 - 1| < 2 N^{-1/3}$ of the smaller side, the width of the
        transition (J. Baik, G. Ben Arous and S. Peche, Ann. Probab. 33, 1643 (2005)).
        """
        distance = (self.strengths / self.threshold) ** 4 - 1
        return np.asarray(np.abs(distance) < 2 * min(self.shape) ** (-1 / 3))

    @property
    def levels(self) -> Floats:
        """The level of each strength; the edge for one below the threshold."""
        mu, nu = self._ratios
        above = 1 + mu if self.symmetric else np.sqrt((1 + mu) * (1 + nu))
        return np.where(self.detached, self.strengths * above, self.edge)

    @property
    def level_variances(self) -> Floats:
        """The variance of the level of each strength; NaN for one below the threshold."""
        mu, nu = self._ratios
        if self.symmetric:
            above = 2 * self.variance * (1 - mu)
        else:
            shape = (1 - mu * nu) * (2 + mu + nu) / (2 * (1 + mu) * (1 + nu))
            above = self.variance * shape
        return np.where(self.detached, above, np.nan)

    @property
    def left_overlaps(self) -> Floats:
        """Squared overlap of each u (M entries) with that of X; 0 below threshold."""
        return self._overlaps(*self._ratios)

    @property
    def right_overlaps(self) -> Floats:
        """Squared overlap of each v (N entries) with that of X; 0 below threshold."""
        return self._overlaps(*self._ratios[::-1])

    def law(self, index: int = 0) -> Law:
        """The law of the level of one strength: Gaussian above, Tracy and Widom's below.

        Args:
            index: of the strength, from 0.

        Raises:
            InvalidInputError: a strength next to the threshold or to another one, or one below
                the threshold that is not the first of these, whose laws are not known here.
        """
        at = whole("index", index, least=0, most=self.strengths.size - 1)
        require(
            not self.critical[at],
            f"strength {self.strengths[at]:.4g} is next to the threshold {self.threshold:.4g}:"
            " its level has neither law.",
        )
        if self.detached[at]:
            return self._law_above(at)
        require(
            at == int(self.detached.sum()),
            f"strength {self.strengths[at]:.4g} is not the first below the threshold"
            f" {self.threshold:.4g}: the law is that of the largest level of the noise.",
        )
        # the directions seen take one row and one column of the noise each
        rows, columns = (side - at for side in self.shape)
        sigma = float(np.sqrt(self.variance))
        if self.symmetric:
            return LargestLevel.of_eigenvalues(rows, sigma)
        return LargestLevel.of_singular_values((rows, columns), sigma)

    def _law_above(self, at: int) -> Law:
        level, width = self.levels[at], float(np.sqrt(self.level_variances[at]))
        others = np.delete(self.levels[self.detached], at)
        require(
            bool((np.abs(others - level) > _APART * width).all()),
            f"strength {self.strengths[at]:.4g} has another within {_APART:g} widths"
            f" {width:.3g}: they repel, and neither level has a law of its own.",
        )
        return Gaussian(float(level), width)

    @cached_property
    def _ratios(self) -> tuple[Floats, Floats]:
        """Mu and nu of each strength that is seen, and of the threshold in place of the others."""
        unit = self.variance / np.where(self.detached, self.strengths, self.threshold) ** 2
        return self.shape[0] * unit, self.shape[1] * unit

    def _overlaps(self, own: Floats, other: Floats) -> Floats:
        lost = own if self.symmetric else own * (1 + other) / (1 + own)
        return np.where(self.detached, 1 - lost, 0.0)
