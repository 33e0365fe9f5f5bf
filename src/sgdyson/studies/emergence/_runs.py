"""Students that learn, and what is seen of each mode: levels, overlaps, when it is out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..._types import Floats
from ...engine import simulate
from ...laws import LargestLevel
from ...models import LearningPath, LowRankTeacher
from ...stats import Estimate, jackknife_of_means, mean_over_replicas

SIDES = ("left", "right")
FALSE_ALARM = 1e-3  # of a level called out of the bulk, a record


@dataclass(frozen=True)
class Learning:
    """A run and its prediction.

    Attributes:
        model: the student.
        path: prediction at the times of the records.
        levels: (replica, time, level).
        overlaps: (replica, time, mode, 2), left and right.
    """

    model: LowRankTeacher
    path: LearningPath
    levels: Floats
    overlaps: Floats

    @cached_property
    def out(self) -> NDArray[np.bool_]:
        """Whether so many levels as the mode asks for stand out, for each replica and time."""
        return standing_out(self.levels, self.model.shape, self.overlaps.shape[2])

    def crossing(self, mode: int, share: float = 0.5) -> Estimate:
        """The update at which the mean left overlap of a mode passes this share."""
        overlaps, times = self.overlaps[:, :, mode, 0], self.path.times
        return jackknife_of_means(lambda mean: crossings(times, mean, share), overlaps)


def learn(
    model: LowRankTeacher, learning_rate: float, batch_size: float, replicas: int, updates: int,
    every: int, seed: int,
) -> Learning:  # fmt: skip
    """A run of the engine with overlaps, beside its prediction."""
    run = simulate(
        model, learning_rate=learning_rate, batch_size=batch_size, replicas=replicas,
        updates=updates, record_every=every, seed=seed, record=("overlaps",), progress=False,
    )  # fmt: skip
    path = model.predict_path(learning_rate, batch_size, run.time.values)
    return Learning(model, path, run.levels.values, run.overlaps.values)


def standing_out(levels: Floats, shape: tuple[int, int], modes: int) -> NDArray[np.bool_]:
    r"""Whether each of the largest levels, in turn, is out of the bulk of those below it.

    A level is out if noise has one above it with a chance of 1e-3, and those above it are out. The
    noise is measured by the levels below: $\hat\sigma^2$ is the sum of their squares over what
    it is for noise of variance 1, $M_k N_k - \langle s_1^2\rangle$ of k rows and columns fewer.

    Args:
        levels: (..., level), descending.
        shape: of the matrix.
        modes: how many levels are looked at.
    """
    out = np.ones((*levels.shape[:-1], modes), bool)
    for k in range(modes):
        rows, columns = shape[0] - k, shape[1] - k
        noise = LargestLevel.of_singular_values((rows, columns))
        # <s_1^2> = <s_1>^2 + var(s_1): the largest of k rows and columns fewer is not among those
        # below
        rest = rows * columns - noise.mean() ** 2 - noise.var()
        sigma = np.sqrt((levels[..., k + 1 :] ** 2).sum(-1) / rest)
        out[..., k] = levels[..., k] > float(noise.ppf(1 - FALSE_ALARM)) * sigma
    # a level is out only with all above it
    return np.logical_and.accumulate(out, axis=-1)


def predicted_out(path: LearningPath, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The same of the predicted levels, (time, mode): what half of the replicas are to show."""
    limit = float(LargestLevel.of_singular_values(shape).ppf(1 - FALSE_ALARM))
    return np.asarray(path.levels > limit * path.sigma[:, None])


@dataclass(frozen=True)
class Rest:
    """The first mode at rest.

    Attributes:
        ratio: alpha/|B|.
        measured: left and right overlap.
        predicted: left and right overlap.
        critical: whether the mode is next to the threshold.
    """

    ratio: float
    measured: tuple[Estimate, Estimate]
    predicted: tuple[float, float]
    critical: bool

    @classmethod
    def of(cls, learning: Learning, last: int) -> "Rest":
        """From the last records of a run."""
        chosen, path = learning.overlaps[:, -last:, 0], learning.path
        left, right = (mean_over_replicas(chosen[..., side]) for side in (0, 1))
        predicted = float(path.left_overlaps[-1, 0]), float(path.right_overlaps[-1, 0])
        critical = bool(path.spiked(len(path.times) - 1).critical[0])
        return cls(path.learning_rate / path.batch_size, (left, right), predicted, critical)


def crossings(times: Floats, overlaps: Floats, share: float) -> Floats:
    """By straight lines between records, of any leading axes; the last record if there is none."""
    above = overlaps >= share
    first = np.where(above.any(-1), above.argmax(-1), len(times) - 1)
    before = np.maximum(first - 1, 0)
    low, high = (np.take_along_axis(overlaps, at[..., None], -1)[..., 0] for at in (before, first))
    with np.errstate(invalid="ignore", divide="ignore"):
        share_of_way = np.clip(np.nan_to_num((share - low) / (high - low)), 0, 1)
    return np.asarray(times[before] + share_of_way * (times[first] - times[before]))
