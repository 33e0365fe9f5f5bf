"""Is learning Dyson Brownian motion? The test of a tracked run, matrix by matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import overload

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import chi2

from ..errors import InvalidInputError, require
from ..spectra import fit_bulk, measure_values
from ..stats import Estimate
from ._dyson_index import (
    LEVEL,
    NONE,
    TOO_LITTLE,
    DysonIndex,
    chance_of,
    index_of,
    power_of,
    ratio,
    verdict_of,
)
from ._gap_drift import GapDrift, gap_drift
from ._noise_squares import NoiseSquares, noise_squares
from ._recorded_steps import Recorded, recorded_steps
from ._run import Run

Floats = NDArray[np.float64]
FELT = 1.0  # standard errors, below which the repulsion of a whole run is seen by nobody
_CLEAR = 6.0  # steps between two levels, up to which they are as near as can be
_FOR_BULK = 5
_REMEMBERS = 2.0  # times the variance of a sum of steps that is free of memory


@dataclass(frozen=True)
class DysonTest:
    """What the noise of one matrix does to its levels.

    Attributes:
        name: of the matrix.
        found: the index of all levels, see `DysonIndex`.
        verdict: "Dyson Brownian motion", "levels do not repel", "neither" or "too little to tell".
        levels: (level,) mean singular value, for `found.of_level`.
        bulk: index of the levels inside the Marchenko-Pastur bulk; None without a bulk.
        outliers: index of pairs with a level above it; None without one.
        repulsion: by how many standard errors of their diffusion the repulsion of an index 1 has
            moved the gaps of all neighbours over the run, together.
        drift: chance that levels go so far from the first record to the last by diffusion alone.
        remarks: what else belongs to it, sentences.
        gap: how gaps of neighbours open, against 1/S, where enough was seen of gaps that are wide
            beside a step, and steps do not persist; see `gap_drift`.
        surmise: chance of the spacings of the last record, unfolded, under Wigner's surmise; None
            where levels drift, or are fewer than 64.
    """

    name: str
    found: DysonIndex
    verdict: str
    levels: Floats
    bulk: Estimate | None
    outliers: Estimate | None
    repulsion: float
    drift: float
    remarks: tuple[str, ...]
    gap: GapDrift | None = None
    surmise: float | None = None

    @property
    def index(self) -> Estimate:
        """beta_dyn, 1 by theory."""
        return self.found.index

    @property
    def pvalue_one(self) -> float:
        """Against 1, Dyson Brownian motion."""
        return self.found.pvalue_one

    @property
    def pvalue_zero(self) -> float:
        """Against 0, levels that do not repel."""
        return self.found.pvalue_zero

    @property
    def pvalue_levels(self) -> float:
        """Against 1 for each level."""
        return self.found.pvalue_levels

    @property
    def power(self) -> float:
        """With which this run tells 1 from 0."""
        return self.found.power

    def __str__(self) -> str:
        first = (
            f"{self.name}: {self.verdict}; index {self.index}, p = {self.pvalue_one:.2g} against 1,"
            f" {self.pvalue_zero:.2g} against 0, power {self.power:.2f}"
        )
        remarks = list(self.remarks)
        if self.gap:
            remarks.append(
                f"Gaps open by {self.gap.ratio} of what 1/S repulsion makes of the measured"
                f" diffusion (p = {self.gap.pvalue:.2g})."
            )
        if self.surmise is not None:
            remarks.append(f"Spacings follow Wigner's surmise with p = {self.surmise:.2g}.")
        return "\n".join([first, *(f"  {remark}" for remark in remarks)])


@dataclass(frozen=True)
class DysonTests:
    """Tests of all matrices of a run, and of all together.

    Attributes:
        index: of all levels of all matrices, each pair counted once.
        pvalue_one: against 1.
        pvalue_zero: against 0.
        power: with which the run tells 1 from 0.
        verdict: of all together.
        matrices: by name.
        refused: the reason, by the name of a matrix that was not measured.
    """

    index: Estimate
    pvalue_one: float
    pvalue_zero: float
    power: float
    verdict: str
    matrices: Mapping[str, DysonTest]
    refused: Mapping[str, str]

    def __str__(self) -> str:
        lines = [
            f"all matrices: {self.verdict}; index {self.index}, p = {self.pvalue_one:.2g} against"
            f" 1, {self.pvalue_zero:.2g} against 0, power {self.power:.2f}"
        ]
        lines += [str(test) for test in self.matrices.values()]
        lines += [f"{name}: not measured, {reason}" for name, reason in self.refused.items()]
        return "\n".join(lines)


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

    Example:
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
    found = recorded_steps(run, name, start)
    scale = float(np.nanmax(found.levels))
    try:
        noise = noise_squares(found.bursts, scale)
        index = index_of(noise)
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}") from error
    used = np.concatenate(found.records)
    levels = np.nanmean(found.levels[used], axis=0)
    bulk, outliers = _parts(noise, found.levels[used[-1]], run.shape(name))
    repulsion, drift = _repulsion(found, noise), _drift(found, noise)
    far = repulsion < FELT
    verdict = TOO_LITTLE if far else index.verdict
    last = found.levels[used[-1]]
    surmise = None if drift < LEVEL else measure_values(name, last, run.shape(name)).ks_wigner
    test = DysonTest(
        name, index, verdict, levels, bulk, outliers, repulsion, drift,
        tuple(_remarks(index, repulsion, drift, _persistent(found, noise))),
        _gap(run, name, start, found, noise),
        surmise.pvalue if surmise else None,
    )  # fmt: skip
    return test, noise


def _gap(run: Run, name: str, start: int, found: Recorded, noise: NoiseSquares) -> GapDrift | None:
    if memory(found, noise) > _REMEMBERS:  # a single update is not what diffuses
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
    squares = [noise for noise in squares if len(noise.alone) == max(blocks)]
    mixed, alone = (
        np.sum([part.sum(axis=(1, 2)) for part in parts], axis=0)
        for parts in ([n.mixed for n in squares], [n.alone for n in squares])
    )
    index = ratio(mixed, alone, float(sum(n.updates * n.pairs.sum() for n in squares)))
    one, zero = chance_of(mixed, alone, 1.0), chance_of(mixed, alone, NONE, above=True)
    power = power_of(mixed, alone)
    felt = np.hypot.reduce([test.repulsion for test in tests.values()]) >= FELT
    levels = min(min(test.pvalue_levels for test in tests.values()) * len(tests), 1.0)
    verdict = verdict_of(index, one, zero, power, levels) if felt else TOO_LITTLE
    return DysonTests(index, one, zero, power, verdict, tests, refused)


def _parts(
    noise: NoiseSquares, s: Floats, shape: tuple[int, int]
) -> tuple[Estimate | None, Estimate | None]:
    """Index of the pairs inside the bulk, and of those with an outlier."""
    if s.size < _FOR_BULK:
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


def memory(found: Recorded, noise: NoiseSquares) -> float:
    """Variance of the sum of a burst over that of its steps: above 1 where steps remember.

    Sums of eight updates see a momentum of 0.9 by half, which makes repulsion look smaller.
    """
    half = found.bursts[0].shape[2] // 2
    longest = max(map(len, found.bursts))
    sums = np.array([b[:, :, half].sum(axis=0) for b in found.bursts if len(b) == longest])
    moving = [i for i in range(sums.shape[1]) if i not in noise.null]
    if len(sums) < 8:
        return 1.0
    # drift varies slowly from burst to burst, noise does not
    variance = np.sum(np.diff(sums[:, moving], axis=0) ** 2, axis=0) / (2 * (len(sums) - 1))
    return float(max(np.median(variance / (longest * noise.diffusion[moving])), 1.0))


def _repulsion(found: Recorded, noise: NoiseSquares) -> float:
    """A gap S is pushed by g^2/S an update, and diffuses by 2 g^2."""
    gap = -np.diff(found.levels[np.concatenate(found.records)], axis=1)
    g2 = memory(found, noise) * (noise.diffusion[1:] + noise.diffusion[:-1]) / 2
    near = np.mean(1 / np.maximum(gap**2, _CLEAR**2 * g2 + 1e-300), axis=0)
    return float(np.sqrt(found.span * np.sum(np.where(noise.pairs[:-1, 0], g2 * near / 2, 0.0))))


def _drift(found: Recorded, noise: NoiseSquares) -> float:
    """Squared ways of the levels over the run, in units of what free diffusion makes of them."""
    used = np.concatenate(found.records)
    moving = [i for i in range(len(noise.diffusion)) if i not in noise.null]
    way = (found.levels[used[-1]] - found.levels[used[0]])[moving]
    spread = memory(found, noise) * noise.diffusion[moving] * found.span
    return float(chi2.sf(np.sum(way**2 / spread), len(moving)))


def _persistent(found: Recorded, noise: NoiseSquares) -> float | None:
    """Gap in units of the way of one memory, where steps remember and levels are near."""
    lasts = memory(found, noise)
    gap = -np.diff(found.levels[np.concatenate(found.records)], axis=1)
    pairs = noise.pairs[:-1, 0]
    if lasts < _REMEMBERS or not pairs.any():
        return None
    way = lasts * np.sqrt((noise.diffusion[1:] + noise.diffusion[:-1]) / 2)
    ratio = float(np.median(gap[:, pairs] / way[pairs]))
    return ratio if ratio < _CLEAR else None


def _remarks(
    index: DysonIndex, repulsion: float, drift: float, persistent: float | None
) -> list[str]:
    remarks = []
    if persistent is not None:
        remarks.append(
            f"Steps persist, and levels lie within {persistent:.1f} times the way that one memory"
            " takes them: the index comes out low."
        )
    if index.null:
        remarks.append(f"{_levels(index.null)} left out: it does not move with the others.")
    if index.alternating:
        remarks.append(
            f"{_levels(index.alternating)} left out: steps alternate in sign, as at the edge of"
            " stability."
        )
    if index.pvalue_levels < LEVEL:
        low, high = (pick(_numbered(index), key=lambda x: x[1].value) for pick in (min, max))
        remarks.append(
            f"Levels differ: the index is {low[1]} of level {low[0]} and {high[1]} of level"
            f" {high[0]}; all are 1 with p = {index.pvalue_levels:.2g}."
        )
    if index.correlation is not None:
        remarks.append(
            f"Steps alternate: each is correlated with the next by {index.correlation:.2f}, as near"
            " the edge of stability."
        )
    if repulsion < FELT:
        remarks.append(
            f"Levels lie too far apart: over this run repulsion moves their gaps by {repulsion:.2g}"
            " standard errors of what noise does."
        )
    if drift < LEVEL:
        remarks.append(
            f"Levels drift: diffusion alone takes them so far with p = {drift:.2g}. The index is of"
            " the noise beside the drift."
        )
    if index.change is not None and index.change < LEVEL:
        remarks.append(f"The index changed during the run (p = {index.change:.2g}).")
    return remarks


def _numbered(index: DysonIndex) -> list[tuple[int, Estimate]]:
    return [(i, e) for i, e in enumerate(index.of_level, 1) if e is not None]


def _levels(places: tuple[int, ...]) -> str:
    shown = ", ".join(str(place + 1) for place in places[:6])
    more = f" and {len(places) - 6} more" if len(places) > 6 else ""
    return f"Level{'s' if len(places) > 1 else ''} {shown}{more} of the largest first"
