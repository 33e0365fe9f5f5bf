"""Dyson Brownian motion on the unit circle."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from .._checks import shown
from .._types import ArrayLike
from ..errors import require
from ._dataset import apart, check_repulsion
from ._ensemble import Steps, require_room, run_ensemble
from ._geometry import CIRCLE, TURN
from ._implicit import Potential, implicit_step
from ._potential import TimedPotential, at_time, check_potential


def free(angles: Array) -> Array:
    """No potential: the circular ensembles."""
    return 0 * angles


@dataclass(frozen=True)
class CircularProcess:
    r"""Eigenphases of a unitary matrix that diffuses, for any beta from 1 up.

    $$d\theta_i = \Big[ \frac{\beta}{2} \sum_{j \neq i} \cot \frac{\theta_i - \theta_j}{2}
    - V'(\theta_i) \Big] dt + \sqrt 2\, dB_i$$

    (F. J. Dyson, J. Math. Phys. 3, 1191 (1962)). Without a potential the stationary law is
    `CircularEnsemble(n, beta)`, $\prod |e^{i\theta_i} - e^{i\theta_j}|^\beta$, and the trace decays
    as $\langle \sum e^{i\theta_i} \rangle \propto e^{-[1 + \beta (n-1)/2]\, t}$, exactly. For
    beta = 2 these are the phases of unitary Brownian motion, $dU = i\, U\, dH - n\, U\, dt$ with
    $\langle |dH_{ij}|^2 \rangle = 2\, dt$.

    Args:
        beta: at least 1; below, levels collide.
        potential: V, of period 2 pi, maps angles, shape (n,), to V(theta_i) in `jax.numpy`; of two
            arguments the second is the time; none by default. Steps must be shorter than
            1/max(-V'').

    Examples:
        Angles keep their order round the circle, and are followed through whole turns:

        >>> process = CircularProcess(beta=2.0)
        >>> run = process.simulate([2.0, 1.0, 0.0], step=0.01, steps=20, record_every=10,
        ...                        replicas=2, seed=0, progress=False)
        >>> run.levels.shape
        (2, 3, 3)
        >>> around = run.levels[..., 0] - run.levels[..., -1]
        >>> bool((run.levels.diff("level") < 0).all() and (around < 2 * np.pi).all())
        True
    """

    beta: float = 2.0
    potential: Potential | TimedPotential = free

    def __post_init__(self) -> None:
        check_repulsion(self.beta)
        require(callable(self.potential), f"potential = {self.potential!r} must be a function.")

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
        """Angles of an ensemble of replicas.

        Args:
            initial_levels: angles of every replica, shape (n,), all different and within one turn.
            step: of time, as of `EigenvalueProcess`; steps are implicit too.
            steps: how many.
            record_every: steps between two records; the first record is before any step.
            replicas: how many.
            seed: seed of the ensemble, not negative.
            progress: show a bar, where there is a terminal to show it.

        Returns:
            A data set with `levels` (replica, time, level), descending angles that are not taken
            back into one turn, so that they tell how often each went round; and `diverged`.

        Raises:
            InvalidInputError: a value that breaks one of these rules, or a potential without the
                period 2 pi or not written in `jax.numpy`.
        """
        plan = Steps(step, steps, record_every, replicas, seed)
        require_room(np.size(initial_levels), replicas, plan.records)
        start = apart(initial_levels)
        require(
            bool(start[0] - start[-1] < TURN),
            f"initial_levels = {shown(initial_levels)} must lie within one turn, 2 pi.",
        )
        check_potential(self.potential, start, step / 2, period=TURN)

        def advance(angles: Array, normal: Array, number: Array) -> Array:
            z = angles + jnp.sqrt(2 * step) * normal
            potential = at_time(self.potential, (number + 0.5) * step)
            return implicit_step(potential, self.beta, step, angles, z, geometry=CIRCLE)

        settings = {
            "process": type(self).__name__, "beta": self.beta,
            "potential": None if self.potential is free else repr(self.potential),
        }  # fmt: skip
        return run_ensemble(advance, start, plan, settings, progress)
