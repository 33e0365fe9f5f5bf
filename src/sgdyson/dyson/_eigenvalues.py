"""The stochastic differential equation of the levels, in any potential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._checks import settle
from .._types import Floats
from ..errors import require
from ._dataset import check_repulsion
from ._ensemble import Steps
from ._implicit import Number, Potential, implicit_step
from ._noise import Noise, check_noise, settled_noise
from ._potential import TimedPotential, at_time, check_potential, never_changes
from ._process import LevelProcess
from ._programs import Motion, Numbers


@dataclass(frozen=True)
class EigenvalueProcess(LevelProcess):
    r"""Levels that repel each other in any potential, with noise of one strength or of their own.

    $$dx_i = \Big[ -\partial_x V_i(x_i, t) + \beta \sum_{j \neq i} \frac{g_{ij}^2}{x_i - x_j} \Big]
    dt + \sqrt 2\, g_i\, dB_i$$

    $g_{ij}^2 = (g_i^2 + g_j^2)/2$ is what noise of a matrix gives whose levels have noise of their
    own; it moves no centre of mass. For one g and a potential at rest the stationary law is the
    Coulomb gas $\prod |x_i - x_j|^\beta e^{-\sum V_i(x_i)/g^2}$. Steps are implicit in the drift:
    the order of the levels is kept at every one of them, however long. Strong and weak order are
    one where levels seldom meet; both are measured in the tests.

    Args:
        potential: maps levels, shape (n,), descending, to V_i(x_i), same shape, in `jax.numpy`; see
            `sgdyson.ensembles`. Of two arguments the second is the time, since the start. It acts
            on each level alone, and is finite where levels begin. Where it is not convex, steps
            must be shorter than 1/max(-V''). Nothing says that it confines: without a potential
            levels spread for ever, and where it falls faster than -x^2 they reach infinity, and
            `diverged` says so.
        beta: at least 1; below, levels collide. From 1 on none do, whatever the g_i.
        noise: g, positive: one number, one for each level from the largest down, or a function of
            time that returns either.

    Examples:
        Levels of a Coulomb gas keep their order, however close they come:

        >>> from sgdyson.ensembles import Quadratic
        >>> process = EigenvalueProcess(Quadratic(), beta=1.0)
        >>> run = process.simulate([1.0, 0.0, -1.0], step=0.01, steps=20, record_every=10,
        ...                        replicas=2, seed=0, progress=False)
        >>> run.levels.shape
        (2, 3, 3)
        >>> bool((run.levels.diff("level") < 0).all())
        True

        A learning rate that falls: potential and noise fall with it, and levels freeze:

        >>> def rate(time):
        ...     return 1 / (1 + time)
        >>> cooled = EigenvalueProcess(lambda x, time: rate(time) * x**2 / 2, noise=rate)
        >>> cooled.simulate([1.0, -1.0], step=0.1, steps=5, replicas=1, seed=0).levels.shape
        (1, 6, 2)
    """

    potential: Potential | TimedPotential
    beta: float = 1.0
    noise: Noise = 1.0

    def __post_init__(self) -> None:
        require(callable(self.potential), f"potential = {self.potential!r} must be a function.")
        check_repulsion(self.beta)
        settle(self, noise=settled_noise(self.noise))

    def _motion(self, levels: Floats, plan: Steps) -> Motion:
        check_noise(self.noise, len(levels), plan.step, plan.steps)
        check_potential(self.potential, levels, plan.step / 2)

        settings = {
            "potential": repr(self.potential), "beta": self.beta,
            "noise": repr(self.noise) if callable(self.noise) else self.noise,
        }  # fmt: skip
        schedule, g = (self.noise, 1.0) if callable(self.noise) else (None, np.asarray(self.noise))
        return Motion(
            levels, _Step(self.potential, schedule), {"beta": self.beta, "noise": g}, settings,
            lasting=schedule is None and never_changes(self.potential),
        )  # fmt: skip


@dataclass(frozen=True)
class _Step:
    """One step, of what may be fixed when a program is compiled.

    Attributes:
        potential: of levels, and of time if it asks for it.
        schedule: the noise, if it is a function of time.
    """

    potential: Potential | TimedPotential
    schedule: Callable[[Array], Array] | None

    def __call__(self, numbers: Numbers, levels: Array, normal: Array, number: Array) -> Array:
        # the middle of the step: of a potential that changes linearly the mean over it
        step, time = numbers["step"], (number + 0.5) * numbers["step"]
        noise = numbers["noise"] if self.schedule is None else self.schedule(time)
        potential = at_time(self.potential, time)
        return next_levels(potential, numbers["beta"], noise, step, levels, normal)


def next_levels(
    potential: Potential, beta: Number, noise: Number, step: Number, levels: Array, normal: Array
) -> Array:
    """Levels after a step, given those before it and its standard normal numbers."""
    z = levels + jnp.sqrt(2 * step) * noise * normal
    return implicit_step(potential, beta, step, levels, z, noise)
