"""Drift, diffusion and repulsion of singular values, from a recorded trajectory."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from .._types import Flags, Floats
from ..errors import require
from ..stats import Estimate, jackknife_of_means
from ._run import Run

_BLOCKS, _FEWEST = 20, 100
_CLEAR = 6.0  # steps of diffusion to a neighbour or to zero, below which drift is not constant
_NULL = 0.01  # of the typical step: a level that moves less does not diffuse with the others
_VARIED = 0.01
_MEMORY = 0.1  # correlation of steps: a diffusion is wrong by a fifth


@dataclass(frozen=True)
class MatrixDynamics:
    r"""$\Delta\xi_i = (a_i - \gamma\xi_i + c F_i)\,\Delta t + g \Delta B_i$, per update.

    $F_i = \tfrac12 [(M - N)/\xi_i + \sum_{j \ne i} 2\xi_i/(\xi_i^2 - \xi_j^2)]$ is the repulsion
    of independent entries of variance 1, M >= N (physics of rectangular weights): theory says
    c = g^2. Where levels diffuse differently, each with its measured $g_i^2$, $g^2$ is their mean
    and a pair repels as $(g_i^2 + g_j^2)/2$.

    Attributes:
        friction: gamma.
        diffusion: g^2.
        repulsion: c.
        ratio: c/g^2, 1 by theory, 0 of levels that do not repel.
        width: standard deviation of each singular value, with errors, shape (level,).
        steady_width: $g/\sqrt{2\gamma}$, what noise and friction make of a level that no other is
            near; None where friction is not above zero.
        used: share of the steps that entered c, of all levels.
        interval: updates between records.
        null: levels, from the largest, that do not diffuse, as that of a direction to which the
            loss is blind: left out; they repel the others half as much.
        near_zero: share of the steps left out because the level was near zero.
        near_neighbour: share of the steps left out because a neighbour was near.
        of_level: g^2 of each level, zero of one that does not diffuse.
    """

    friction: Estimate
    diffusion: Estimate
    repulsion: Estimate
    ratio: Estimate
    width: list[Estimate]
    steady_width: Estimate | None
    used: float
    interval: int
    null: tuple[int, ...] = ()
    near_zero: float = 0.0
    near_neighbour: float = 0.0
    of_level: tuple[float, ...] = ()


def matrix_dynamics(run: xr.Dataset | Run, name: str, start: int | None = None) -> MatrixDynamics:
    """Measure one matrix of a run.

    Records must be so close that a level moves little between them compared with its gaps: where a
    neighbour, or zero, is nearer than six such steps the level is left out, so that terms of
    relative size below 1/36 are neglected. A level that moves by less than a hundredth of what the
    others do is left out altogether. The run must be stationary from `start` on.

    Args:
        run: of `open_run`.
        name: of the matrix.
        start: first step used; by default half the run.

    Raises:
        InvalidInputError: no such matrix, fewer than 100 records, records at unequal intervals, or
            too far apart, a learning rate that varied.

    Examples:
        >>> import numpy as np, tempfile
        >>> from sgdyson.tracking import Tracker, open_run
        >>> noise = np.random.default_rng(0)
        >>> w, target = np.diag([3.0, 2.0, 1.0]), np.diag([3.0, 2.0, 1.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=1, learning_rate=0.1) as tracker:
        ...         for step in range(2000):
        ...             tracker.update(step, {"w": w})
        ...             w = w - 0.1 * (w - target + 0.05 * noise.normal(size=(3, 3)))
        ...     run = open_run(f"{folder}/run.zarr").load()
        >>> friction = matrix_dynamics(run, "w").friction  # of the learning rate 0.1
        >>> bool(abs(friction.value - 0.1) < 4 * friction.error < 0.1)
        True
    """
    run = Run(run)
    rows, columns = run.shape(name)
    first = run.steps[len(run.steps) // 2] if start is None and len(run.steps) else start
    late = run.steps >= (first or 0)
    require(
        int(late.sum()) >= _FEWEST,
        f"{late.sum()} records from step {first} on; at least {_FEWEST} are needed.",
    )
    interval = np.unique(np.diff(run.steps[late]))
    require(len(interval) == 1, "records lie at unequal intervals; record with every = a number.")
    s = run.values(name)[late]
    require(
        bool(np.isfinite(s).all()),
        f"{name} was zero, NaN or infinite at a record from step {first} on; begin later.",
    )
    rate = run.setting("learning_rate", name)[late]
    require(
        not np.isfinite(rate).all() or bool(np.ptp(rate) <= _VARIED * rate.max()),
        f"the learning rate of {name} varied from {rate.min():.4g} to {rate.max():.4g} from step"
        f" {first} on: no steady state; begin where it is constant.",
    )
    return _measure(s, abs(rows - columns), int(interval[0]))


def coulomb_repulsion(s: Floats, excess: int, diffusion: Floats | None = None) -> Floats:
    r"""F of each level, s (..., level), for M - N = excess.

    Args:
        s: singular values, descending.
        excess: M - N.
        diffusion: g^2 of each level, (level,), all 1 by default. Of two levels the pair is mixed by
            $(g_i^2 + g_j^2)/2$, as noise of index 1 does; a level that does not diffuse repels the
            others half as much.
    """
    g2 = np.ones(s.shape[-1]) if diffusion is None else np.asarray(diffusion)
    squares = s**2
    gaps = squares[..., :, None] - squares[..., None, :]
    np.einsum("...ii->...i", gaps)[...] = np.inf  # no level repels itself: 1/inf is 0
    both = (g2[:, None] + g2) / 2
    return np.asarray(g2 * excess / (2 * s) + s * np.sum(both / gaps, axis=-1))


def _measure(s: Floats, excess: int, interval: int) -> MatrixDynamics:
    steps = np.diff(s, axis=0).std(axis=0)
    null = _null(s, steps)
    require(not null.all(), "the singular values do not move: there is nothing to measure.")
    start, velocity = s[:-1, ~null], np.diff(s[:, ~null], axis=0) / interval
    step = float(np.sqrt(np.mean(steps[~null] ** 2)))
    # steps are chosen by where they begin: to look at where they end would prefer some of them
    apart = _nearest(s[:-1])[:, ~null] > _CLEAR * step
    off_zero = start > _CLEAR * step
    clear = apart & off_zero
    used = float(clear.mean())
    require(
        used > 0.2,
        f"in {1 - used:.0%} of the steps a level is nearer to another one, or to zero, than"
        f" {_CLEAR:.0f} times its way between two records, {interval} updates apart: the rest are"
        " too few to measure a force from.",
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        g2 = _diffusion(velocity, clear) * interval
        typical = float(g2.mean())
        of_all = np.zeros(s.shape[1])
        # relative diffusions: c is then to be compared with the mean g^2
        of_all[~null] = g2 / typical
        force = np.where(clear, coulomb_repulsion(s[:-1], excess, of_all)[:, ~null], 0.0)
    _require_no_memory(_centred(velocity, clear), clear)
    # successive steps are not independent; a twentieth of the run, taken as a whole, is
    blocks = _sums(start, force, velocity, clear, np.sqrt(typical / g2))

    def of_sums(m: Floats) -> tuple[Floats, Floats, Floats]:
        return _regression(m, interval)

    friction = jackknife_of_means(lambda m: of_sums(m)[0], blocks)
    diffusion = jackknife_of_means(lambda m: of_sums(m)[1], blocks)
    c = jackknife_of_means(lambda m: of_sums(m)[2], blocks)
    ratio = jackknife_of_means(lambda m: of_sums(m)[2] / of_sums(m)[1], blocks)
    steady = None  # g/sqrt(2 gamma) has no finite error where gamma may be zero
    if friction.value > 2 * friction.error:
        steady = jackknife_of_means(
            lambda m: np.sqrt(np.maximum(of_sums(m)[1] / (2 * of_sums(m)[0]), 0.0)), blocks
        )
    moving = float((~null).mean())
    return MatrixDynamics(
        friction, diffusion, c, ratio, _widths(s), steady, used * moving, interval,
        tuple(int(i) for i in np.flatnonzero(null)),
        float((~off_zero).mean()) * moving, float((off_zero & ~apart).mean()) * moving,
        tuple((typical * of_all).tolist()),
    )  # fmt: skip


def _regression(m: Floats, interval: int) -> tuple[Floats, Floats, Floats]:
    """Friction, diffusion and repulsion from the means of `_sums`, (..., 7)."""
    # v = a - gamma x + c F by least squares; the mean of each level has taken a away. What is left
    # of v has the variance g^2/interval.
    pp, pf, ff, pv, fv, vv, count = np.moveaxis(m, -1, 0)
    determinant = pp * ff - pf**2
    c = (pp * fv - pf * pv) / determinant
    friction = -(ff * pv - pf * fv) / determinant
    diffusion = interval * (vv - c * fv + friction * pv) / count
    return friction, diffusion, c


def _null(s: Floats, steps: Floats) -> Flags:
    """Levels that do not diffuse; those that stand still to rounding are none of the typical."""
    still = steps <= 1e-9 * float(s.mean())
    typical = np.median(steps[~still]) if (~still).any() else 0.0
    return np.asarray(still | (steps < _NULL * typical))


def _diffusion(velocity: Floats, clear: Flags) -> Floats:
    """Variance of each level's velocity, at least a thousandth of the typical one."""
    variance = np.sum(_centred(velocity, clear) ** 2, axis=0) / np.maximum(clear.sum(axis=0), 1)
    typical = np.median(variance[variance > 0]) if variance.any() else 1.0
    return np.maximum(variance, 1e-3 * typical)


def _require_no_memory(velocity: Floats, clear: Flags) -> None:
    both = clear[1:] & clear[:-1]
    norm = float(np.sum(velocity**2 * clear) / max(clear.sum(), 1))
    pairs = int(both.sum())
    memory = float(np.sum(velocity[1:] * velocity[:-1] * both)) / max(pairs, 1) / norm
    # 4 standard errors of the correlation of independent steps
    require(
        memory < _MEMORY + 4 / max(pairs, 1) ** 0.5,
        f"changes of a level from record to record are correlated by {memory:.2f}, and a diffusion"
        " has none: record at longer intervals than momentum remembers, of a run at rest.",
    )


def _nearest(s: Floats) -> Floats:
    """Distance of each level to its nearest neighbour."""
    gaps = -np.diff(s, axis=1)
    return np.minimum(
        np.pad(gaps, [(0, 0), (0, 1)], constant_values=np.inf),
        np.pad(gaps, [(0, 0), (1, 0)], constant_values=np.inf),
    )


def _sums(place: Floats, force: Floats, speed: Floats, clear: Flags, weight: Floats) -> Floats:
    """Products over the steps used, in blocks of time, noisy levels counting less."""
    force, place, speed = (weight * _centred(x, clear) for x in (force, place, speed))
    sums = [place * place, place * force, force * force, place * speed, force * speed,
            speed * speed, clear * 1.0]  # fmt: skip
    return np.stack(
        [[stretch.sum() for stretch in np.array_split(x, _BLOCKS)] for x in sums], axis=1
    )


def _widths(s: Floats) -> list[Estimate]:
    return [
        jackknife_of_means(
            lambda m: np.sqrt(np.maximum(m[..., 1] - m[..., 0] ** 2, 0.0)),
            np.array(
                [
                    [stretch.mean(), np.mean(stretch**2)]
                    for stretch in np.array_split(level, _BLOCKS)
                ]
            ),
        )
        for level in (s - s.mean(axis=0)).T
    ]


def _centred(x: Floats, used: Flags) -> Floats:
    """Less the mean of each level over the steps used; zero elsewhere."""
    mean = np.sum(x * used, axis=0) / np.maximum(used.sum(axis=0), 1)
    return np.asarray(np.where(used, x - mean, 0.0))
