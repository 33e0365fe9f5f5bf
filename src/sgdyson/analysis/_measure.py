"""One run measured: every multiplet of its stationary levels, beside what theory predicts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._attributes import number_of
from .._tabular import Table, Tabular
from .._types import Floats
from ..errors import require
from ..models import Model, Prediction
from ..optimizers import Optimizer, optimizer_of
from ..spectra import Multiplet
from ._drift import still_drift
from ._multiplet import MeasuredMultiplet, measure_multiplet, span


class TheoryErrors(NamedTuple):
    """How far a prediction can be trusted, in the units of the levels."""

    mean: float
    width: float
    spacing: float


@dataclass(frozen=True, eq=False, repr=False)
class ComparedMultiplet(MeasuredMultiplet):
    """A measured multiplet, and what theory says of it.

    Attributes:
        target_mode: what the levels learn.
        predicted_mean: predicted mean of the levels.
        predicted_width: sigma.
        predicted_spacing: mean gap of neighbours; NaN of a single level.
        theory_errors: stated errors of these three numbers.
        leading_spacing: <S> of a pair by the linear scaling rule, to leading order in alpha/|B|.
        next_order: stated error of width and spacing, relative to these.
    """

    target_mode: float
    predicted_mean: float
    predicted_width: float
    predicted_spacing: float
    theory_errors: TheoryErrors
    leading_spacing: float
    next_order: float


_BEYOND = 0.1  # neglected by theory, relative to a width: a comparison tests nothing finer
_HEADS = {
    "levels": "levels", "target_mode": "kappa", "mean": "mean", "predicted_mean": "predicted",
    "width": "width", "predicted_width": "predicted", "mean_spacing": "<S>",
    "predicted_spacing": "predicted", "relative_error": "rel. error",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class MeasuredRun(Tabular):
    """A run: its setting, its multiplets, and how many replicas stand behind them.

    Shows itself as a table, a row a multiplet, measured beside predicted; `to_frame` and `to_dict`
    give its columns. `notes` warn of levels that still drift, of replicas that diverged, and of a
    prediction beyond its reach.
    """

    name: str
    learning_rate: float
    batch_size: float
    prediction: Prediction
    multiplets: list[ComparedMultiplet]
    replicas: int
    diverged: int
    records: int
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """alpha/|B|."""
        return self.learning_rate / self.batch_size

    @property
    def pairs(self) -> list[ComparedMultiplet]:
        """The degenerate pairs."""
        return [multiplet for multiplet in self.multiplets if multiplet.pair is not None]

    @property
    def effective_samples(self) -> float:
        """Independent samples behind the mean spacing of the pair that has the fewest."""
        sizes = [
            multiplet.pair.mean.effective_size for multiplet in self.multiplets if multiplet.pair
        ]
        return min(sizes, default=0.0)

    def _table(self) -> Table:
        many = self.multiplets
        columns: dict[str, list[Any]] = {
            "levels": [span(each.indices) for each in many],
            "target_mode": [each.target_mode for each in many],
            "mean": [each.mean for each in many],
            "predicted_mean": [each.predicted_mean for each in many],
            "width": [each.width for each in many],
            "predicted_width": [each.predicted_width for each in many],
            "mean_spacing": [each.mean_spacing for each in many],
            "predicted_spacing": [each.predicted_spacing for each in many],
            "relative_error": [each.next_order for each in many],
        }
        title = (
            f"{self.name}, alpha = {self.learning_rate:g}, |B| = {self.batch_size:g}:"
            f" {self.replicas} replicas of {self.records} records, {self.diverged} diverged"
        )
        return Table(title, columns, _HEADS, self.notes)


def stationary_levels(run: xr.Dataset, burn_in: int) -> Floats:
    """Levels (replica, time, level) from `burn_in` updates on, without diverged replicas."""
    levels = run.levels.values[~run.diverged.values][:, run.time.values >= burn_in]
    require(
        levels.shape[0] >= 2 and levels.shape[1] >= 1,
        f"{levels.shape[0]} replicas with {levels.shape[1]} records after {burn_in} updates are too"
        " few to measure; run more replicas, or longer.",
    )
    return np.asarray(levels)


def measure(
    name: str,
    run: xr.Dataset,
    model: Model,
    burn_in: int,
    optimizer: Optimizer | None = None,
) -> MeasuredRun:
    """Measure a run of `simulate` against its model's prediction, under the run's own optimiser.

    Args:
        name: name of the run.
        run: the data set.
        model: that was simulated.
        burn_in: updates left out at the beginning.
        optimizer: of the run, where its attributes do not tell: one of `sgdyson.optimizers`.

    Raises:
        InvalidInputError: a run whose optimiser is none of these; too little to measure.
        NoPredictionError: a model without a prediction under this optimiser.

    Examples:
        >>> from sgdyson import simulate
        >>> from sgdyson.models import TeacherStudent
        >>> student = TeacherStudent([2.0, 2.0, 1.0], label_noise=0.5)
        >>> run = simulate(student, learning_rate=0.1, batch_size=8, replicas=64, updates=400,
        ...                record_every=40, seed=0, progress=False)
        >>> measured = measure("student", run, student, burn_in=200)
        >>> len(measured.multiplets), measured.diverged  # a pair and a single level
        (2, 0)
    """
    levels = stationary_levels(run, burn_in)
    learning_rate, batch_size = (_setting(run, name) for name in ("learning_rate", "batch_size"))
    optimizer = optimizer_of(run.attrs) if optimizer is None else optimizer
    prediction = model.predict(learning_rate, batch_size, optimizer)
    return MeasuredRun(
        name=name,
        learning_rate=learning_rate,
        batch_size=batch_size,
        prediction=prediction,
        multiplets=[_compared(levels, group, prediction) for group in prediction.multiplets()],
        replicas=levels.shape[0],
        diverged=int(run.diverged.sum()),
        records=levels.shape[1],
        notes=tuple(_notes(levels, prediction, int(run.diverged.sum()))),
    )


def _notes(levels: Floats, prediction: Prediction, diverged: int) -> Iterator[str]:
    """What a reader should know before a comparison."""
    if still_drift(levels):
        yield (
            "the levels still drift in these records: begin later, as with"
            ' simulate(record_from="stationary")'
        )
    if diverged:
        whole = len(levels) + diverged
        yield f"{diverged} of {whole} replicas diverged: what is left of them is a selection"
    neglected = float(prediction.next_order[prediction.learnt].max(initial=0.0))
    if neglected > _BEYOND:
        yield (
            f"the prediction is beyond its reach: it neglects {neglected:.0%} of a width or spacing"
            " at this alpha/|B|"
        )


def _setting(run: xr.Dataset, name: str) -> float:
    value = number_of(run.attrs, name)
    require(value is not None, f"the run does not tell its {name}; put it into its attributes.")
    assert value is not None
    return value


def _compared(levels: Floats, group: Multiplet, prediction: Prediction) -> ComparedMultiplet:
    first, members = group.indices[0], list(group.indices)
    gaps = prediction.mean_spacing[members[:-1]]
    return ComparedMultiplet(
        **vars(measure_multiplet(levels, group, prediction.beta)),
        target_mode=float(prediction.target_modes[first]),
        predicted_mean=float(prediction.levels[first] + prediction.mean_shift[first]),
        predicted_width=float(prediction.width[first]),
        predicted_spacing=float(gaps.mean()) if gaps.size else np.nan,
        theory_errors=TheoryErrors(
            float(prediction.errors.mean_shift[first]),
            float(prediction.errors.width[first]),
            float(prediction.errors.mean_spacing[members].max()),
        ),
        leading_spacing=float(prediction.leading.mean_spacing[first]),
        next_order=float(prediction.next_order[first]),
    )
