"""Levels of a corner of a unitary matrix that diffuses, for any beta."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from .._checks import positive, settle
from .._types import Floats
from ..errors import require
from ._dataset import check_repulsion
from ._geometry import SEGMENT, Levels
from ._programs import Numbers
from ._walled import StepBetweenWalls, WalledProcess


@dataclass(frozen=True)
class JacobiProcess(WalledProcess):
    r"""Levels between 0 and 1, of a corner of a unitary matrix that diffuses, for any beta from 1.

    $$dx_i = \frac{\beta}{2} \Big[ m_1 - (m_1 + m_2)\, x_i + \sum_{j \neq i}
    \frac{x_i (1 - x_j) + x_j (1 - x_i)}{x_i - x_j} \Big] dt + \sqrt{2 x_i (1 - x_i)}\; dB_i$$

    (N. Demni, Adv. Pure Appl. Math. 1, 325 (2010), in half its time; for matrices Y. Doumerc,
    thesis, Toulouse (2005)).
    The stationary law is `JacobiEnsemble(n, m1, m2, beta)`; the mean relaxes to $m_1/(m_1 + m_2)$
    at the rate $\beta (m_1 + m_2)/2$, exactly. For beta = 2 these are the squared singular values
    of an n x m1 corner of unitary Brownian motion of size m1 + m2, in half its time.

    Args:
        m1: any number from n - 1 + 2/beta up: below, levels reach zero.
        m2: any number from n - 1 + 2/beta up: below, levels reach one.
        beta: at least 1.

    Examples:
        >>> run = JacobiProcess(m1=3, m2=5, beta=2.0).simulate(
        ...     [0.9, 0.1], step=0.01, steps=10, replicas=2, seed=0, progress=False
        ... )
        >>> bool(((run.levels > 0) & (run.levels < 1)).all())
        True
    """

    m1: float
    m2: float
    beta: float = 1.0

    def __post_init__(self) -> None:
        check_repulsion(self.beta)
        names = ("m1", "m2", "beta")
        settle(self, **{name: positive(name, getattr(self, name)) for name in names})

    def _coordinates(self, levels: Floats) -> Floats:
        require(
            bool(levels[-1] > 0 and levels[0] < 1),
            f"initial_levels from {levels[-1]:g} to {levels[0]:g} must lie between 0 and 1.",
        )
        # x = sin^2(y/2), of constant noise; arctan2 keeps the digits near both walls
        return 2 * np.arctan2(np.sqrt(levels), np.sqrt(1 - levels))

    def _levels(self, coordinates: Floats) -> Floats:
        return np.sin(coordinates / 2) ** 2

    def _walls(self, n: int) -> tuple[StepBetweenWalls, dict[str, float]]:
        low, high = self._charge("m1", self.m1, n), self._charge("m2", self.m2, n)
        return StepBetweenWalls(_walls, SEGMENT), {"noise": 1.0, "low": low, "high": high}


def _walls(y: Levels, numbers: Numbers) -> Levels:
    return -numbers["low"] * jnp.log(jnp.sin(y / 2)) - numbers["high"] * jnp.log(jnp.cos(y / 2))
