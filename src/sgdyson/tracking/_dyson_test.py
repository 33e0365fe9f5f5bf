"""Is learning Dyson Brownian motion? The test of a tracked run, matrix by matrix."""

from __future__ import annotations

from typing import overload

import numpy as np
import xarray as xr
from scipy.stats import chi2

from .._types import Floats
from ..errors import InvalidInputError, require
from ..spectra import FEWEST_LEVELS, fit_bulk, measure_values
from ..stats import Estimate
from ._dyson_index import (
    LEVEL,
    NONE,
    TOO_LITTLE,
    chance_of,
    index_of,
    power_of,
    ratio,
    verdict_of,
)
from ._dyson_remarks import FELT, remarks_of
from ._dyson_results import DysonTest, DysonTests
from ._gap_drift import GapDrift, gap_drift
from ._noise_squares import NoiseSquares, noise_squares
from ._recorded_steps import Recorded, recorded_steps
from ._run import Run

_CLEAR = 6.0  # steps between two levels, up to which they are as near as can be
_REMEMBERS = 2.0  # times the variance of a sum of steps that is free of memory


@overload
def dyson_test(run: xr.Dataset | Run, name: str, start: int = 0) -> DysonTest: ...


@overload
def dyson_test(run: xr.Dataset | Run, name: None = None, start: int = 0) -> DysonTests: ...


def dyson_test(
    run: xr.Dataset | Run, name: str | None = None, start: int = 0
) -> DysonTest | DysonTests:
    r"""Is the learning of a matrix Dyson Brownian motion? One number, with errors and p-values.

    Of an update dW, $a_{ij} = u_i^T\,dW\,v_j$ of near levels: $a_{ii}$ moves a level,
    $(a_{ij} + a_{ji})/2$ mixes it with another, which repels both. For independent entries, and
    whatever the optimiser, the drift or the stationary state,

    $$\beta_\mathrm{dyn} = \frac{2\,\mathrm{Var}\,\frac{a_{ij} + a_{ji}}{2}}
    {\frac12(\mathrm{Var}\,a_{ii} + \mathrm{Var}\,a_{jj})} = 1 ,$$

    0 where the noise does not mix levels, so that they do not repel.

    Args:
        run: of `open_run`, tracked with dynamics=True.
        name: of a matrix; by default all are tested, each alone and all levels together.
        start: first step used.

    Raises:
        InvalidInputError: no such matrix, no single updates recorded, a matrix at rest, or no noise
            in its motion; without a name, only where that holds of all.

    Examples:
        Noise with independent entries of one variance makes levels repel with index 1:

        >>> import numpy as np, tempfile
        >>> from sgdyson.tracking import Tracker, open_run
        >>> random = np.random.default_rng(0)
        >>> w = np.diag([5.0, 4.0, 3.0, 2.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=1, dynamics=True) as tracker:
        ...         for step in range(600):
        ...             tracker.update(step, {"w": w})
        ...             w = w + 1e-4 * random.normal(size=(4, 4))
        ...     run = open_run(f"{folder}/run.zarr").load()
        >>> index = dyson_test(run, "w").index
        >>> bool(abs(index.value - 1) < 4 * index.error < 0.5)
        True
    """
    run = Run(run)
    return _all_tested(run, start) if name is None else _tested(run, name, start)[0]


def _tested(run: Run, name: str, start: int) -> tuple[DysonTest, NoiseSquares]:
    recorded = recorded_steps(run, name, start)
    scale = float(np.nanmax(recorded.levels))
    try:
        noise = noise_squares(recorded.bursts, scale)
        index = index_of(noise)
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}") from error
    used = np.concatenate(recorded.records)
    levels = np.nanmean(recorded.levels[used], axis=0)
    bulk, outliers = _parts(noise, recorded.levels[used[-1]], run.shape(name))
    repulsion, drift = _repulsion(recorded, noise), _drift(recorded, noise)
    far = repulsion < FELT
    verdict = TOO_LITTLE if far else index.verdict
    last = recorded.levels[used[-1]]
    surmise = None if drift < LEVEL else measure_values(name, last, run.shape(name)).ks_wigner
    test = DysonTest(
        name, index, verdict, levels, bulk, outliers, repulsion, drift,
        tuple(remarks_of(index, repulsion, drift, _persistent(recorded, noise))),
        _gap(run, name, start, recorded, noise),
        surmise.pvalue if surmise else None,
    )  # fmt: skip
    return test, noise


def _gap(
    run: Run, name: str, start: int, recorded: Recorded, noise: NoiseSquares
) -> GapDrift | None:
    if memory(recorded, noise) > _REMEMBERS:  # a single update is not what diffuses
        return None
    try:
        return gap_drift(run, name, start)
    except InvalidInputError:  # too few of them, or all too near
        return None


def _all_tested(run: Run, start: int) -> DysonTests:
    tests, squares, refused = {}, [], {}
    for name in run.names:
        try:
            tests[name], noise = _tested(run, name, start)
            squares.append(noise)
        except InvalidInputError as error:
            refused[name] = str(error).rstrip(".")
    require(bool(tests), "; ".join(dict.fromkeys(refused.values())) + ".")
    blocks = [len(noise.alone) for noise in squares]
    # block by block in time: matrices of fewer blocks have others
    squares = [noise for noise in squares if len(noise.alone) == max(blocks)]
    mixed, alone = (
        np.sum([x.sum(axis=(1, 2)) for x in parts], axis=0)
        for parts in ([n.mixed for n in squares], [n.alone for n in squares])
    )
    index = ratio(mixed, alone, float(sum(n.updates * n.pairs.sum() for n in squares)))
    one, zero = chance_of(mixed, alone, 1.0), chance_of(mixed, alone, NONE, above=True)
    power = power_of(mixed, alone)
    felt = np.hypot.reduce([test.repulsion for test in tests.values()]) >= FELT
    # the smallest of many p-values: Bonferroni's bound
    levels = min(min(test.pvalue_levels for test in tests.values()) * len(tests), 1.0)
    verdict = verdict_of(index, one, zero, power, levels) if felt else TOO_LITTLE
    return DysonTests(index, one, zero, power, verdict, tests, refused)


def _parts(
    noise: NoiseSquares, s: Floats, shape: tuple[int, int]
) -> tuple[Estimate | None, Estimate | None]:
    """Index of the pairs inside the bulk, and of those with an outlier."""
    if s.size < FEWEST_LEVELS:
        return None, None
    try:
        bulk = fit_bulk(s, shape)
    except InvalidInputError:
        return None, None
    if not bulk.is_noise:
        return None, None
    above = np.arange(s.size)[:, None] < bulk.outliers
    parts: list[Estimate | None] = []
    for chosen in (~above, above):
        try:
            parts.append(index_of(noise, np.broadcast_to(chosen, noise.pairs.shape)).index)
        except InvalidInputError:
            parts.append(None)
    return parts[0], parts[1]


def memory(recorded: Recorded, noise: NoiseSquares) -> float:
    """Variance of the sum of a burst over that of its steps: above 1 where steps remember.

    Sums of eight updates see a momentum of 0.9 by half, which makes repulsion look smaller.
    """
    half = recorded.bursts[0].shape[2] // 2
    longest = max(map(len, recorded.bursts))
    sums = np.array([b[:, :, half].sum(axis=0) for b in recorded.bursts if len(b) == longest])
    moving = [i for i in range(sums.shape[1]) if i not in noise.null]
    if len(sums) < 8:
        return 1.0
    # drift varies slowly from burst to burst, noise does not
    variance = np.sum(np.diff(sums[:, moving], axis=0) ** 2, axis=0) / (2 * (len(sums) - 1))
    return float(max(np.median(variance / (longest * noise.diffusion[moving])), 1.0))


def _repulsion(recorded: Recorded, noise: NoiseSquares) -> float:
    """A gap S is pushed by g^2/S an update, and diffuses by 2 g^2."""
    gap = -np.diff(recorded.levels[np.concatenate(recorded.records)], axis=1)
    g2 = memory(recorded, noise) * (noise.diffusion[1:] + noise.diffusion[:-1]) / 2
    near = np.mean(1 / np.maximum(gap**2, _CLEAR**2 * g2 + 1e-300), axis=0)
    # over T updates g^2 T/S beside sqrt(2 g^2 T): squared g^2 T/(2 S^2), added over gaps
    return float(np.sqrt(recorded.span * np.sum(np.where(noise.pairs[:-1, 0], g2 * near / 2, 0.0))))


def _drift(recorded: Recorded, noise: NoiseSquares) -> float:
    """Squared ways of the levels over the run, in units of what free diffusion makes of them."""
    used = np.concatenate(recorded.records)
    moving = [i for i in range(len(noise.diffusion)) if i not in noise.null]
    way = (recorded.levels[used[-1]] - recorded.levels[used[0]])[moving]
    spread = memory(recorded, noise) * noise.diffusion[moving] * recorded.span
    return float(chi2.sf(np.sum(way**2 / spread), len(moving)))


def _persistent(recorded: Recorded, noise: NoiseSquares) -> float | None:
    """Gap in units of the way of one memory, where steps remember and levels are near."""
    lasts = memory(recorded, noise)
    gap = -np.diff(recorded.levels[np.concatenate(recorded.records)], axis=1)
    pairs = noise.pairs[:-1, 0]
    if lasts < _REMEMBERS or not pairs.any():
        return None
    way = lasts * np.sqrt((noise.diffusion[1:] + noise.diffusion[:-1]) / 2)
    ratio = float(np.median(gap[:, pairs] / way[pairs]))
    return ratio if ratio < _CLEAR else None
