"""What theory predicts of a model, before any of it is simulated: the law of its levels."""

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from .._checks import seed_of, shown, whole
from .._tabular import Table, Tabular
from ..errors import NoPredictionError, require
from ..spectra import Multiplet, multiplets
from ._leading import LeadingOrder, Levels, has_partner
from ._level_law import LevelLaw
from ._level_statistics import LevelNumbers, level_numbers
from ._prediction_table import prediction_table
from ._random_matrix import RandomMatrix
from ._reads_leading import ReadsLeading
from ._theory import Theory

_SAMPLES = 4096
_SECOND = 32  # levels up to which an error is worth the cost of order 2, which grows as n^4
_TOO_MUCH = 0.5  # neglected by theory, relative to a width
_NUMBERS = 2**24  # normal numbers behind what is read off, at most


@dataclass(frozen=True, repr=False)
class Prediction(ReadsLeading, Tabular):
    r"""The law of the levels in the stationary state, at one learning rate and batch size.

    Levels are drawn from it (`sample_levels`); numbers and densities are read off 4096
    quasi-random draws when they are first asked for, all levels descending. What is in closed
    form, to leading order in alpha/|B|, is under `leading`.

    Shows itself as a table, a row a mode; `to_frame` and `to_dict` give its columns.

    Attributes:
        leading: the leading order: the linear scaling rule, in closed form.
        order: of the law, 1 or 2; see `at_order`.

    Examples:
        Of a student, <S> = sqrt(pi A alpha/|B|) to leading order, with A = epsilon^2:

        >>> from math import pi, sqrt
        >>> from sgdyson import TeacherStudent
        >>> theory = TeacherStudent([2.0, 2.0], label_noise=0.1).predict(0.01, 100)
        >>> leading = theory.leading.mean_spacing[0]
        >>> bool(abs(leading / (0.1 * sqrt(pi * 0.01 / 100)) - 1) < 0.01)
        True
        >>> bool(abs(theory.mean_spacing[0] / leading - 1) < 0.1)
        True
    """

    leading: LeadingOrder
    _theory: Theory = field(repr=False)
    order: int = 1

    def at_order(self, order: int) -> "Prediction":
        """The same to another order.

        Args:
            order: 1, moments to first order in 1/|B| and what follows from them: levels that
                mix and repel each other, X that is positive and skewed; 2, moments to second
                order, for a `GaussianRBM` that learns all modes by plain SGD.

        Raises:
            NoPredictionError: order 2 where it is not derived.
            InvalidInputError: an order that is neither.
        """
        require(order in (1, 2), f"order = {shown(order)} must be 1 or 2.")
        if order == 2 and self._theory.second is None:
            raise NoPredictionError(f"order = 2 {self._theory.no_second}; take order 1.")
        return replace(self, order=int(order))

    def sample_levels(self, size: int = _SAMPLES, seed: int = 0) -> Float[np.ndarray, "size level"]:
        """Levels of the stationary state, quasi-random: more even than independent draws.

        Args:
            size: how many; powers of two from 512 on are best.
            seed: the same gives the same levels.

        Returns:
            Shape (size, level), descending.

        Raises:
            NoPredictionError: no stationary state, as where alpha/|B| is too large.
        """
        size, seed = whole("size", size), seed_of("seed", seed)
        if self.batch_size == np.inf:
            return np.tile(self.levels, (size, 1))
        return self._matrix.sample_levels(size, seed)

    def law(self, multiplet: Multiplet | int) -> LevelLaw:
        """The density of the levels of one multiplet, each of its members as likely.

        Args:
            multiplet: one of `sgdyson.spectra.multiplets(prediction.levels)`, or the place of any
                of its levels.

        Raises:
            InvalidInputError: no such multiplet, or one that does not fluctuate.
        """
        place = multiplet.indices[0] if isinstance(multiplet, Multiplet) else multiplet
        count = len(self.levels)
        place = whole("multiplet", place, least=0)
        require(
            place < count, f"multiplet = {place} must be one of {count} levels, 0 to {count - 1}."
        )
        group = next(group for group in multiplets(self.levels) if place in group.indices)
        require(
            bool(self.learnt[place] and np.diag(self.covariance)[place] > 0),
            f"multiplet = {place} does not fluctuate, and has no density: it is not learnt, or"
            " there is no noise.",
        )
        return LevelLaw(self._many_samples[:, list(group.indices)], self.beta)

    def _table(self) -> Table:
        return prediction_table(self.leading, self.order, self._columns)

    def _columns(self) -> dict[str, Any]:
        errors = self.errors
        return {
            "mean_shift": self.mean_shift, "mean_shift_error": errors.mean_shift,
            "width": self.width, "width_error": errors.width,
            "mean_spacing": self.mean_spacing, "mean_spacing_error": errors.mean_spacing,
            "relative_error": self.next_order,
        }  # fmt: skip

    @property
    def mean_spacing(self) -> Levels:
        r"""$\langle S \rangle$, the mean gap below each level within its multiplet.

        Of the lowest one the gap above it: a pair has one mean gap, and both its levels have it.
        NaN of a level without a degenerate partner that is learnt.
        """
        return np.where(self.learnt, self._numbers[0].mean_spacing, np.nan)

    @property
    def width(self) -> Levels:
        r"""$\sigma_i$ of the Coulomb gas with the variance of the levels of the multiplet.

        Of a single level its standard deviation; the variance of n levels is $\sigma^2 [1 + \beta
        (n - 1)/2]$.
        """
        return self._numbers[0].width

    @property
    def mean_level(self) -> Levels:
        """Mean of each of the sorted levels; NaN where the leading order has no mean shift."""
        return self._known(self._numbers[0].mean_level)

    @property
    def mean_shift(self) -> Levels:
        """Mean of the level (of its multiplet) minus `levels`; NaN where it is not derived."""
        return self._known(self._numbers[0].mean_shift)

    @cached_property
    def errors(self) -> LevelNumbers:
        """How far `mean_level`, `width`, `mean_shift` and `mean_spacing` can be trusted.

        What the next order changes, where it is derived (and of a width the size of the fourth
        cumulants, which are not), and otherwise an estimate of its size from the first neglected
        terms; plus the error of quasi-random sampling.
        """
        numbers, sampling = self._numbers
        other = self._other_order()
        if other is not None:
            beyond = LevelNumbers(*(np.abs(a - b) for a, b in zip(numbers, other, strict=True)))
            width = beyond.width + self._theory.fourth * numbers.width  # which neither order has
            beyond = beyond._replace(width=width)
        else:
            size = self._theory.neglected
            shift = np.abs(numbers.mean_shift) * size
            beyond = LevelNumbers(shift, numbers.width * size, shift, numbers.mean_spacing * size)
        return LevelNumbers(*(a + b for a, b in zip(beyond, sampling, strict=True)))

    def _other_order(self) -> LevelNumbers | None:
        """The numbers to order 2 of order 1, and the other way round, where it takes no minutes."""
        if self.order == 2:
            return self.at_order(1)._numbers[0]
        if self._theory.second is None or len(self.levels) > _SECOND:
            return None
        try:
            return self.at_order(2)._numbers[0]
        except NoPredictionError:  # beyond the reach of order 2
            return None

    @property
    def next_order(self) -> Levels:
        """The larger of the errors of `width` and `mean_spacing`, relative to these."""
        numbers = self._numbers[0]
        relative = [
            np.divide(error, value, out=np.zeros_like(value), where=value > 0)
            for error, value in ((self.errors.width, numbers.width),
                                 (self.errors.mean_spacing, numbers.mean_spacing))
        ]  # fmt: skip
        return np.asarray(np.maximum(*relative))

    @cached_property
    def accuracy_limit(self) -> float:
        r"""Mean distance from the target, in the stationary state: no length of training lowers it.

        Of a `GaussianRBM` the Kullback-Leibler divergence of the learnt distribution from the
        target's, in nats, $\frac\beta2[\mathrm{tr}(K K_\varphi^{-1}) - N - \ln\det(K
        K_\varphi^{-1})]$; of a linear student or network $|W - W_t|^2$.

        Raises:
            NoPredictionError: a matrix that has no target of its own, as a layer of a network.
        """
        if np.isnan(self.leading.accuracy_limit):
            raise NoPredictionError("accuracy_limit: these levels have no target of their own.")
        if self._theory.distance is None or self.batch_size == np.inf:
            return self.leading.accuracy_limit
        return float(self._matrix.apply(self._theory.distance, self._size, 0).mean())

    @cached_property
    def _matrix(self) -> RandomMatrix:
        if not np.isfinite(np.diag(self.covariance)[self.learnt]).all() or not self.learnt.any():
            raise NoPredictionError(
                f"learning_rate = {self.learning_rate:g} at batch_size = {self.batch_size:g} leaves"
                " no stationary state: no mode is learnt that stays; take a smaller one."
            )
        neglected = float(self._theory.neglected[self.learnt].max())
        if neglected > _TOO_MUCH:
            warnings.warn(
                f"learning_rate = {self.learning_rate:g} at batch_size = {self.batch_size:g}: what"
                f" an expansion in alpha/|B| neglects is {neglected:.2g} of the widths; take a"
                " smaller ratio, or trust a simulation alone.",
                RuntimeWarning,
                stacklevel=2,
            )
        if self.order == 2:
            assert self._theory.second is not None
            return self._theory.second()
        return self._theory.first()

    @property
    def _size(self) -> int:
        """Samples behind the numbers: fewer where matrices are large."""
        most = _NUMBERS // self._matrix.coordinates
        # a power of two: Sobol points are even in such numbers alone
        return max(min(_SAMPLES, 2 ** (most.bit_length() - 1)), 512) if most else 512

    @cached_property
    def _samples(self) -> Float[np.ndarray, "sample level"]:
        return self.sample_levels(self._size)

    @cached_property
    def _many_samples(self) -> Float[np.ndarray, "sample level"]:
        """A density needs more samples than a mean does."""
        return self.sample_levels(4 * self._size) if len(self.levels) <= _SECOND else self._samples

    @cached_property
    def _numbers(self) -> tuple[LevelNumbers, LevelNumbers]:
        if self.batch_size == np.inf:
            none, alone = np.zeros(len(self.levels)), ~has_partner(self.levels)
            resting = LevelNumbers(self.levels, none, none, np.where(alone, np.nan, none))
            return resting, LevelNumbers(none, none, none, none)
        return level_numbers(self._samples, self.levels, self.beta)

    def _known(self, values: Levels) -> Levels:
        return np.where(np.isnan(self.leading.drift_shift), np.nan, values)
