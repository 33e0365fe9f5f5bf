"""Squared singular values of noise that moves, for any beta."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from .._checks import positive, settle
from .._types import Floats
from ..errors import require
from ._dataset import check_repulsion
from ._geometry import HALF_LINE, Levels
from ._programs import Numbers
from ._walled import StepBetweenWalls, WalledProcess


@dataclass(frozen=True)
class LaguerreProcess(WalledProcess):
    r"""Levels of $W^\dagger W$, W of m rows of Ornstein-Uhlenbeck entries, for any beta from 1 up.

    $$dx_i = \Big[ 2 \gamma (m \sigma^2 - x_i) + 2 \gamma \sigma^2 \sum_{j \neq i}
    \frac{x_i + x_j}{x_i - x_j} \Big] dt + \sqrt{8 \gamma \sigma^2 x_i/\beta}\; dB_i$$

    (M.-F. Bru, J. Theor. Probab. 4, 725 (1991), for beta = 1; W. König and N. O'Connell, Electron.
    Commun. Probab. 6, 107 (2001), for 2). For 1, 2 and 4 these are the levels of `WishartProcess`,
    whose steps have no error.
    The stationary law is that of `WishartEnsemble(n, m, beta)` times sigma^2; the trace
    relaxes to $n m \sigma^2$ at the rate 2 gamma.

    Args:
        m: rows of W, any number from n - 1 + 2/beta up: with fewer, levels reach zero.
        beta: at least 1.
        width: sigma of an entry of W.
        friction: gamma of W, per unit of time.

    Examples:
        >>> run = LaguerreProcess(m=4, beta=3.0).simulate(
        ...     [1.0, 0.5], step=0.01, steps=10, replicas=2, seed=0, progress=False
        ... )
        >>> bool((run.levels > 0).all())
        True
    """

    m: float
    beta: float = 1.0
    width: float = 1.0
    friction: float = 1.0

    def __post_init__(self) -> None:
        check_repulsion(self.beta)
        names = ("m", "beta", "width", "friction")
        settle(self, **{name: positive(name, getattr(self, name)) for name in names})

    def _coordinates(self, levels: Floats) -> Floats:
        require(
            bool(levels[-1] > 0), f"initial_levels down to {levels[-1]:g} must all be positive."
        )
        return np.sqrt(levels)

    def _levels(self, coordinates: Floats) -> Floats:
        return coordinates**2

    def _walls(self, n: int) -> tuple[StepBetweenWalls, dict[str, float]]:
        # of y = sqrt(x) the noise sqrt(8 gamma sigma^2 x/beta) dB is sqrt(2) g dB, g^2 = `square`
        square = self.friction * self.width**2 / self.beta
        wall = square * self._charge(
            "m", self.m, n, "; for beta = 1, 2 and 4 WishartProcess moves the matrix itself"
        )
        numbers = {"noise": float(np.sqrt(square)), "friction": self.friction, "wall": wall}
        return StepBetweenWalls(_wall, HALF_LINE), numbers


def _wall(y: Levels, numbers: Numbers) -> Levels:
    return numbers["friction"] * y**2 / 2 - numbers["wall"] * jnp.log(y)
