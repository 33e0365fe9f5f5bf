r"""Sums over all levels of a matrix, from a few vectors: stochastic Lanczos quadrature.

For a random subspace of b dimensions out of n, with projector P,

$$\Bigl\langle \tfrac nb \operatorname{tr} P f(A) \Bigr\rangle = \operatorname{tr} f(A) , \qquad
\mathrm{Var} = \frac{2 n (n-b)}{b (n-1)(n+2)} \sum_i (f(x_i) - \bar f)^2 ,$$

the variance of a linear function of a projector drawn by Haar's measure, exact for every n, b and
f; the sum in it is taken from the same quadrature. Sums that are known, of 1 and of x, are taken
off f by regression first (S. Ubaru, J. Chen and Y. Saad, SIAM J. Matrix Anal. Appl. 38, 1075
(2017), for the method; C.-E. Sarndal, B. Swensson and J. Wretman, Model Assisted Survey Sampling,
section 6.4, for the regression).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from .._checks import positive, reals
from .._types import ArrayLike, Floats
from ..errors import require
from ..stats import Estimate

_ROUNDING = 1e-6  # relative, of levels in float32
Function = Callable[[Floats], Floats]


@dataclass(frozen=True)
class SpectralMeasure:
    """Levels of W^T W as Lanczos quadrature knows them: the largest exactly, all others in sums.

    `spectrum(..., method="lanczos").measure` is one.

    Attributes:
        size: n, number of levels in all.
        vectors: b, how many it was begun with.
        top: largest levels, descending, each to 1e-5 of the largest, and mostly far better.
        trace: the exact sum of all others.
        levels: nodes for these, descending.
        weights: of the nodes, in shares of all n levels.
        top_weights: those of the largest levels among the nodes.
        coarse_levels: all nodes after half the steps.
        coarse_weights: their weights.

    Examples:
        >>> import numpy as np
        >>> from sgdyson.spectra import spectrum
        >>> noise = np.random.default_rng(0).standard_normal((1500, 1100))
        >>> measure = spectrum("w", noise, method="lanczos").measure
        >>> counted, exact = measure.count(0, 30), np.linalg.svd(noise, compute_uv=False)
        >>> abs(counted.pull(np.sum(exact < 30))) < 3
        True
    """

    size: int
    vectors: int
    top: Floats = field(repr=False)
    trace: float
    levels: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    top_weights: Floats = field(repr=False)
    coarse_levels: Floats = field(repr=False)
    coarse_weights: Floats = field(repr=False)

    def total(self, function: Function) -> Estimate:
        """The sum of a function over all levels.

        Its error is that of the random vectors, and the difference to half as many steps, which
        tells how well a polynomial of so many steps follows the function; and a millionth, the
        rounding of float32.

        Args:
            function: of an array of levels, not negative.
        """
        value, error = self._sum(function)
        plain = self.weights @ function(self.levels) + self.top_weights @ function(self.top)
        drift = self.size * float(plain - self.coarse_weights @ function(self.coarse_levels))
        rest = float(self.weights @ np.abs(function(self.levels)))
        rounding = _ROUNDING * (abs(value) + self.size * rest)
        return Estimate(value, math.hypot(error, drift, rounding), float(self.vectors))

    def count(self, low: float, high: float) -> Estimate:
        """How many singular values are between two, within the error.

        Args:
            low: singular value.
            high: a larger one.

        Raises:
            InvalidInputError: in another order.
        """
        require(0 <= low < high, f"low = {low} and high = {high} must be in this order, from 0 up.")
        plain = self.total(lambda x: ((x >= low**2) & (x < high**2)).astype(np.float64))
        nearest = [self._weight_at(end) for end in (low**2, high**2) if end > 0]
        # what stands at a node is spread around it: at an end up to half of it is on either side
        blur = self.size * math.hypot(*nearest, 0.0) / 2
        return Estimate(plain.value, math.hypot(plain.error, blur), plain.effective_size)

    def density(self, values: ArrayLike, width: float) -> tuple[Floats, Floats]:
        """Density of singular values, smoothed by a Gaussian, and its error.

        Args:
            values: singular values at which it is wanted.
            width: standard deviation of the Gaussian; a fiftieth of the largest value, say.

        Returns:
            The density, whose integral is one, and its standard error, both in the shape of values.

        Raises:
            InvalidInputError: no numbers, or a width that is not positive.
        """
        at, width = reals("values", values), positive("width", width)
        unit = self.size * width * math.sqrt(2 * math.pi)

        def at_one(value: float) -> Estimate:
            return self.total(lambda x: np.exp(-(((np.sqrt(x) - value) / width) ** 2) / 2) / unit)

        totals = [at_one(float(value)) for value in at.ravel()]
        shape = at.shape
        return (
            np.array([each.value for each in totals]).reshape(shape),
            np.array([each.error for each in totals]).reshape(shape),
        )

    def median(self) -> float:
        """The level in the middle, about."""
        levels = np.concatenate([self.levels[::-1], self.top[::-1]])
        weights = np.concatenate([self.weights[::-1], np.full(len(self.top), 1 / self.size)])
        places = np.cumsum(weights) - weights / 2
        return float(np.interp(0.5 * weights.sum(), places, levels))

    def scaled(self, unit: float) -> SpectralMeasure:
        """The same in another unit of singular values."""
        square = unit * unit
        return replace(
            self, top=self.top * square, trace=self.trace * square, levels=self.levels * square,
            coarse_levels=self.coarse_levels * square,
        )  # fmt: skip

    def _weight_at(self, level: float) -> float:
        """Weight of the node nearest to a level, of those that are not known exactly."""
        if not len(self.levels) or level > self.levels[0]:
            return 0.0
        return float(self.weights[np.argmin(np.abs(self.levels - level))])

    def _sum(self, function: Function) -> tuple[float, float]:
        """Sum over all levels, and the error that the vectors leave."""
        n, b, count = self.size, self.vectors, self.size - len(self.top)
        known = float(np.sum(function(self.top)))
        if not count or not self.weights.sum() > 0:
            return known, 0.0
        unit = max(float(self.levels.max()), np.finfo(float).tiny)
        totals = np.array([count, self.trace / unit])
        given = np.stack([np.ones_like(self.levels), self.levels / unit])
        roots, values = np.sqrt(self.weights), np.asarray(function(self.levels), np.float64)
        slopes = np.linalg.lstsq((given * roots).T, values * roots, rcond=1e-12)[0]
        rest = values - slopes @ given
        value = float(slopes @ totals) + n * float(self.weights @ rest)
        variance = 2 * n * (n - b) / (b * (n - 1) * (n + 2)) * n * float(self.weights @ rest**2)
        return known + value, math.sqrt(max(variance, 0.0))
