"""What processes of levels between walls share: steps in coordinates of constant noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from .._types import ArrayLike, Floats
from ..errors import require
from ._dataset import apart
from ._ensemble import Steps, require_room, run_ensemble
from ._geometry import Geometry
from ._implicit import Potential, implicit_step


class WalledProcess(ABC):
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
