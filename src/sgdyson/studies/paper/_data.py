"""Everything the figures need, measured from the runs."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

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
from ...errors import require
from ...models import GaussianRBM, Model, Prediction
from ...spectra import spacings


class AnyRun(Protocol):
    """A run of a campaign of ours, or of the user's."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def model(self) -> Model:
        """What learns."""

    @property
    def discard(self) -> int:
        """Updates left out of averages, from the first record on."""

    @property
    def learning_rate(self) -> float:
        """The step size, alpha."""

    @property
    def batch_size(self) -> float:
        """Samples in a mini-batch, |B|."""


R = TypeVar("R", bound=AnyRun)


def most_common(values: Sequence[float]) -> float:
    """The value that most runs share, around which others are varied; the first of several."""
    return Counter(values).most_common(1)[0][0]


@dataclass(frozen=True)
class Multiplicity:
    """Levels of an N-fold degenerate teacher-student model, shape (replica, time, level)."""

    name: str
    n: int
    levels: Floats
    prediction: Prediction


class Results(Generic[R]):
    """Measurements of runs, each made when first asked for.

    Args:
        group: gives the runs of a group, such as "rbm".
        load: gives the data of runs, finished or new.
    """

    def __init__(
        self,
        group: Callable[[str], Sequence[R]],
        load: Callable[[Sequence[R]], list[xr.Dataset]],
    ) -> None:
        self._group = group
        self._load = load
        self._rbm: dict[int, MeasuredRun] = {}  # by its place in the group

    def group(self, group: str) -> Sequence[R]:
        """The runs of a group."""
        return self._group(group)

    @cached_property
    def rbm(self) -> list[MeasuredRun]:
        """The Gaussian RBM at every setting."""
        return self._of_rbm(range(len(self.group("rbm"))))

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
        """The RBM."""
        model = self.group("rbm")[0].model
        require(
            isinstance(model, GaussianRBM),
            f"this figure shows a GaussianRBM, and not a {type(model).__name__}.",
        )
        assert isinstance(model, GaussianRBM)
        return model

    @property
    def reference(self) -> MeasuredRun:
        """The run around which others are varied, of the paper alpha = 0.1, |B| = 16."""
        settings = [(run.learning_rate, run.batch_size) for run in self.group("rbm")]
        middle = tuple(map(most_common, zip(*settings, strict=True)))
        return self._of_rbm([settings.index(middle) if middle in settings else 0])[0]

    @property
    def gentlest(self) -> MeasuredRun:
        """The RBM run of smallest alpha/|B|, where first-order theory says most."""
        ratios = [run.learning_rate / run.batch_size for run in self.group("rbm")]
        return self._of_rbm([ratios.index(min(ratios))])[0]

    @cached_property
    def semicircles(self) -> list[Multiplicity]:
        """Degenerate teachers of rising multiplicity."""
        semicircles = []
        runs = list(reversed(self.group("semicircle")))
        for run, data in zip(runs, self._load(runs), strict=True):
            levels = stationary_levels(data, run.discard)
            prediction = run.model.predict(run.learning_rate, run.batch_size)
            semicircles.append(Multiplicity(run.name, levels.shape[2], levels, prediction))
        return semicircles

    @cached_property
    def forces(self) -> list[MeasuredForce]:
        """The repulsion in each pair of the RBM."""
        run = self.group("force")[0]
        levels = stationary_levels(self._load([run])[0], run.discard)
        prediction = run.model.predict(run.learning_rate, run.batch_size)
        forces = []
        for group in prediction.multiplets():
            if group.is_pair:
                first = group.indices[0]
                diffusion, friction = _at_the_mean(prediction, first)
                forces.append(
                    measure_force(
                        spacings(levels, group),
                        mode=float(prediction.target_modes[first]),
                        level_diffusion=diffusion,
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

    def _of_rbm(self, places: Sequence[int]) -> list[MeasuredRun]:
        """Some of its runs; a figure of two of them does not wait for the others."""
        new = [place for place in places if place not in self._rbm]
        runs = [self.group("rbm")[place] for place in new]
        self._rbm |= dict(zip(new, self._all_measured(runs), strict=True))
        return [self._rbm[place] for place in places]

    def _measured(self, group: str) -> list[MeasuredRun]:
        return self._all_measured(self.group(group))

    def _all_measured(self, runs: Sequence[R]) -> list[MeasuredRun]:
        return [
            measure(run.name, data, run.model, run.discard)
            for run, data in zip(runs, self._load(runs), strict=True)
        ]


def _at_the_mean(prediction: Prediction, index: int) -> tuple[float, float]:
    r"""$g^2 \propto (x/\lambda)^2$, $\gamma \propto x/\lambda^2$ of an RBM at the shifted mean."""
    shift = prediction.mean_shift[index]
    level = 1 + shift / prediction.levels[index]
    mode = 1 - shift / prediction.target_modes[index]
    diffusion = prediction.diffusion[index] * (level / mode) ** 2
    return float(diffusion), float(prediction.friction[index] * level / mode**2)
