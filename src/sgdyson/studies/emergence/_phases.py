"""Phases of learning: never seen, seen for a while, seen for good, diverged."""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..._files import write_text
from ..._types import Floats
from ...engine import simulate
from ...models import LowRankTeacher
from ...stats import Estimate, mean_over_replicas
from ._runs import predicted_out, standing_out

PHASES = ("never", "transient", "for good", "divergence")
SHAPE, BATCH_SIZE, NOISE = (48, 32), 8, 1.5
TRANSITION = SHAPE[1] ** (-1 / 3) / 4  # its width in theta: theta^4 within N^(-1/3)
BY_CHANCE = 0.1  # an overlap that a vector of 48 entries has by chance in 3 of 100 draws


@dataclass(frozen=True)
class Point:
    """One setting of a plane."""

    model: LowRankTeacher
    learning_rate: float
    updates: int
    every: int

    @property
    def predicted(self) -> int:
        """Its phase, a place in `PHASES`."""
        times = np.arange(self.every, self.updates + 1, self.every)
        path = self.model.predict_path(self.learning_rate, BATCH_SIZE, times)
        if not path.is_stable:
            return PHASES.index("divergence")
        return int(_phase(predicted_out(path, SHAPE)[None, :, 0])[0])

    def run(self, replicas: int, seed: int) -> list[int]:
        """The phase of each replica: out are levels whose vector is the teacher's, too."""
        run = simulate(
            self.model, learning_rate=self.learning_rate, batch_size=BATCH_SIZE, replicas=replicas,
            updates=self.updates, record_every=self.every, seed=seed, progress=False,
            record={"overlap": first_overlap},
        )  # fmt: skip
        out = standing_out(run.levels.values[:, 1:], SHAPE, 1)[..., 0]
        # a level that is out by chance, at one record of 1000, points anywhere
        out &= run.overlap.values[:, 1:] > BY_CHANCE
        return np.where(run.diverged, PHASES.index("divergence"), _phase(out)).tolist()


@dataclass(frozen=True)
class Plane:
    """A question to a plane of settings.

    Attributes:
        name: of the plane.
        labels: of its axes, and what is done at each point.
        rates: learning rates, along a row.
        y: along a column.
        per_sample: whether x is alpha/|B|, alpha otherwise.
        point: from y and the learning rate to the setting.
    """

    name: str
    labels: tuple[str, str, str]
    rates: Floats
    y: Floats
    per_sample: bool
    point: Callable[[float, float], Point] = field(repr=False)

    @property
    def x(self) -> Floats:
        """Along a row."""
        return self.rates / BATCH_SIZE if self.per_sample else self.rates

    @property
    def half_cell(self) -> float:
        """Half a cell of the grid along a column, relative."""
        return float((self.y[1] / self.y[0]) ** 0.5 - 1)

    @property
    def stability(self) -> float:
        """X beyond which the mean square of the weights grows."""
        limit = 2 / (1 + (SHAPE[1] + 1) / BATCH_SIZE)
        return limit / BATCH_SIZE if self.per_sample else limit

    def boundary(self, rate: float, factor: float = 1.0) -> float:
        """Where in y a mode is predicted to be learnt for good; NaN if nowhere between the ends.

        Args:
            rate: the learning rate.
            factor: by which the strength of the mode counts.
        """
        good = PHASES.index("for good")

        def learnt(log: float) -> bool:
            point = self.point(float(np.exp(log)), rate)
            model = LowRankTeacher(factor * point.model.strengths, SHAPE, label_noise=NOISE,
                                   initial_width=float(point.model.initial_width))  # fmt: skip
            return Point(model, rate, point.updates, point.every).predicted == good

        low, high = np.log(self.y[0]), np.log(self.y[-1])
        first = learnt(low)
        if first == learnt(high):
            return math.nan
        # a millionth of the span is left
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if learnt(middle) == first else (low, middle)
        return float(np.exp((low + high) / 2))


def _student(strength: float, width: float) -> LowRankTeacher:
    return LowRankTeacher([strength], SHAPE, label_noise=NOISE, initial_width=width)


def _of_width(width: float, rate: float) -> Point:
    return Point(_student(2.0, width), rate, 200, 20)


def _of_strength(strength: float, rate: float) -> Point:
    every = math.ceil(1 / rate)
    return Point(_student(strength, 0.05), rate, 8 * every, every)


def planes(points: int) -> list[Plane]:
    """Both, with so many points along each axis."""
    return [
        Plane(
            "width", (r"$\alpha$", r"initial width $w_0$", "after 200 updates"),
            np.geomspace(0.002, 0.6, points), np.geomspace(0.03, 3, points), False, _of_width,
        ),
        Plane(
            "strength", (r"$\alpha/|B|$", r"strength $\theta$", r"after $8/\alpha$ updates"),
            np.geomspace(0.01, 0.6, points), np.geomspace(0.2, 5, points), True, _of_strength,
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class Diagram:
    """Phases in a plane.

    Attributes:
        plane: of settings.
        seen: (row, column, replica), phase of each replica as a place in `PHASES`.
        predicted: (row, column), the predicted phase as a place in `PHASES`.
        boundaries: (column, 2), see `Plane.boundary`; and of a mode weaker by the width of the
            transition.
    """

    plane: Plane
    seen: NDArray[np.int64]
    predicted: NDArray[np.int64]
    boundaries: Floats

    @property
    def shares(self) -> Floats:
        """Share of each phase, (phase, row, column)."""
        return np.stack([(self.seen == phase).mean(-1) for phase in range(len(PHASES))])

    def boundary(self, column: int) -> Estimate | None:
        """Where, in y, half of the replicas have learnt for good.

        None where a column does not begin and end on one side each. The mean of the logarithm of a
        replica's own threshold (Spearman and Kaerber).
        """
        learnt = self.seen[:, column] == PHASES.index("for good")
        ends = {*learnt[0]}, {*learnt[-1]}
        if len(ends[0]) > 1 or len(ends[1]) > 1 or ends[0] == ends[1]:
            return None
        log = np.log(self.plane.y)
        spacing = (log[-1] - log[0]) / (len(log) - 1)
        inside = learnt.sum(0) if learnt[0, 0] else (~learnt).sum(0)
        # half-way between the last point on one side and the first on the other
        middle = mean_over_replicas(log[0] - spacing / 2 + spacing * inside)
        value = float(np.exp(middle.value))
        return Estimate(value, value * middle.error, middle.effective_size)


def diagram(plane: Plane, replicas: int, seed: int, file: Path) -> Diagram:
    """Measured and predicted phases; rows that are in the file are not run again."""
    rows: list[list[list[int]]] = []
    with suppress(OSError, ValueError):  # not there yet, or damaged
        earlier = json.loads(file.read_text(encoding="utf-8"))
        if np.shape(earlier)[1:] == (len(plane.rates), replicas) and len(earlier) <= len(plane.y):
            rows = earlier
    for y in plane.y[len(rows) :]:
        rows.append(
            [plane.point(float(y), float(rate)).run(replicas, seed) for rate in plane.rates]
        )
        write_text(file, json.dumps(rows))
    predicted = [[plane.point(float(y), float(rate)).predicted for rate in plane.rates]
                 for y in plane.y]  # fmt: skip
    boundaries = [[plane.boundary(float(rate), factor) for factor in (1.0, 1 - TRANSITION)]
                  for rate in plane.rates]  # fmt: skip
    return Diagram(plane, np.array(rows), np.array(predicted), np.array(boundaries))


def first_overlap(weights: Floats) -> Floats:
    """Squared overlap of the largest level's left vector with the teacher's, W of any lead."""
    _, vectors = np.linalg.eigh(weights.mT @ weights)
    left = (weights @ vectors[..., -1:])[..., 0]
    square = (left**2).sum(-1)
    return np.asarray(left[..., 0] ** 2 / np.where(square > 0, square, 1.0))


def _phase(out: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Phase of (replica, time): out at the last record, at an earlier one, at none."""
    return np.where(out[:, -1], 2, np.where(out.any(1), 1, 0))
