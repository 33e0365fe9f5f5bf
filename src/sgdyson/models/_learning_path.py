r"""How a student of low rank learns: closed moments, and what stands out of them.

A row d of the error W - T has $d' = (1 - \alpha C) d + \alpha n$, C the second moment of a
mini-batch of Gaussian inputs. With $q = (1-\alpha)^2$ and $\rho = q + \alpha^2 (N+1)/|B|$, from
$\langle C d d^T C\rangle = (1 + 1/|B|)\,d d^T + |d|^2/|B|$, exactly:

* mean of the entry of mode k: $\theta_k (1 - (1-\alpha)^t)$;
* variance of an entry in a row without teacher: $v = w_0^2 \rho^t + \alpha^2 (A/|B|)
  (1 - \rho^t)/(1 - \rho)$;
* in the row of mode k the scatter of the inputs adds $w_k = (\theta_k^2/N)(\rho^t - \rho_1^t)$,
  $\rho_1 = q + \alpha^2/|B|$, and $f_k = \theta_k^2 (\rho_1^t - q^t)$ to the entry of the mode.

The row of a mode is thus a direction of strength $\sqrt{\theta_t^2 + N w_k}$ in noise of variance
v, and of its right vector the share $\theta_t^2/(\theta_t^2 + N w_k)$ is the teacher's.
"""

from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from .._checks import reals, whole
from .._types import ArrayLike, Flags, Floats
from ..errors import require
from ..spectra import SpikedModel
from .model import check_rates

_LAST = 40.0  # relaxation times, after which nothing changes
_TIMES = 4000  # looked at for crossings of the threshold


class LearningPath:
    """Prediction of the bulk and of every mode's level and overlaps, while a student learns.

    What `LowRankTeacher.predict_path` returns. Exact in its moments for every learning rate and
    batch size; levels and overlaps are those of large matrices, `sgdyson.spectra.SpikedModel`.

    Attributes:
        times: updates, shape (time,).
        learning_rate: alpha.
        batch_size: |B|.
    """

    def __init__(
        self, strengths: Floats, shape: tuple[int, int], noise: float, initial_width: float,
        learning_rate: float, batch_size: float, times: ArrayLike,
    ) -> None:  # fmt: skip
        self.learning_rate, self.batch_size = check_rates(learning_rate, batch_size)
        self.times = np.atleast_1d(reals("times", times))
        require(
            self.times.ndim == 1 and bool((self.times >= 0).all()),
            f"times of shape {self.times.shape} must be one axis of updates, not negative.",
        )
        self._strengths, self._shape = strengths, shape
        self._label, self._initial = noise**2, initial_width**2
        self._decay = (1 - self.learning_rate) ** 2
        self._kick = self.learning_rate**2 / self.batch_size  # 0 of an infinite batch
        self._growth = self._decay + self._kick * (shape[1] + 1)

    @property
    def is_stable(self) -> bool:
        r"""Whether the student learns at all: $\alpha (1 + (N+1)/|B|) < 2$."""
        return bool(self._growth < 1)

    @property
    def edge(self) -> Floats:
        """Where the bulk ends, shape (time,)."""
        return np.asarray(np.sqrt(self._variance(self.times)) * np.sqrt(self._shape).sum())

    @property
    def sigma(self) -> Floats:
        """Standard deviation of an entry of the noise, shape (time,)."""
        return np.asarray(np.sqrt(self._variance(self.times)))

    @property
    def levels(self) -> Floats:
        """The singular value of each mode, (time, mode); the edge before it is seen."""
        return self._of_spikes("levels")

    @property
    def widths(self) -> Floats:
        """Standard deviation of each of these between replicas; NaN before it is seen."""
        spread = self._of_spikes("level_variances")
        signal, scatter, mode = self._signal(self.times)
        total = signal**2 + scatter
        # the strength itself fluctuates: chi^2 of the row, and along the row
        with np.errstate(invalid="ignore"):  # before the first update there is no signal
            rows = scatter**2 / (2 * self._shape[1] * total)
            along = (scatter / self._shape[1] + mode) * signal**2 / total
        return np.asarray(np.sqrt(spread + self._slope() ** 2 * (rows + along)))

    @property
    def left_overlaps(self) -> Floats:
        """Squared overlap of each mode's left vector with the teacher's, (time, mode)."""
        return self._of_spikes("left_overlaps")

    @property
    def right_overlaps(self) -> Floats:
        """The same of its right vector."""
        signal, scatter, _ = self._signal(self.times)
        with np.errstate(invalid="ignore"):
            share = np.nan_to_num(signal**2 / (signal**2 + scatter))
        return self._of_spikes("right_overlaps") * share

    @property
    def detached(self) -> Flags:
        """Whether each mode, at each time, stands out of the bulk."""
        return self._excess(self.times) > 0

    @cached_property
    def crossings(self) -> list[Floats]:
        """Updates at which each mode leaves the bulk, returns, leaves again, ..."""
        last = _LAST / min(-np.log(max(self._growth, 1e-300)), 1.0) if self.is_stable else 0.0
        grid = np.concatenate([[0.0], np.geomspace(1e-3, max(last, 1e3), _TIMES)])
        excess = self._excess(grid)
        return [self._roots(grid, excess[:, mode], mode) for mode in range(len(self._strengths))]

    @property
    def detachment_times(self) -> Floats:
        """Update at which each mode is first seen, (mode,); infinity if it never is."""
        return np.array([times[0] if len(times) else np.inf for times in self.crossings])

    @property
    def small_step_times(self) -> Floats:
        r"""The same to leading order in alpha, in closed form.

        $\theta^2 (1-p)^2 = \sqrt{MN}\,[w_0^2 p^2 + \tfrac{\alpha A}{2|B|}(1 - p^2)]$ with
        $p = e^{-\alpha t}$, a quadratic equation.
        """
        side = float(np.sqrt(np.prod(self._shape)))
        floor = self.learning_rate * self._label / (2 * self.batch_size)
        square = self._strengths**2
        a, c = square - side * (self._initial - floor), square - side * floor
        with np.errstate(invalid="ignore", divide="ignore"):
            p = c / (square + np.sqrt(square**2 - a * c))
            times = -np.log(p) / self.learning_rate
        return np.where(c > 0, times, np.inf)

    @property
    def noise_threshold(self) -> float:
        r"""The strength below which no length of training makes a mode seen.

        $(MN)^{1/4}\sqrt{v_\infty}$, $v_\infty = \alpha A/(2|B|)$ for small steps: of alpha/|B|
        alone.
        """
        final = self._kick * self._label / (1 - self._growth) if self.is_stable else np.inf
        return float(np.sqrt(final) * np.prod(self._shape) ** 0.25)

    def spiked(self, at: int) -> SpikedModel:
        """Signal and noise at one of the times, strengths descending.

        Raises:
            InvalidInputError: no such time; no noise, or no signal, at it.
        """
        index = whole("at", at, least=0, most=len(self.times) - 1)
        time = self.times[index : index + 1]
        signal, scatter, _ = self._signal(time)
        strengths = np.sort(np.sqrt(signal**2 + scatter)[0])[::-1]
        return SpikedModel(strengths, self._shape, float(self._variance(time)[0]))

    def _variance(self, times: Floats) -> Floats:
        """V, of an entry in a row without teacher."""
        decayed = self._growth**times
        rest = 1 - self._growth
        summed = (1 - decayed) / rest if abs(rest) > 1e-12 else times
        return np.asarray(self._initial * decayed + self._kick * self._label * summed)

    def _signal(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """Theta_t, N w and f of each time and mode."""
        t, square = times[:, None], self._strengths**2
        relaxed, mean = (self._decay + self._kick) ** t, np.sign(1 - self.learning_rate) ** t
        learnt = self._strengths * (1 - mean * self._decay ** (t / 2))
        return learnt, square * (self._growth**t - relaxed), square * (relaxed - self._decay**t)

    def _excess(self, times: Floats) -> Floats:
        """Square of the strength over that of the threshold, less 1; of each time and mode."""
        signal, scatter, _ = self._signal(times)
        threshold = np.sqrt(np.prod(self._shape)) * self._variance(times)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = (signal**2 + scatter) / threshold - 1
        return np.nan_to_num(excess, nan=-1.0, posinf=1e300)

    def _roots(self, grid: Floats, excess: Floats, mode: int) -> Floats:
        starts = np.flatnonzero(np.diff(excess > 0))

        def of_time(time: float) -> float:
            return float(self._excess(np.array([time]))[0, mode])

        return np.array([brentq(of_time, grid[i], grid[i + 1]) for i in starts])

    def _slope(self) -> Floats:
        """Slope of the level by its strength."""
        signal, scatter, _ = self._signal(self.times)
        strength = np.sqrt(signal**2 + scatter)
        v = self._variance(self.times)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = np.prod(self._shape) * (v / strength**2) ** 2
            return np.asarray(strength * (1 - lost) / self.levels)

    def _of_spikes(self, quantity: str) -> Floats:
        """A number of `SpikedModel` for each time and mode, modes in the order of the teacher."""
        signal, scatter, _ = self._signal(self.times)
        strengths = np.maximum(np.sqrt(signal**2 + scatter), 1e-150)
        rows = []
        for row, variance in zip(strengths, self._variance(self.times), strict=True):
            order = np.argsort(-row, kind="stable")
            spiked = SpikedModel(row[order], self._shape, max(float(variance), 1e-280))
            values = np.empty(len(row))
            values[order] = getattr(spiked, quantity)
            rows.append(values)
        return np.array(rows)
