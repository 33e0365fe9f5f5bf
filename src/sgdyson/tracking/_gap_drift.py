"""The repulsion of neighbours, measured: how a gap opens, against 1/S, without a free parameter."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import chi2

from .._types import Flags, Floats
from ..errors import InvalidInputError, require
from ..stats import Estimate, jackknife_of_means
from ._dynamics import coulomb_repulsion
from ._noise_squares import noise_squares
from ._recorded_steps import Recorded, recorded_steps
from ._run import Run

_CLEAR = 6.0  # steps to a neighbour or to zero, above which second order is all there is
_BINS, _BLOCKS, _FEWEST = 8, 20, 400
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class GapDrift:
    r"""How the gap S of neighbouring singular values opens in an update, beside what drift does.

    To first order a gap moves by $a_{ii} - a_{jj}$, drift and noise, which is known update by
    update and taken off. What is left is repulsion: of levels that diffuse by $g_i^2$,
    $(g_i^2 + g_j^2)/2S$ by each other, and what all others and zero do, see `coulomb_repulsion`.

    Attributes:
        gap: mean S of each bin.
        measured: opening per update, in each.
        predicted: by theory, with the measured diffusion of each level.
        ratio: slope of what was seen against what is predicted, without bins: 1 by theory.
        pvalue: chance of so large a chi^2 of all bins, if theory is true.
        used: share of the updates and pairs that are so far apart that second order holds.
    """

    gap: Floats
    measured: list[Estimate]
    predicted: Floats
    ratio: Estimate
    pvalue: float
    used: float


def gap_drift(run: xr.Dataset | Run, name: str, start: int = 0) -> GapDrift:
    """Measure it, of one matrix of a run tracked with dynamics=True.

    Under momentum, or Adam's, steps persist: then the ratio is that of single updates, and theory
    is right to a quarter only.

    Args:
        run: of `open_run`; updates count of which the records before and after are there.
        name: of the matrix.
        start: first step used.

    Raises:
        InvalidInputError: no such matrix, nothing recorded, at rest, without noise, or fewer than
            400 updates and pairs that are clear of each other.
    """
    run = Run(run)
    recorded = recorded_steps(run, name, start)
    try:
        noise = noise_squares(recorded.bursts, float(np.nanmax(recorded.levels)))
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}") from error
    rows, columns = run.shape(name)
    # about the mean of the run: what persists from step to step, as momentum, repels as well
    half = recorded.bursts[0].shape[2] // 2
    g2 = np.concatenate(recorded.bursts)[:, :, half].var(axis=0)
    g2[list(noise.null)] = 0.0
    gap, opened, force, clear = _openings(recorded, g2, abs(rows - columns), noise.pairs[:-1, 0])
    require(
        int(clear.sum()) >= _FEWEST,
        f"{name}: {clear.sum()} gaps were seen to open while wider than {_CLEAR:.0f} steps;"
        f" {_FEWEST} are needed.",
    )
    return _binned(gap, opened, force, clear)


def _openings(
    recorded: Recorded, g2: Floats, excess: int, pairs: Flags
) -> tuple[Floats, Floats, Floats, Flags]:
    """(update, pair) each: gap before, its opening beside first order, that predicted, flags."""
    records, known = np.concatenate(recorded.records), np.concatenate(recorded.known)
    first = np.concatenate(recorded.bursts)[known][:, :, recorded.bursts[0].shape[2] // 2]
    after, before = recorded.levels[records[known]], recorded.levels[records[known] - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        force = -np.diff(_repulsion(before, excess, g2), axis=1)
    step = np.sqrt(np.maximum(g2[1:], g2[:-1]))
    gap = -np.diff(before, axis=1)
    others = np.pad(gap, [(0, 0), (1, 1)], constant_values=np.inf)
    nearest = np.minimum(np.minimum(others[:, :-2], others[:, 2:]), gap)
    clear = pairs & (nearest > _CLEAR * step) & (before[:, 1:] > _CLEAR * step)
    return gap, -np.diff(after - before - first, axis=1), np.where(clear, force, 0.0), clear


def _repulsion(s: Floats, excess: int, g2: Floats) -> Floats:
    """A few times at once: all pairs of all levels would fill the memory."""
    parts = np.array_split(s, max(1, s.size * s.shape[1] // _AT_ONCE))
    return np.concatenate([coulomb_repulsion(block, excess, g2) for block in parts])


def _binned(gap: Floats, opened: Floats, force: Floats, clear: Flags) -> GapDrift:
    edges = np.quantile(gap[clear], np.linspace(0, 1, _BINS + 1))
    place = np.clip(np.searchsorted(edges, gap, "right") - 1, 0, _BINS - 1)
    blocks = np.array_split(np.arange(len(gap)), _BLOCKS)
    sums = np.array([
        [[np.sum(x[block] * (clear & (place == b))[block]) for b in range(_BINS)]
         for x in (np.ones_like(gap), gap, opened, force)]
        for block in blocks
    ])  # fmt: skip
    count, wide, _, theory = sums.sum(axis=0)
    measured, square = [], 0.0
    for b in range(_BINS):
        bin_sums = sums[:, :, b]
        measured.append(jackknife_of_means(lambda m: m[..., 2] / m[..., 0], bin_sums))
        # what was seen less what is predicted for the same gaps: their scatter drops out
        rest = jackknife_of_means(lambda m: (m[..., 2] - m[..., 3]) / m[..., 0], bin_sums)
        square += (rest.value / rest.error) ** 2
    slopes = [[np.sum((x * force * clear)[block]) for x in (opened, force)] for block in blocks]
    ratio = jackknife_of_means(lambda m: m[..., 0] / m[..., 1], np.array(slopes))
    # errors are measured with 19 degrees of freedom
    chance = float(chi2.sf(square * (1 - 2 / (_BLOCKS - 1)), _BINS))
    return GapDrift(wide / count, measured, theory / count, ratio, chance, float(clear.mean()))
