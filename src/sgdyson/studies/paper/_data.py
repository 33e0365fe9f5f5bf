"""Everything the figures need, measured from the runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from ..._types import Floats
from ...analysis import (
    MeasuredForce,
    MeasuredRun,
    Scaling,
    measure,
    measure_force,
    scaling,
    stationary_levels,
)
from ...campaign import Spec
from ...models import GaussianRBM, Prediction
from ...spectra import spacings
from ._presets import Run, runs


@dataclass(frozen=True)
class Multiplicity:
    """Levels of an N-fold degenerate teacher-student model, shape (replica, time, level)."""

    name: str
    n: int
    levels: Floats
    prediction: Prediction


class Results:
    """Measurements of a reproduction, each made when first asked for.

    Args:
        planned: the campaigns of the reproduction, by name.
        load: gives the data of a run, finished or new.
    """

    def __init__(self, planned: Mapping[str, Spec], load: Callable[[Run], xr.Dataset]) -> None:
        self._planned = planned
        self._load = load

    def group(self, group: str) -> list[Run]:
        """The runs of a group."""
        return runs(group, self._planned)

    @cached_property
    def rbm(self) -> list[MeasuredRun]:
        """The Gaussian RBM at every setting."""
        return self._measured("rbm")

    @cached_property
    def online(self) -> list[MeasuredRun]:
        """The teacher-student model with fresh data."""
        return self._measured("online")

    @cached_property
    def quenched(self) -> list[MeasuredRun]:
        """The teacher-student model with the paper's quenched data."""
        return self._measured("quenched")

    @cached_property
    def rbm_scaling(self) -> Scaling:
        """The linear scaling rule of the RBM."""
        return scaling(self.rbm)

    @cached_property
    def model(self) -> GaussianRBM:
        """The paper's RBM."""
        model = self.group("rbm")[0].model
        assert isinstance(model, GaussianRBM)
        return model

    @property
    def reference(self) -> MeasuredRun:
        """The paper's main run: alpha = 0.1, |B| = 16."""
        return next(run for run in self.rbm if (run.learning_rate, run.batch_size) == (0.1, 16))

    @property
    def gentlest(self) -> MeasuredRun:
        """The RBM run of smallest alpha/|B|, where first-order theory says most."""
        return min(self.rbm, key=lambda run: run.ratio)

    @cached_property
    def semicircles(self) -> list[Multiplicity]:
        """Degenerate teachers of rising multiplicity."""
        semicircles = []
        for run in reversed(self.group("semicircle")):
            levels = stationary_levels(self._load(run), run.discard)
            prediction = run.model.predict(run.learning_rate, run.batch_size)
            semicircles.append(Multiplicity(run.name, levels.shape[2], levels, prediction))
        return semicircles

    @cached_property
    def forces(self) -> list[MeasuredForce]:
        """The repulsion in each pair of the RBM."""
        (run,) = self.group("force")
        levels = stationary_levels(self._load(run), run.discard)
        prediction = run.model.predict(run.learning_rate, run.batch_size)
        forces = []
        for group in prediction.multiplets():
            if group.is_pair:
                first = group.indices[0]
                noise, friction = _at_the_mean(prediction, first)
                forces.append(
                    measure_force(
                        spacings(levels, group),
                        mode=float(prediction.target_modes[first]),
                        noise=noise,
                        friction=friction,
                        next_order=float(prediction.leading.next_order[first]),
                    )
                )
        return forces

    @cached_property
    def threefold(self) -> list[tuple[MeasuredRun, MeasuredForce]]:
        """Students of real, complex and quaternion weights, and the repulsion of their pairs."""
        ensembles = []
        for run in self._measured("threefold"):
            (multiplet,) = run.pairs
            assert multiplet.pair
            # an update leaves 1 - alpha of a fluctuation: the time of an exponential
            friction = -float(np.log1p(-run.learning_rate))
            width = float(run.prediction.leading.width[multiplet.indices[0]])
            force = measure_force(
                multiplet.pair.spacing, multiplet.target_mode, friction * width**2, friction,
                multiplet.next_order, run.prediction.beta,
            )  # fmt: skip
            ensembles.append((run, force))
        return ensembles

    def _measured(self, group: str) -> list[MeasuredRun]:
        return [
            measure(run.name, self._load(run), run.model, run.discard) for run in self.group(group)
        ]


def _at_the_mean(prediction: Prediction, index: int) -> tuple[float, float]:
    r"""$g^2 \propto (x/\lambda)^2$, $\gamma \propto x/\lambda^2$ of an RBM at the shifted mean."""
    shift = prediction.mean_shift[index]
    level = 1 + shift / prediction.levels[index]
    mode = 1 - shift / prediction.target_modes[index]
    noise = prediction.noise[index] * (level / mode) ** 2
    return float(noise), float(prediction.friction[index] * level / mode**2)
