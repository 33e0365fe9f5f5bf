r"""First and second moments of a student's weights, by classes of directions of its inputs.

A row d of the error W - T has $d' = (1 - \alpha C) d + \alpha n$. In a class c of directions the
mean of C has the curvature $\lambda_c$: of *fresh* inputs a class is the inputs of one variance,
$\lambda_c$; of a *data set* it is the eigenvectors of its C with eigenvalue $\lambda_c$.
"""

from dataclasses import dataclass

import numpy as np

from .._types import Floats
from ._data_spectrum import data_spectrum
from ._scatter import Scatter

_FOREVER = 1e15  # updates: 1 - 1e-15 is the closest to 1 that a factor can be


@dataclass(frozen=True)
class Inputs:
    """What a student is taught with.

    Attributes:
        variances: of each input, (N,).
        places: input that each mode of the teacher reads, (mode,).
        samples: of the data set; None of fresh inputs.
    """

    variances: Floats
    places: tuple[int, ...]
    samples: int | None


@dataclass(frozen=True)
class Setting:
    """Numbers of a student and of its steps, in the notation of the derivation.

    Attributes:
        strengths: theta_k, (mode,).
        label: A, variance of the label noise.
        initial: w_0^2.
        rate: alpha.
        kick: alpha^2/|B|, 0 of an infinite batch.
    """

    strengths: Floats
    label: float
    initial: float
    rate: float
    kick: float


class Moments:
    """Moments at any update, and whether they stay finite.

    Attributes:
        counts: n_c, number of directions in each class, (class,).
        shares: of the right vector of each mode, squared, within each class, (mode, class).
    """

    def __init__(self, setting: Setting, inputs: Inputs) -> None:
        self.setting, fresh = setting, inputs.samples is None
        variances, own = np.unique(inputs.variances, return_inverse=True)
        numbers, kinds = np.bincount(own).astype(float), own[list(inputs.places)]
        if inputs.samples is None:
            self.counts, self._curvature = numbers, variances
            self.shares = np.eye(len(variances))[kinds]
        else:
            spectrum = data_spectrum(variances, numbers, inputs.samples)
            self._curvature, self.counts = spectrum.eigenvalues, numbers @ spectrum.measures
            self.shares = spectrum.measures[kinds]
        self._left = 1 - setting.rate * self._curvature
        self._decay = self._left**2
        # of fresh inputs <C R C> has R twice more; a data set's is of leading order in 1/N
        self._relaxed = self._decay + (setting.kick * self._curvature**2 if fresh else 0.0)
        # A/D, label noise that a data set lets be learnt: (31) of docs, "Theory"
        self._fits = 0.0 if inputs.samples is None else setting.label / inputs.samples
        self._scatter = Scatter(self._relaxed, self._curvature, self.counts, setting.kick)
        self._fresh = fresh

    @property
    def is_stable(self) -> bool:
        """Whether second moments stay finite."""
        moving = self._decay[self._curvature > 0]
        return bool((moving < 1).all() and (self.setting.kick == 0 or self._moves < 1))

    @property
    def slowest(self) -> float:
        """Factor per update of what relaxes slowest."""
        return float(max(self._decay[self._curvature > 0].max(), self._moves))

    @property
    def _moves(self) -> float:
        """Growth of the scatter, but for directions without data, which stay where they are."""
        if (self._curvature > 0).all():
            return self._scatter.growth
        inside = self._curvature > 0
        reduced = Scatter(self._relaxed[inside], self._curvature[inside], self.counts[inside],
                          self.setting.kick)  # fmt: skip
        return reduced.growth

    def gains(self, times: Floats) -> Floats:
        r"""$1 - (1 - \alpha\lambda_c)^t$: share of the teacher that is learnt, (time, class)."""
        t = times[:, None]
        # 1 - alpha lambda may be negative, of which floats have no power: size and sign apart
        sign = np.where((self._left < 0) & (np.rint(t) % 2 == 1), -1.0, 1.0)
        return np.asarray(1 - sign * np.abs(self._left) ** t)

    def variances(self, times: Floats) -> Floats:
        """Variance of an entry in a row without teacher, (time, class)."""
        s = self.setting
        remembered = s.initial * self._relaxed ** times[:, None]
        fitted = self._fitted(times)
        # L of the lines below (31): what decays as p^2 by classes, and a constant A - A N/D
        force = s.initial * self.counts * self._curvature + self._fits * self.counts
        rates = np.append(self._relaxed, 1.0)
        constant = s.label - self._fits * self.counts.sum()
        forces = np.append(force, constant)[None]
        return remembered + fitted + self._scatter.response(times, rates, forces)[:, 0]

    def scatter(self, times: Floats) -> Floats:
        """What the inputs' scatter about the error adds to each entry of a mode's row.

        Of shape (time, mode, class).
        """
        force = self.setting.strengths[:, None] ** 2 * self.shares * self._curvature
        return self._scatter.response(times, self._relaxed, force)

    def own(self, times: Floats) -> Floats:
        """And to the mode's own entry beyond it, (time, mode); 0 of a data set, to this order."""
        change = self._relaxed ** times[:, None] - self._decay ** times[:, None]
        return np.asarray(self.setting.strengths**2 * (change @ self.shares.T))

    def at_rest(self) -> tuple[Floats, Floats]:
        """Variances and gains after any number of updates, (class,) each."""
        times = np.array([_FOREVER])
        return self.variances(times)[0], self.gains(times)[0]

    def _fitted(self, times: Floats) -> Floats:
        """Label noise that a data set teaches, A (1 - p^t)^2/(D lambda)."""
        if self._fresh:
            return np.zeros((len(times), len(self.counts)))
        moving = self._curvature > 0
        unit = np.where(moving, self._fits / np.where(moving, self._curvature, 1.0), 0.0)
        return np.asarray(unit * self.gains(times) ** 2)
