"""Levels between walls: squared singular values, and those of a corner of a unitary matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from .._checks import positive, settle
from .._types import ArrayLike, Floats
from ..errors import require
from ._dataset import apart, check_repulsion
from ._ensemble import Steps, require_room, run_ensemble
from ._geometry import HALF_LINE, SEGMENT, Geometry
from ._implicit import Potential, implicit_step


class _Walled(ABC):
    beta: float

    def simulate(
        self,
        initial_levels: ArrayLike,
        *,
        step: float,
        steps: int,
        record_every: int = 1,
        replicas: int,
        seed: int,
        progress: bool = True,
    ) -> xr.Dataset:
        """Levels of an ensemble of replicas.

        Steps are implicit in coordinates of constant noise: levels stay in order and between their
        walls at every one of them, however long. A mean is right to first order in the step.

        Args:
            initial_levels: of every replica, shape (n,), all different and within the walls.
            step: of time.
            steps: how many.
            record_every: steps between two records; the first record is before any step.
            replicas: how many.
            seed: seed of the ensemble, not negative.
            progress: show a bar, where there is a terminal to show it.

        Returns:
            A data set with `levels` (replica, time, level), descending, and `diverged`, like that
            of `EigenvalueProcess`.

        Raises:
            InvalidInputError: a value that breaks one of these rules, or so many levels that they
                reach a wall.
        """
        plan = Steps(step, steps, record_every, replicas, seed)
        n = int(np.size(initial_levels))
        require_room(n, replicas, plan.records)
        start = self._coordinates(apart(initial_levels))
        potential, noise, geometry = self._motion(n)

        def advance(y: Array, normal: Array, number: Array) -> Array:
            z = y + jnp.sqrt(2 * step) * noise * normal
            return implicit_step(potential, self.beta, step, y, z, noise, geometry)

        settings = {"process": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]
        return run_ensemble(advance, start, plan, settings, progress, self._levels)

    @abstractmethod
    def _coordinates(self, levels: Floats) -> Floats:
        """Coordinates of constant noise."""

    @abstractmethod
    def _levels(self, coordinates: Floats) -> Floats:
        """Levels of coordinates."""

    @abstractmethod
    def _motion(self, n: int) -> tuple[Potential, float, Geometry]:
        """What the walls do, and g, in these coordinates."""

    def _wall(self, name: str, m: float, n: int, remedy: str = "") -> float:
        """Charge of a wall: near it levels are Bessel processes of dimension 1 + charge.

        From 2 up these never come to zero.
        """
        require(
            self.beta * (m - n + 1) >= 2,
            f"{name} = {m:g} must be at least n - 1 + 2/beta = {n - 1 + 2 / self.beta:g} for {n}"
            f" levels and beta = {self.beta:g}: below, levels reach the wall, and steps would"
            f" not{remedy}.",
        )
        return self.beta * (m - n + 1) - 1


@dataclass(frozen=True)
class LaguerreProcess(_Walled):
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

    def _motion(self, n: int) -> tuple[Potential, float, Geometry]:
        square = self.friction * self.width**2 / self.beta
        wall = square * self._wall(
            "m", self.m, n, "; for beta = 1, 2 and 4 WishartProcess moves the matrix itself"
        )
        return (
            lambda y: self.friction * y**2 / 2 - wall * jnp.log(y),
            float(np.sqrt(square)),
            HALF_LINE,
        )


@dataclass(frozen=True)
class JacobiProcess(_Walled):
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
        return 2 * np.arctan2(np.sqrt(levels), np.sqrt(1 - levels))

    def _levels(self, coordinates: Floats) -> Floats:
        return np.sin(coordinates / 2) ** 2

    def _motion(self, n: int) -> tuple[Potential, float, Geometry]:
        low, high = self._wall("m1", self.m1, n), self._wall("m2", self.m2, n)
        return (
            lambda y: -low * jnp.log(jnp.sin(y / 2)) - high * jnp.log(jnp.cos(y / 2)),
            1.0,
            SEGMENT,
        )
