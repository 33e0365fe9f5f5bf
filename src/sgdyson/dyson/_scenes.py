"""What a film shows: levels that leave one point, on a line, a circle, between walls, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import xarray as xr

from .._types import ArrayLike, Floats
from ..ensembles import Quadratic
from ._bridges import MatrixBridge
from ._circular import CircularProcess
from ._eigenvalues import EigenvalueProcess
from ._jacobi import JacobiProcess

FRAMES = 240  # of a film
_STEPS, _FEWER = 2400, 960  # of time: of few levels, and of many
MANY = 64  # levels, from which on a film shows their density too, beside Wigner's semicircle


@dataclass(frozen=True)
class Scene:
    """Levels of one replica, what they are called, and what is drawn beside them.

    Attributes:
        run: a data set with `levels` (replica, time, level).
        label: of the axis of levels.
        radii: of the semicircle that many levels fill, at each time.
        turning: whether levels are angles, to be shown on a circle.
    """

    run: xr.Dataset
    label: str = "level $x_i$"
    radii: Floats | None = None
    turning: bool = False


def edge_from_one_point(times: ArrayLike, levels: int, beta: float) -> Floats:
    r"""Radius $\sqrt{2 \beta n (1 - e^{-2t})}$ of the semicircle that levels from one point fill.

    The matrix is Gaussian at every time, of variance $1 - e^{-2t}$ in units of that at rest, where
    the weight $e^{-\sum x^2/2}\, |\Delta|^\beta$ of n levels has its edge at $\sqrt{2 \beta n}$
    (M. L. Mehta, Random Matrices (2004), section 4.2), exact for many levels.

    Args:
        times: since the levels stood at one point, in units of the time in which they settle.
        levels: how many.
        beta: their repulsion.
    """
    return np.sqrt(2 * beta * levels * -np.expm1(-2 * np.asarray(times, dtype=float)))


def gas(levels: int, beta: float, duration: float, seed: int) -> Scene:
    """Out of one point into the Coulomb gas of a harmonic potential."""
    # levels that meet have no force: they begin apart by less than a pixel shows
    run = EigenvalueProcess(Quadratic(), beta).simulate(
        1e-3 / levels * np.arange(levels), replicas=1, seed=seed, **_steps(levels, duration)
    )
    radii = edge_from_one_point(run.time.values, levels, beta) if levels >= MANY else None
    return Scene(run, radii=radii)


def circle(levels: int, beta: float, duration: float, seed: int) -> Scene:
    """Out of one point round the circle; the unit of time is that in which the trace decays."""
    unit = 1 / (1 + beta * (levels - 1) / 2)
    run = CircularProcess(beta).simulate(
        1e-3 / levels * np.arange(levels), replicas=1, seed=seed, **_steps(levels, duration * unit)
    )
    return Scene(run, r"angle $\theta_i$", turning=True)


def jacobi(levels: int, beta: float, duration: float, seed: int) -> Scene:
    """Out of the middle between two walls; the unit of time is that in which the mean relaxes."""
    rows = 2 * levels + 1
    run = JacobiProcess(rows, rows, beta).simulate(
        0.5 + 1e-3 / levels * np.arange(levels), replicas=1, seed=seed,
        **_steps(levels, duration / (beta * rows)),
    )  # fmt: skip
    return Scene(run)


def bridge(levels: int, beta: float, duration: float, seed: int) -> Scene:
    """Out of one point and back to it, for beta = 1, 2 and 4."""
    whole = int(beta) if beta in (1, 2, 4) else beta
    process = MatrixBridge(levels, whole, duration=duration)  # type: ignore[arg-type]
    times = np.linspace(0, duration, FRAMES + 1)
    run = process.simulate(times, replicas=1, seed=seed)
    width = np.sqrt(2 * times * (duration - times) / duration)
    radii = np.sqrt(2 * beta * levels) * width if levels >= MANY else None
    return Scene(run, radii=radii)


SCENES: dict[str, Callable[[int, float, float, int], Scene]] = {
    "gas": gas, "circle": circle, "jacobi": jacobi, "bridge": bridge,
}  # fmt: skip


class _Steps(TypedDict):
    step: float
    steps: int
    record_every: int


def _steps(levels: int, duration: float) -> _Steps:
    steps = _STEPS if levels < MANY else _FEWER
    return {"step": duration / steps, "steps": steps, "record_every": steps // FRAMES}
