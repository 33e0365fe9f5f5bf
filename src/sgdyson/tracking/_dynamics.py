"""Drift, diffusion and repulsion of singular values, from a recorded trajectory."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..errors import require
from ..stats import Estimate, jackknife_of_means
from ._run_store import matrices_of

Floats = NDArray[np.float64]
_BLOCKS, _FEWEST = 20, 100
_CLEAR = 6.0  # gaps below so many steps of diffusion are left out: there drift is not constant


@dataclass(frozen=True)
class MatrixDynamics:
    r"""$\Delta\xi_i = (a_i - \gamma\xi_i + c F_i)\,\Delta t + g \Delta B_i$, per update.

    $F_i = \tfrac12 [(M - N)/\xi_i + \sum_{j \ne i} 2\xi_i/(\xi_i^2 - \xi_j^2)]$ is the repulsion
    of independent entries of variance 1, M >= N (physics of rectangular weights): theory says
    c = g^2.

    Attributes:
        friction: gamma.
        diffusion: g^2.
        repulsion: c.
        ratio: c/g^2, 1 by theory, 0 of levels that do not repel.
        width: standard deviation of each singular value, with errors, shape (level,).
        steady_width: $g/\sqrt{2\gamma}$, what noise and friction make of a level that no other is
            near; None where friction is not above zero.
        used: share of the steps that entered c.
        interval: updates between records.
    """

    friction: Estimate
    diffusion: Estimate
    repulsion: Estimate
    ratio: Estimate
    width: list[Estimate]
    steady_width: Estimate | None
    used: float
    interval: int


def matrix_dynamics(run: xr.Dataset, name: str, start: int | None = None) -> MatrixDynamics:
    """Measure one matrix of a run.

    Records must be so close that a level moves little between them compared with its gaps: where a
    neighbour is nearer than six such steps the level is left out, so that terms of relative size
    below 1/36 are neglected. The run must be stationary from `start` on.

    Args:
        run: of `open_run`.
        name: of the matrix.
        start: first step used; by default half the run.

    Raises:
        InvalidInputError: no such matrix, fewer than 100 records, records at unequal intervals, or
            too far apart.
    """
    names = matrices_of(run)
    require(name in names, f"{name!r} is not among the matrices: {', '.join(names)}.")
    first = run.time.values[len(run.time) // 2] if start is None else start
    late = run.sel(time=slice(first, None))
    require(
        late.sizes["time"] >= _FEWEST,
        f"{late.sizes['time']} records from step {first} on; at least {_FEWEST} are needed.",
    )
    interval = np.unique(np.diff(late.time.values))
    require(len(interval) == 1, "records lie at unequal intervals; record with every = a number.")
    variable = late[f"s_{names[name]}"]
    rows, columns = variable.attrs["shape"]
    s = np.asarray(variable.values)
    require(
        bool(np.isfinite(s).all()),
        f"{name} was zero, NaN or infinite at a record from step {first} on; begin later.",
    )
    return _measure(s, abs(rows - columns), int(interval[0]))


def coulomb_repulsion(s: Floats, excess: int) -> Floats:
    """F of each level, s (..., level), for M - N = excess."""
    squares = s**2
    gaps = squares[..., :, None] - squares[..., None, :]
    np.einsum("...ii->...i", gaps)[...] = np.inf
    return np.asarray(excess / (2 * s) + s * np.sum(1 / gaps, axis=-1))


def _measure(s: Floats, excess: int, interval: int) -> MatrixDynamics:
    s = s[:, s.min(axis=0) > 0]
    start, velocity = s[:-1], np.diff(s, axis=0) / interval
    step = np.sqrt(np.mean((velocity - velocity.mean(axis=0)) ** 2)) * interval
    scale = float(s.mean()) if s.size else 0.0
    require(step > 1e-9 * scale, "the singular values do not move: there is nothing to measure.")
    gaps = -np.diff(start, axis=1)
    nearest = np.minimum(
        np.pad(gaps, [(0, 0), (0, 1)], constant_values=np.inf),
        np.pad(gaps, [(0, 0), (1, 0)], constant_values=np.inf),
    )
    clear = nearest > _CLEAR * step
    used = float(clear.mean())
    require(
        used > 0.2,
        f"in {1 - used:.0%} of the steps two levels are nearer than {_CLEAR:.0f} times the way of a"
        " level between records: record more often to see repulsion.",
    )
    with np.errstate(divide="ignore"):
        force = np.where(clear, coulomb_repulsion(start, excess), 0.0)
    force, place, speed = (_centred(x, clear) for x in (force, start, velocity))
    sums = [place * place, place * force, force * force, place * speed, force * speed,
            speed * speed, clear * 1.0]  # fmt: skip
    blocks = np.stack([[part.sum() for part in np.array_split(x, _BLOCKS)] for x in sums], axis=1)

    def of_sums(m: Floats) -> tuple[Floats, Floats, Floats]:
        pp, pf, ff, pv, fv, vv, count = np.moveaxis(m, -1, 0)
        determinant = pp * ff - pf**2
        c = (pp * fv - pf * pv) / determinant
        friction = -(ff * pv - pf * fv) / determinant
        diffusion = interval * (vv - c * fv + friction * pv) / count
        return friction, diffusion, c

    friction = jackknife_of_means(lambda m: of_sums(m)[0], blocks)
    diffusion = jackknife_of_means(lambda m: of_sums(m)[1], blocks)
    c = jackknife_of_means(lambda m: of_sums(m)[2], blocks)
    ratio = jackknife_of_means(lambda m: of_sums(m)[2] / of_sums(m)[1], blocks)
    width = [
        jackknife_of_means(
            lambda m: np.sqrt(np.maximum(m[..., 1] - m[..., 0] ** 2, 0.0)),
            np.array([[part.mean(), np.mean(part**2)] for part in np.array_split(level, _BLOCKS)]),
        )
        for level in (s - s.mean(axis=0)).T
    ]
    steady = None
    if friction.value > 2 * friction.error:
        steady = jackknife_of_means(
            lambda m: np.sqrt(np.maximum(of_sums(m)[1] / (2 * of_sums(m)[0]), 0.0)), blocks
        )
    return MatrixDynamics(friction, diffusion, c, ratio, width, steady, used, interval)


def _centred(x: Floats, used: NDArray[np.bool_]) -> Floats:
    """Less the mean of each level over the steps used; zero elsewhere."""
    mean = np.sum(x * used, axis=0) / np.maximum(used.sum(axis=0), 1)
    return np.asarray(np.where(used, x - mean, 0.0))
