r"""Phases of learning, told by how levels move.

Order parameters of one replica, from its levels $x(t_n)$, n = 0 ... N, and their increments
$\Delta_n = x(t_{n+1}) - x(t_n)$, vectors over the levels:

* unrest $U = \sum_{n \ge N/2} |\Delta_n| / \sum_n |\Delta_n|$, the second half's share of the path:
  0 for levels at rest, 1/2 for levels that move as fast as ever;
* persistence $C = \sum_n \Delta_n \cdot \Delta_{n+1} / \sum_n |\Delta_n|^2$: near 1 for a drift, 0
  for a random walk, negative for levels that are thrown to and fro;
* settling time $\tau$, by which 90 % of the path is done;
* remaining distance $R = |x(t_N) - x^*|/|x(0) - x^*|$ from the teacher's levels.

A replica that was flagged is in the phase "divergence"; of the others those with U < 1/4, half of
what steady motion has, are in "convergence", the rest is "slow" if C > 0 and "oscillation" if not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import NamedTuple

import numpy as np

from .._types import Flags, Floats, WholeNumbers

PHASES = ("convergence", "slow", "oscillation", "divergence")
_SETTLING = 0.25  # of the path, in the second half


class Measured(NamedTuple):
    """Values and their standard errors, arrays of one shape; NaN where there is nothing."""

    value: Floats
    error: Floats


@dataclass(frozen=True)
class LevelMotion:
    """Order parameters of every replica of a run; NaN for those that diverged.

    Attributes:
        unrest: U, the second half's share of the levels' path.
        persistence: C, the correlation of successive increments.
        settling_time: updates by which 90 % of the path is done.
        distance: R, remaining of the levels from the teacher's.
        phase: index into `PHASES`.
    """

    unrest: Floats
    persistence: Floats
    settling_time: Floats
    distance: Floats
    phase: WholeNumbers

    def share(self, phase: str) -> tuple[float, float]:
        """Share of the replicas in a phase, and its error, which even no replica leaves.

        The error is that of (k + 1/2) of R + 1 replicas.
        """
        total, inside = len(self.phase), int((self.phase == PHASES.index(phase)).sum())
        smoothed = (inside + 0.5) / (total + 1)
        return inside / total, float(np.sqrt(smoothed * (1 - smoothed) / (total + 1)))

    def mean(self, name: str) -> tuple[float, float]:
        """Mean over the replicas that did not diverge, and its error; NaN for fewer than two."""
        values = getattr(self, name)
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return np.nan, np.nan
        return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def level_motion(levels: Floats, diverged: Flags, target: Floats, record_every: int) -> LevelMotion:
    """The order parameters of a run.

    Args:
        levels: (replica, time, level), from the first update on.
        diverged: (replica,).
        target: the teacher's levels, (level,).
        record_every: updates between two records.

    Examples:
        Levels that halve their distance at each of 20 records converge:

        >>> import numpy as np
        >>> levels = 2.0 + 0.5 ** np.arange(20.0)[None, :, None] + np.zeros((3, 1, 2))
        >>> motion = level_motion(levels, np.zeros(3, dtype=bool), np.full(2, 2.0), record_every=5)
        >>> [PHASES[phase] for phase in motion.phase]
        ['convergence', 'convergence', 'convergence']
    """
    steps = np.diff(levels, axis=1)
    length = np.linalg.norm(steps, axis=2)
    # a run that never moves is at rest from the start
    tiny = np.finfo(float).tiny
    path = np.maximum(length.sum(axis=1), tiny)
    travelled = np.cumsum(length, axis=1) / path[:, None]
    half = length.shape[1] // 2
    unrest = length[:, half:].sum(axis=1) / path
    successive = (steps[:, 1:] * steps[:, :-1]).sum(axis=(1, 2))
    persistence = successive / np.maximum((length**2).sum(axis=1), tiny)
    settled = record_every * (1.0 + np.argmax(travelled >= 0.9, axis=1))
    first, last = (np.linalg.norm(levels[:, n] - target, axis=1) for n in (0, -1))
    distance = np.divide(last, first, out=np.full_like(last, np.nan), where=first > 0)
    moving = np.where(persistence > 0, PHASES.index("slow"), PHASES.index("oscillation"))
    phase = np.where(unrest < _SETTLING, PHASES.index("convergence"), moving)
    phase = np.where(diverged, PHASES.index("divergence"), phase)

    def kept(values: Floats) -> Floats:
        return np.where(diverged, np.nan, values)

    return LevelMotion(kept(unrest), kept(persistence), kept(settled), kept(distance), phase)


ORDER_PARAMETERS = ("diverged", "unrest", "persistence", "settling_time", "distance")


@dataclass(frozen=True)
class PhaseDiagram:
    """Shares of the phases and order parameters over a grid.

    Attributes:
        name: of what learns, such as the activation.
        ratios: alpha/|B|, the columns.
        widths: initial sigma_W, the rows.
        shares: shares of each of `PHASES`, (row, column).
        parameters: parameters of each of `ORDER_PARAMETERS`, (row, column).
        limits: predicted boundaries of stability in alpha/|B|, by name.
    """

    name: str
    ratios: Floats
    widths: Floats
    shares: dict[str, Measured]
    parameters: dict[str, Measured]
    limits: dict[str, float]


def phase_diagram(
    name: str,
    ratios: Floats,
    widths: Floats,
    motions: list[list[LevelMotion]],
    limits: dict[str, float],
) -> PhaseDiagram:
    """The diagram of the runs of a grid, a list of rows."""

    def over(read: Callable[[LevelMotion], tuple[float, float]]) -> Measured:
        pairs = np.array([[read(motion) for motion in row] for row in motions])
        return Measured(pairs[..., 0], pairs[..., 1])

    shares = {phase: over(methodcaller("share", phase)) for phase in PHASES}
    means = {name: over(methodcaller("mean", name)) for name in ORDER_PARAMETERS[1:]}
    parameters = {"diverged": shares["divergence"], **means}
    return PhaseDiagram(name, ratios, widths, shares, parameters, limits)
