"""Dyson Brownian motion on the unit circle."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from .._checks import shown
from .._types import Floats
from ..errors import require
from ._dataset import check_repulsion
from ._ensemble import Steps
from ._geometry import CIRCLE, TURN
from ._implicit import Potential, implicit_step
from ._potential import TimedPotential, at_time, check_potential
from ._process import LevelProcess
from ._programs import Motion, Numbers


def free(angles: Array) -> Array:
    """No potential: the circular ensembles."""
    return 0 * angles


@dataclass(frozen=True)
class CircularProcess(LevelProcess):
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

        >>> import numpy as np
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

    def _motion(self, levels: Floats, plan: Steps) -> Motion:
        require(
            bool(levels[0] - levels[-1] < TURN),
            f"initial_levels = {shown(levels.tolist())} must lie within one turn, 2 pi.",
        )
        check_potential(self.potential, levels, plan.step / 2, period=TURN)

        potential = None if self.potential is free else repr(self.potential)
        settings = {"beta": self.beta, "potential": potential}
        return Motion(
            levels, _Turn(self.potential), {"beta": self.beta}, settings,
            lasting=self.potential is free,
        )  # fmt: skip


@dataclass(frozen=True)
class _Turn:
    """One step in a potential."""

    potential: Potential | TimedPotential

    def __call__(self, numbers: Numbers, angles: Array, normal: Array, number: Array) -> Array:
        step, beta = numbers["step"], numbers["beta"]
        z = angles + jnp.sqrt(2 * step) * normal
        potential = at_time(self.potential, (number + 0.5) * step)
        return implicit_step(potential, beta, step, angles, z, geometry=CIRCLE)
