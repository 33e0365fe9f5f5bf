"""The figures of the paper, of runs of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from ..._attributes import number_of
from ...errors import require
from ...figures import Figure
from ...models import Model, TeacherStudent
from ...models.teacher_student import DATA
from ._data import Results
from ._entries import chosen_figures

OwnRun: TypeAlias = tuple[Model, xr.Dataset | None]


def paper_figure(name: str, runs: OwnRun | Sequence[OwnRun], *, burn_in: int = 0) -> Figure:
    """One of the paper's figures, of runs of your own, whatever their parameters.

    Args:
        name: as in `sgdyson reproduce --only`. `learnt_levels`, `wigner` and `densities` show the
            first run; `scaling`, `drift`, `rbm_collapse`, `teacher_scaling`, `teacher_levels`,
            `teacher_wigner` and `teacher_densities` all of them, by what varies;
            `semicircle` a panel a run; `coulomb_force` and `threefold` need runs recorded at every
            update; `rbm_sketch` and `target_spectrum` look at the first model alone, and its run
            may be None.
        runs: the model and the data set that `simulate` made of it; one such pair, or several.
        burn_in: updates left out at the beginning of each run.

    Raises:
        InvalidInputError: no such figure, no run, a run that cannot be measured.

    Examples:
        >>> from sgdyson import TeacherStudent, simulate
        >>> student = TeacherStudent([2.0, 2.0], label_noise=0.2)
        >>> run = simulate(student, learning_rate=0.05, batch_size=8, replicas=64, updates=300,
        ...                record_every=50, seed=1, progress=False)
        >>> paper_figure("wigner", (student, run), burn_in=100).name
        'wigner'
    """
    alone = isinstance(runs, tuple) and isinstance(runs[0], Model)
    several: list[Any] = [runs] if alone else list(runs)
    require(len(several) > 0, "runs = []: give a model and its run as a pair, or several pairs.")
    (entry,) = chosen_figures([name]).values()
    own = [_own(model, run, burn_in) for model, run in several]
    return entry.draw(Results(partial(_group, own), _data))


@dataclass(frozen=True)
class _Own:
    """A run of the user's in the place of a planned one."""

    name: str
    model: Model
    data: xr.Dataset | None = field(repr=False)
    discard: int
    learning_rate: float
    batch_size: float


def _group(own: Sequence[_Own], name: str) -> list[_Own]:
    """Every figure sees all runs, but for teachers: each by its kind of data."""
    if name not in DATA:
        return list(own)
    return [
        run for run in own
        if isinstance(run.model, TeacherStudent) and run.model.data == name
    ]  # fmt: skip


def _data(runs: Sequence[_Own]) -> list[xr.Dataset]:
    data = [run.data for run in runs if run.data is not None]
    require(
        len(data) == len(runs), "run = None: this figure needs what simulate made of the model."
    )
    return data


def _own(model: Model, run: xr.Dataset | None, burn_in: int) -> _Own:
    if run is None:
        return _Own(type(model).__name__, model, None, burn_in, np.nan, np.nan)
    rate, batch = (number_of(run.attrs, key) for key in ("learning_rate", "batch_size"))
    require(
        rate is not None and batch is not None,
        "the run does not tell its learning_rate and batch_size; put them into its attributes.",
    )
    assert rate is not None
    assert batch is not None
    return _Own(f"alpha = {rate:g}, |B| = {batch:g}", model, run, burn_in, rate, batch)
