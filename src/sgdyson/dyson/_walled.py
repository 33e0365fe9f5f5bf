"""What processes of levels between walls share: steps in coordinates of constant noise."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict

import jax.numpy as jnp
from jaxtyping import Array

from .._types import Floats
from ..errors import require
from ._ensemble import Steps
from ._geometry import Geometry
from ._implicit import Potential, implicit_step
from ._process import LevelProcess, Motion


class WalledProcess(LevelProcess):
    beta: float

    def _motion(self, levels: Floats, plan: Steps) -> Motion:
        start = self._coordinates(levels)
        potential, noise, geometry = self._walls(len(levels))

        def advance(y: Array, normal: Array, number: Array) -> Array:
            z = y + jnp.sqrt(2 * plan.step) * noise * normal
            return implicit_step(potential, self.beta, plan.step, y, z, noise, geometry)

        return Motion(start, advance, asdict(self), self._levels)  # type: ignore[call-overload]

    @abstractmethod
    def _coordinates(self, levels: Floats) -> Floats:
        """Coordinates of constant noise."""

    @abstractmethod
    def _levels(self, coordinates: Floats) -> Floats:
        """Levels of coordinates."""

    @abstractmethod
    def _walls(self, n: int) -> tuple[Potential, float, Geometry]:
        """What the walls do, and g, in these coordinates."""

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
