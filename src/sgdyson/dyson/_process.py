"""What processes of levels share: an ensemble of them, stepped implicitly."""

from __future__ import annotations

from abc import ABC, abstractmethod

import xarray as xr

from .._types import ArrayLike, Floats
from ._dataset import apart
from ._ensemble import Steps, require_room, run_ensemble
from ._programs import Motion


class LevelProcess(ABC):
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

        Steps are implicit: levels stay in order, and between walls where there are some, at every
        one of them, however long. A mean is right to first order in the step.

        Args:
            initial_levels: of every replica, shape (n,), all different: within one turn, if they
                are angles, and between the walls, if there are any.
            step: of time.
            steps: how many.
            record_every: steps between two records; the first record is before any step.
            replicas: how many.
            seed: seed of the ensemble, not negative.
            progress: show a bar, where there is a terminal to show it.

        Returns:
            A data set with `levels` (replica, time, level), descending, and `diverged` (replica),
            like that of `simulate`; a step that has no solution makes a replica diverge. Angles
            are not taken back into one turn, so that they tell how often each went round.

        Raises:
            InvalidInputError: a value that breaks one of these rules; a potential that is not
                written in `jax.numpy` or has not the period of a circle, before anything is
                compiled; so many levels that they reach a wall.
        """
        plan = Steps(step, steps, record_every, replicas, seed)
        start = apart(initial_levels)
        require_room(len(start), replicas, plan.records)
        motion = self._motion(start, plan)
        settings = {"process": type(self).__name__, **motion.settings}
        return run_ensemble(motion, plan, settings, progress)

    @abstractmethod
    def _motion(self, levels: Floats, plan: Steps) -> Motion:
        """How levels move that begin here, descending; or the reason why they cannot."""
