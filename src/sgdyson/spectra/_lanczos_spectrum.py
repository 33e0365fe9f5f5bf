"""The spectrum of a large matrix by block Lanczos: what it gives, each number with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .._types import Floats
from ..stats import Estimate
from ._blocks import Matrix, row_blocks
from ._bulk import Bulk, bulk_of_sums, highest_noise, median_level
from ._krylov import BlockLanczos, Quadrature
from ._spectral_measure import SpectralMeasure

LEAST_SIZE = 1024  # singular values, below which an exact spectrum takes a second
VECTORS, _STEPS, _MORE, MOST_STEPS = 16, 25, 10, 100
_RESOLVED = 1e-5  # of the largest level: half of it, of the largest singular value
_ZERO = 1e-6  # of the largest level: rounding of float32
_EPS = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class LanczosNumbers:
    """What Lanczos gives of a matrix.

    Attributes:
        measure: of the levels.
        bulk: as `fit_bulk` gives it, but its distance, which is not known.
        resolved: whether everything that stands above the bulk is known.
        spectral: largest singular value.
        frobenius: norm, exact.
        effective_rank: with the error of the vectors.
        rank: with what levels near zero leave open.
    """

    measure: SpectralMeasure
    bulk: Bulk
    resolved: bool
    spectral: Estimate
    frobenius: float
    effective_rank: Estimate
    rank: Estimate


def lanczos_numbers(
    live: Matrix, false_alarm: float, kurtosis: float | None, seed: int = 0
) -> LanczosNumbers:
    """Numbers of a matrix without rows or columns of zeros.

    Steps are taken until all that stands above the bulk of noise is resolved, or 100 of them.
    """
    shape = (live.shape[0], live.shape[1])
    square = sum(float(np.vdot(block, block)) for block in row_blocks(live))
    iteration = BlockLanczos(live, VECTORS, seed)
    iteration.go_on(_STEPS)
    while True:
        fine = iteration.quadrature()
        measure = _measure(iteration, fine, square)
        outliers, resolved = _outliers(measure, shape, false_alarm)
        if resolved or iteration.exhausted or iteration.steps >= MOST_STEPS:
            break
        iteration.go_on(_MORE)
    above = measure.top[:outliers]
    squares = measure.total(np.square) - float(np.sum(above**2))
    sums = max(square - float(above.sum()), 0.0), squares
    bulk = bulk_of_sums(shape, false_alarm, outliers, sums, kurtosis)
    return LanczosNumbers(
        measure, bulk, resolved, _spectral(fine), math.sqrt(square), _effective_rank(measure),
        _rank(measure, fine),
    )  # fmt: skip


def _measure(iteration: BlockLanczos, nodes: Quadrature, square: float) -> SpectralMeasure:
    """Nodes that have settled are levels; the others stand for what is between."""
    settled = nodes.residuals <= _RESOLVED * nodes.levels[0]
    # up to the first that has not settled: beyond it a level may be missing among the nodes
    known = len(settled) if settled.all() else int(np.argmin(settled))
    known = min(known, int(np.sum(nodes.levels > _ZERO * nodes.levels[0])))
    half = iteration.quadrature(max(iteration.steps // 2, 1))
    return SpectralMeasure(
        size=iteration.size, vectors=iteration.block, top=nodes.levels[:known],
        trace=max(square - float(nodes.levels[:known].sum()), 0.0),
        levels=nodes.levels[known:], weights=nodes.weights[known:],
        top_weights=nodes.weights[:known],
        coarse_levels=half.levels, coarse_weights=half.weights,
    )  # fmt: skip


def _outliers(
    measure: SpectralMeasure, shape: tuple[int, int], false_alarm: float
) -> tuple[int, bool]:
    """Levels above the noise, as `fit_bulk` counts them, and whether all of them are known."""
    n, m = sorted(shape)
    top, levels = highest_noise(n, m, false_alarm), measure.top
    total = measure.trace + float(levels.sum())
    variance, seen = measure.median() / (m * median_level(n / m)), set[int]()
    outliers = int(np.sum(levels > top * variance))
    while outliers not in seen:
        seen.add(outliers)
        left = max(total - float(levels[:outliers].sum()), 0.0)
        variance = left / ((m - outliers) * (n - outliers))
        outliers = int(np.sum(levels > top * variance))
    beyond = bool(len(measure.levels)) and measure.levels[0] > top * variance
    return outliers, not beyond


def _spectral(fine: Quadrature) -> Estimate:
    """A node is off its level by its residual at the most, and by the rounding of float32."""
    value = math.sqrt(fine.levels[0])
    error = min(fine.residuals[0], fine.levels[0]) / (2 * value) + 4 * _EPS * value
    return Estimate(value, error, float(VECTORS))


def _effective_rank(measure: SpectralMeasure) -> Estimate:
    """Exp of the entropy of s/sum(s), its error by the derivative of both sums together."""
    first = measure.total(np.sqrt).value
    second = measure.total(_s_ln_s).value
    entropy = math.log(first) - second / first
    change = measure.total(
        lambda x: np.sqrt(x) * (1 / first + second / first**2) - _s_ln_s(x) / first
    )
    rank = math.exp(entropy)
    return Estimate(rank, rank * change.error, float(measure.vectors))


def _s_ln_s(x: Floats) -> Floats:
    s = np.sqrt(x)
    return s * np.log(np.where(s > 0, s, 1.0))


def _rank(measure: SpectralMeasure, fine: Quadrature) -> Estimate:
    """Levels that float32 tells from zero; if all, the last node bounds what may be zero yet."""
    cut = _ZERO * fine.levels[0]
    positive = measure.total(lambda x: (x > cut).astype(np.float64))
    if fine.levels[-1] > cut:
        return Estimate(float(measure.size), measure.size * float(fine.weights[-1]), 1.0)
    return positive
