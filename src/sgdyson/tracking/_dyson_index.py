r"""The Dyson index of noise: how much levels are mixed by it, beside how much they are moved.

For independent entries of variance $g^2$, real or complex, the index is their beta, 1 or 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from .._types import Floats
from ..errors import require
from ..stats import Estimate
from ._noise_squares import NoiseSquares, noise_squares

Flags = NDArray[np.bool_]
Bursts = NDArray[np.inexact] | Sequence[NDArray[np.inexact]]
LEVEL = 0.01  # of a test
NONE = 0.05  # of repulsion: an index up to here is told from 0 by nothing that matters
POWER = 0.9
DYSON, NO_REPULSION = "Dyson Brownian motion", "levels do not repel"
NEITHER, TOO_LITTLE = "neither", "too little to tell"
_FEWEST = 3


@dataclass(frozen=True)
class DysonIndex:
    r"""$\beta_\mathrm{dyn}$ of the noise of a matrix, and what can be said of it.

    $\beta_\mathrm{dyn} = 2\,\mathrm{Var}\frac{a_{ij} + a_{ji}}{2} \big/
    \tfrac12(\mathrm{Var}\,a_{ii} + \mathrm{Var}\,a_{jj})$ over pairs of near levels: 1 of real
    independent entries, 2 of complex ones, 0 of levels that do not repel.

    Attributes:
        index: its value, over all pairs; the effective size is the number of squares.
        pvalue_one: chance of a value so far from 1, if 1 is true.
        pvalue_zero: chance of a value so large, if it is 0.05, for all purposes 0.
        pvalue_levels: chance that some level differs so much from 1, if 1 is true of all: an index
            of 1 on average is not yet Dyson Brownian motion.
        power: chance with which this test tells 1 from 0, at a false-alarm rate of 1 %.
        verdict: "Dyson Brownian motion" (index 1, or within 0.05 of it, and that of each level 1 or
            within 0.1 of it), "levels do not repel", "neither", or "too little to tell" (power
            below 0.9).
        of_level: of each level with its neighbours; None where it is left out.
        null: levels, from the largest, that do not move: left out.
        alternating: levels whose steps alternate, as at the edge of stability: left out.
        diffusion: (level,) variance of a_ii, per update.
        updates: how many were measured.
        change: chance of so much change from the first half of the run to the second, if there is
            none; None of a few blocks.
        correlation: of a step with the next, where steps alternate so much that it must be told.
    """

    index: Estimate
    pvalue_one: float
    pvalue_zero: float
    pvalue_levels: float
    power: float
    verdict: str
    of_level: tuple[Estimate | None, ...]
    null: tuple[int, ...]
    alternating: tuple[int, ...]
    diffusion: Floats
    updates: int
    change: float | None
    correlation: float | None


def dyson_index(
    steps: Bursts, scale: float = 0.0, pairs: NDArray[np.bool_] | None = None
) -> DysonIndex:
    """Measure it from the steps of levels.

    Args:
        steps: (burst, step, level, k + 1), `level_steps` of consecutive updates in bursts; or a
            list of bursts of several lengths. The mean of each burst, a drift, is left out; of
            bursts of one step it is taken as zero beside the diagonal.
        scale: of the levels, below whose rounding nothing is noise.
        pairs: (level, k/2), which pairs of a level and one below it are used; all by default.

    Raises:
        InvalidInputError: no noise, or fewer than three steps beside the means of bursts.

    Examples:
        >>> import numpy as np
        >>> random = np.random.default_rng(0)
        >>> dW = random.standard_normal((50, 8, 9, 9))
        >>> band = np.stack([np.pad(dW.diagonal(d, 2, 3), [(0, 0), (0, 0), (max(-d, 0), max(d, 0))])
        ...                  for d in range(-2, 3)], axis=3)
        >>> dyson_index(band).verdict
        'Dyson Brownian motion'
    """
    return index_of(noise_squares([np.asarray(burst) for burst in steps], scale), pairs)


def index_of(noise: NoiseSquares, chosen: NDArray[np.bool_] | None = None) -> DysonIndex:
    """The index of the pairs that are chosen, all by default.

    Raises:
        InvalidInputError: too few of them.
    """
    pairs = noise.pairs if chosen is None else noise.pairs & chosen
    blocks = len(noise.alone)
    require(
        bool(pairs.any()),
        "no two levels near each other are left: "
        f"{len(noise.null)} do not move, {len(noise.alternating)} alternate.",
    )
    require(blocks >= _FEWEST, f"{blocks} steps of levels beside their mean are too few; record"
                               " longer.")  # fmt: skip
    mixed, alone = (np.where(pairs, x, 0.0).sum(axis=(1, 2)) for x in (noise.mixed, noise.alone))
    index = ratio(mixed, alone, noise.updates * int(pairs.sum()))
    one, power = chance_of(mixed, alone, 1.0), power_of(mixed, alone)
    zero = chance_of(mixed, alone, NONE, above=True)
    levels, chance = _of_levels(noise, pairs)
    return DysonIndex(
        index, one, zero, chance, power, verdict_of(index, one, zero, power, chance),
        tuple(levels), noise.null, noise.alternating, noise.diffusion, noise.updates,
        _change(mixed, alone), noise.correlation,
    )  # fmt: skip


def ratio(mixed: Floats, alone: Floats, size: float) -> Estimate:
    """Ratio of means, with the error of the blocks."""
    value = float(mixed.sum() / alone.sum())
    rest = mixed - value * alone
    error = float(np.sqrt(np.sum(rest**2) * len(rest) / (len(rest) - 1)) / alone.sum())
    return Estimate(value, error, size)


def chance_of(mixed: Floats, alone: Floats, value: float, *, above: bool = False) -> float:
    """P-value of the ratio being this value; one-sided where it could only lie above."""
    # of a ratio the difference is tested (Fieller): it is linear in the means, and its law is known
    rest = mixed - value * alone
    error = rest.std(ddof=1) / len(rest) ** 0.5
    t = rest.mean() / error if error > 0 else np.copysign(np.inf, rest.mean())
    tail = student.sf(t if above else abs(t), len(rest) - 1)
    return float(tail if above else 2 * tail)


def power_of(mixed: Floats, alone: Floats) -> float:
    """To tell 1 from 0, with the scatter that the squares have."""
    blocks = len(alone)
    # without mixing its scatter is not known, and taken to be that of the other squares
    known = (alone, mixed) if mixed.sum() > NONE * alone.sum() else (alone,)
    # relative scatters of both means, which are independent where the index is 1
    scatter = [x.std(ddof=1) / x.mean() for x in known]
    error = float(np.hypot(scatter[0], scatter[-1])) / blocks**0.5
    if error == 0:
        return 1.0
    return float(student.cdf((1 - NONE) / error - student.isf(LEVEL / 2, blocks - 1), blocks - 1))


def verdict_of(index: Estimate, one: float, zero: float, power: float, levels: float) -> str:
    """In words."""
    if power < POWER:
        return TOO_LITTLE
    if (one >= LEVEL or abs(index.value - 1) <= NONE) and levels >= LEVEL:
        return DYSON
    return NO_REPULSION if zero >= LEVEL else NEITHER


def _of_levels(noise: NoiseSquares, pairs: Flags) -> tuple[list[Estimate | None], float]:
    """The index from the pairs of each level, and the chance that none differs from 1."""
    mixed, alone = (_joined(np.where(pairs, x, 0.0)) for x in (noise.mixed, noise.alone))
    count = _joined(pairs[None].astype(float))[0]
    indices = [
        ratio(m, a, noise.updates * n) if n else None
        for m, a, n in zip(mixed.T, alone.T, count, strict=True)
    ]
    tested = [
        chance_of(mixed[:, i], alone[:, i], 1.0)
        for i, estimate in enumerate(indices)
        if estimate and abs(estimate.value - 1) > 2 * NONE
    ]
    return indices, float(min(min(tested, default=1.0) * (count > 0).sum(), 1.0))


def _joined(pairs: Floats) -> Floats:
    """(block, level): sum over the pairs of a level, above and below it."""
    sums = pairs.sum(axis=2)
    for d in range(1, pairs.shape[2] + 1):
        sums[:, d:] += pairs[:, :-d, d - 1]
    return np.asarray(sums)


def _change(mixed: Floats, alone: Floats) -> float | None:
    half = len(mixed) // 2
    if half < 4:
        return None
    first, second = (ratio(mixed[x], alone[x], 1.0) for x in (slice(half), slice(half, None)))
    error = float(np.hypot(first.error, second.error))
    if error == 0:
        return 1.0
    return float(2 * student.sf(abs(first.value - second.value) / error, len(mixed) - 2))
