"""One run measured: every multiplet of its stationary levels, beside what theory predicts."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..errors import require
from ..models import Model, Prediction
from ..optimizers import Optimizer, optimizer_of
from ..spectra import Multiplet, multiplet_levels, multiplets, spacings
from ..stats import (
    Estimate,
    GoodnessOfFit,
    LevelFit,
    fit_gaussian,
    fit_pair_density,
    jackknife_of_means,
    mean_over_replicas,
    wigner_test,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeasuredPair:
    """The spacing of a degenerate pair.

    Attributes:
        spacing: S, shape (replica, time).
        mean: <S>.
        second_moment: <s^2> of the unit spacing s = S/<S>; 4/pi by the Wigner surmise.
        wigner: test of s against the surmise, its mean estimated from the samples.
        predicted_mean: <S> to first order in alpha/|B|.
    """

    spacing: Floats
    mean: Estimate
    second_moment: Estimate
    wigner: GoodnessOfFit
    predicted_mean: float


@dataclass(frozen=True)
class MeasuredMultiplet:
    """The levels that share one target.

    Attributes:
        multiplet: which levels.
        target_mode: what they learn.
        levels: shape (replica, time, member), descending.
        mean: of all of them.
        fit: pair density or Gaussian fitted to them; None for a larger multiplet.
        pair: the spacing, of a pair.
        predicted_mean: target level and mean shift.
        predicted_width: sigma.
        next_order: size of the first neglected term of theory, relative to the width.
    """

    multiplet: Multiplet
    target_mode: float
    levels: Floats
    mean: Estimate
    fit: LevelFit | None
    pair: MeasuredPair | None
    predicted_mean: float
    predicted_width: float
    next_order: float


@dataclass(frozen=True)
class MeasuredRun:
    """A run: its setting, its multiplets, and how many replicas stand behind them."""

    name: str
    learning_rate: float
    batch_size: float
    prediction: Prediction
    multiplets: list[MeasuredMultiplet]
    replicas: int
    diverged: int
    records: int

    @property
    def ratio(self) -> float:
        """alpha/|B|."""
        return self.learning_rate / self.batch_size

    @property
    def pairs(self) -> list[MeasuredMultiplet]:
        """The degenerate pairs."""
        return [part for part in self.multiplets if part.pair is not None]

    @property
    def effective_samples(self) -> float:
        """Independent samples behind the mean spacing of the pair that has the fewest."""
        sizes = [part.pair.mean.effective_size for part in self.multiplets if part.pair]
        return min(sizes, default=0.0)


def stationary_levels(run: xr.Dataset, burn_in: int) -> Floats:
    """Levels (replica, time, level) from `burn_in` updates on, without diverged replicas."""
    kept = run.levels.values[~run.diverged.values][:, run.time.values >= burn_in]
    require(
        kept.shape[0] >= 2 and kept.shape[1] >= 1,
        f"{kept.shape[0]} replicas with {kept.shape[1]} records after {burn_in} updates are too"
        " few to measure; run more replicas, or longer.",
    )
    return np.asarray(kept)


def measure(
    name: str,
    run: xr.Dataset,
    model: Model,
    burn_in: int,
    optimizer: Optimizer | None = None,
) -> MeasuredRun:
    """Measure a run of `simulate` against its model's prediction, under the run's own optimiser.

    Args:
        name: of the run.
        run: the data set.
        model: that was simulated.
        burn_in: updates left out at the beginning.
        optimizer: of the run, where its attributes do not tell: one of `sgdyson.optimizers`.

    Raises:
        InvalidInputError: a run whose optimiser is none of these; too little to measure.
        NoPredictionError: a model without a prediction under this optimiser.
    """
    levels = stationary_levels(run, burn_in)
    learning_rate, batch_size = run.attrs["learning_rate"], run.attrs["batch_size"]
    optimizer = optimizer_of(run.attrs) if optimizer is None else optimizer
    prediction = model.predict(learning_rate, batch_size, optimizer)
    groups = [
        group for group in multiplets(prediction.levels) if prediction.learnt[group.indices[0]]
    ]
    return MeasuredRun(
        name=name,
        learning_rate=learning_rate,
        batch_size=batch_size,
        prediction=prediction,
        multiplets=[_measured(levels, group, prediction) for group in groups],
        replicas=levels.shape[0],
        diverged=int(run.diverged.sum()),
        records=levels.shape[1],
    )


def _measured(levels: Floats, group: Multiplet, prediction: Prediction) -> MeasuredMultiplet:
    members = multiplet_levels(levels, group)
    first = group.indices[0]
    fits = {1: fit_gaussian, 2: fit_pair_density}
    fit = fits.get(len(group.indices))
    return MeasuredMultiplet(
        multiplet=group,
        target_mode=float(prediction.target_modes[first]),
        levels=members,
        mean=mean_over_replicas(members.mean(axis=2)),
        fit=fit(members.reshape(len(members), -1)) if fit else None,
        pair=_pair(spacings(levels, group), float(prediction.mean_spacing[first]))
        if group.is_pair
        else None,
        predicted_mean=float(
            (prediction.levels + prediction.mean_shift)[list(group.indices)].mean()
        ),
        predicted_width=float(prediction.width[first]),
        next_order=float(prediction.next_order[first]),
    )


def _pair(spacing: Floats, predicted: float) -> MeasuredPair:
    moments = np.stack([spacing.mean(axis=1), (spacing**2).mean(axis=1)], axis=1)
    return MeasuredPair(
        spacing=spacing,
        mean=mean_over_replicas(spacing),
        second_moment=jackknife_of_means(lambda m: m[..., 1] / m[..., 0] ** 2, moments),
        wigner=wigner_test(spacing),
        predicted_mean=predicted,
    )
