r"""How a student of low rank learns: closed moments, and what stands out of them.

The weights are noise whose columns have the variances v of `Moments`, and in the row of mode k a
direction beside it: the teacher's right vector, of which each class of directions has learnt its
share, and the scatter of the inputs about the error. Of white fresh inputs, with $q =
(1-\alpha)^2$, $\rho = q + \alpha^2 (N+1)/|B|$ and $\rho_1 = q + \alpha^2/|B|$, exactly:

* mean of the entry of mode k: $\theta_k (1 - (1-\alpha)^t)$;
* variance of an entry in a row without teacher: $v = w_0^2 \rho^t + \alpha^2 (A/|B|)
  (1 - \rho^t)/(1 - \rho)$;
* in the row of mode k the scatter of the inputs adds $w_k = (\theta_k^2/N)(\rho^t - \rho_1^t)$, and
  $f_k = \theta_k^2 (\rho_1^t - q^t)$ to the entry of the mode.
"""

from functools import cached_property

import numpy as np

from .._checks import reals, whole
from .._types import ArrayLike, Flags, Floats
from ..errors import NoPredictionError, require
from ..spectra import ColumnNoise, ColumnSpikes, SpikedModel
from ._crossings import sign_changes
from ._learning_moments import Inputs, Moments, Setting
from .model import check_rates

_LAST = 40.0  # relaxation times, after which nothing changes


class LearningPath:
    """Prediction of the bulk and of every mode's level and overlaps, while a student learns.

    What `LowRankTeacher.predict_path` returns. Its moments are exact for every learning rate and
    batch size of fresh inputs, and of a data set in whole; of mini-batches of a data set to leading
    order in 1/N. Levels and overlaps are those of large matrices, `sgdyson.spectra.ColumnNoise`.

    Attributes:
        times: updates, shape (time,).
        learning_rate: alpha.
        batch_size: |B|.
    """

    def __init__(
        self, strengths: Floats, shape: tuple[int, int], label_noise: float, initial_width: float,
        inputs: Inputs, learning_rate: float, batch_size: float, times: ArrayLike,
    ) -> None:  # fmt: skip
        self.learning_rate, self.batch_size = check_rates(learning_rate, batch_size)
        self.times = np.atleast_1d(reals("times", times))
        require(
            self.times.ndim == 1 and bool((self.times >= 0).all()),
            f"times of shape {self.times.shape} must be one axis of updates, not negative.",
        )
        kick = self.learning_rate**2 / self.batch_size  # 0 of an infinite batch
        self._strengths, self._shape, self._inputs = strengths, shape, inputs
        self._setting = Setting(
            strengths, label_noise**2, initial_width**2, self.learning_rate, kick
        )
        self._moments = Moments(self._setting, inputs)

    @property
    def is_stable(self) -> bool:
        r"""Whether it learns at all: of white fresh inputs $\alpha (1 + (N+1)/|B|) < 2$."""
        return self._moments.is_stable

    @property
    def edge(self) -> Floats:
        """Where the bulk ends, shape (time,)."""
        return self._noise.edge

    @property
    def sigma(self) -> Floats:
        """Standard deviation of an entry of the noise, over all columns, shape (time,)."""
        counts = self._noise.counts
        return np.asarray(np.sqrt(self._noise.variances @ counts / counts.sum()))

    def thresholds(self, false_alarm: float = 0.01) -> Floats:
        """The level that the largest of noise alone exceeds with this chance, (time,).

        Args:
            false_alarm: the chance.
        """
        require(0 < false_alarm < 1, f"false_alarm = {false_alarm!r} must be between 0 and 1.")
        return np.array([
            float(self._noise.largest(at).ppf(1 - false_alarm)) if edge > 0 else 0.0
            for at, edge in enumerate(self.edge)
        ])  # fmt: skip

    @property
    def levels(self) -> Floats:
        """The singular value of each mode, (time, mode); the edge before it is seen."""
        return self._spikes.levels

    @property
    def widths(self) -> Floats:
        """Standard deviation of each of these between replicas; NaN before it is seen.

        Raises:
            NoPredictionError: a data set, whose own fluctuation is not derived.
        """
        if self._inputs.samples is not None:
            raise NoPredictionError(
                "the widths of levels between data sets are not derived; take fresh inputs,"
                " samples = None, or measure them."
            )
        # the row itself fluctuates: chi^2 of each class of inputs, and along the mode's vector
        counts, scatter = self._moments.counts, self._moments.scatter(self.times)
        along = scatter + self._moments.own(self.times)[..., None] * self._moments.shares
        rows = 2 * counts * scatter**2 + 4 * self._signal(self.times) ** 2 * along
        return np.asarray(
            np.sqrt(self._spikes.level_variances + (self._spikes.slopes**2 * rows).sum(-1))
        )

    @property
    def left_overlaps(self) -> Floats:
        """Squared overlap of each mode's left vector with the teacher's, (time, mode)."""
        return self._spikes.left_overlaps

    @property
    def right_overlaps(self) -> Floats:
        """The same of its right vector."""
        along = self._signal(self.times) * np.sqrt(self._moments.shares)
        return self._spikes.right_overlaps(along)

    @property
    def detached(self) -> Flags:
        """Whether each mode, at each time, stands out of the bulk."""
        return self._spikes.detached

    @cached_property
    def crossings(self) -> list[Floats]:
        """Updates at which each mode leaves the bulk, returns, leaves again, ..."""
        last = _LAST / -np.log(max(self._moments.slowest, 1e-300)) if self.is_stable else 0.0
        return sign_changes(self._excess, max(last, 1e3))

    @property
    def detachment_times(self) -> Floats:
        """Update at which each mode is first seen, (mode,); infinity if it never is."""
        return np.array([times[0] if len(times) else np.inf for times in self.crossings])

    @property
    def drowning_times(self) -> Floats:
        """Update at which each mode is last seen, (mode,); infinity if it is seen for good.

        NaN of a mode that is never seen.
        """
        return np.array([
            np.nan if not len(times) else np.inf if len(times) % 2 else times[-1]
            for times in self.crossings
        ])  # fmt: skip

    @property
    def small_step_times(self) -> Floats:
        r"""The detachment times to leading order in alpha, in closed form.

        $\theta^2 (1-p)^2 = \sqrt{MN}\,[w_0^2 p^2 + \tfrac{\alpha A}{2|B|}(1 - p^2)]$ with
        $p = e^{-\alpha t}$, a quadratic equation.

        Raises:
            NoPredictionError: inputs that are not white, or not fresh.
        """
        self._white("small_step_times", "detachment_times")
        side = float(np.sqrt(np.prod(self._shape)))
        floor = self.learning_rate * self._setting.label / (2 * self.batch_size)
        square = self._strengths**2
        a, c = square - side * (self._setting.initial - floor), square - side * floor
        with np.errstate(invalid="ignore", divide="ignore"):
            # the smaller root of a p^2 - 2 theta^2 p + c, in the form that neither cancels nor
            # divides by a, which vanishes
            p = c / (square + np.sqrt(square**2 - a * c))
            times = -np.log(p) / self.learning_rate
        return np.where(c > 0, times, np.inf)

    @property
    def noise_threshold(self) -> float:
        r"""The strength below which no length of training makes a mode seen.

        $(MN)^{1/4}\sqrt{v_\infty}$, $v_\infty = \alpha A/(2|B|)$ for small steps: of alpha/|B|
        alone.

        Raises:
            NoPredictionError: inputs that are not white, or not fresh.
        """
        self._white("noise_threshold", "noise_thresholds")
        return float(self.noise_thresholds[0])

    @cached_property
    def noise_thresholds(self) -> Floats:
        """The strength that each mode would need to be seen at rest, (mode,)."""
        if not self.is_stable:
            return np.full(len(self._strengths), np.inf)
        # strength 1: its excess is D - 1, D grows with the square, and D = 1 is the threshold
        variances, gains = self._moments.at_rest()
        unit = gains**2 * self._moments.shares
        noise = ColumnNoise(self._shape[0], self._moments.counts, variances)
        if not variances.any():
            return np.zeros(len(self._strengths))
        # D is linear in the square of the strength
        return np.asarray(1 / np.sqrt(noise.spikes(unit).excess + 1))

    def spiked(self, at: int) -> SpikedModel:
        """Signal and noise at one of the times, strengths descending.

        Raises:
            InvalidInputError: no such time; no noise, or no signal, at it.
            NoPredictionError: inputs that are not white, or not fresh.
        """
        self._white("spiked", "levels, left_overlaps and right_overlaps")
        index = whole("at", at, least=0, most=len(self.times) - 1)
        strengths = np.sqrt(self._weights(self.times[index : index + 1]).sum(-1)[0])
        return SpikedModel(np.sort(strengths)[::-1], self._shape, float(self.sigma[index] ** 2))

    @cached_property
    def _noise(self) -> ColumnNoise:
        return self._noise_at(self.times)

    @cached_property
    def _spikes(self) -> ColumnSpikes:
        return self._noise.spikes(self._weights(self.times))

    def _noise_at(self, times: Floats) -> ColumnNoise:
        return ColumnNoise(self._shape[0], self._moments.counts, self._moments.variances(times))

    def _signal(self, times: Floats) -> Floats:
        """Length of what is learnt of each mode within each class, (time, mode, class)."""
        gains = self._moments.gains(times)[:, None]
        lengths = self._strengths[:, None] * np.sqrt(self._moments.shares)
        return np.asarray(gains * lengths)

    def _weights(self, times: Floats) -> Floats:
        """Squared length of the direction in each mode's row, with the scatter in it."""
        scatter = self._moments.counts * self._moments.scatter(times)
        return np.asarray(self._signal(times) ** 2 + scatter)

    def _excess(self, times: Floats) -> Floats:
        """Positive of each time and mode that is seen."""
        return self._noise_at(times).spikes(self._weights(times)).excess

    def _white(self, name: str, instead: str) -> None:
        """Refuse what holds for white fresh inputs alone."""
        if self._inputs.samples is None and len(self._moments.counts) == 1:
            return
        raise NoPredictionError(
            f"{name} is that of fresh inputs of one variance, whose bulk is Marchenko and Pastur's;"
            f" ask for {instead}."
        )
