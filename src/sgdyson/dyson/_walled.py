"""What processes of levels between walls share: steps in coordinates of constant noise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass

import jax.numpy as jnp
from jaxtyping import Array

from .._types import Floats
from ..errors import require
from ._ensemble import Steps
from ._geometry import Geometry, Levels
from ._implicit import implicit_step
from ._process import LevelProcess
from ._programs import Motion, Numbers


@dataclass(frozen=True)
class StepBetweenWalls:
    """One step in coordinates of constant noise.

    Attributes:
        potential: of the walls, of coordinates and numbers.
        geometry: of the coordinates.
    """

    potential: Callable[[Levels, Numbers], Levels]
    geometry: Geometry

    def __call__(self, numbers: Numbers, y: Array, normal: Array, number: Array) -> Array:
        step, noise = numbers["step"], numbers["noise"]
        z = y + jnp.sqrt(2 * step) * noise * normal

        def potential(y: Levels) -> Levels:
            return self.potential(y, numbers)

        return implicit_step(potential, numbers["beta"], step, y, z, noise, self.geometry)


class WalledProcess(LevelProcess):
    beta: float

    def _motion(self, levels: Floats, plan: Steps) -> Motion:
        stepper, numbers = self._walls(len(levels))
        start = self._coordinates(levels)
        settings = asdict(self)  # type: ignore[call-overload]
        return Motion(start, stepper, {"beta": self.beta, **numbers}, settings, self._levels)

    @abstractmethod
    def _coordinates(self, levels: Floats) -> Floats:
        """Coordinates of constant noise."""

    @abstractmethod
    def _levels(self, coordinates: Floats) -> Floats:
        """Levels of coordinates."""

    @abstractmethod
    def _walls(self, n: int) -> tuple[StepBetweenWalls, dict[str, float]]:
        """What the walls do, and its numbers, of which `noise` is g, in these coordinates."""

    def _charge(self, name: str, m: float, n: int, remedy: str = "") -> float:
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
