r"""The linear scaling rule: <S> of every run and pair against its scaling variable."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..stats import LineFit, covariance_over_replicas, fit_line
from ._measure import MeasuredRun

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    r"""Points of the scaling plot, one a pair and run, and the lines through them.

    Attributes:
        variable: u = <S> predicted / sqrt(2 pi), which is $\sqrt{(\alpha/|B|) \kappa^2 \Omega}$
            for independent mini-batches.
        spacing: <S>, and its error.
        spacing_error: one standard error.
        width: sqrt(pi) sigma of the fitted pair density.
        width_error: one standard error.
        line: straight line through the origin of all points.
        limit: <S>/u against alpha/|B|, one line for each mode; its intercept is the slope of the
            rule where alpha/|B| vanishes.
    """

    variable: Floats
    spacing: Floats
    spacing_error: Floats
    width: Floats
    width_error: Floats
    line: LineFit
    limit: list[LineFit]


def scaling(runs: list[MeasuredRun]) -> Scaling:
    """Fit the linear scaling rule to runs of one model at several alpha and |B|.

    Pairs of one run share its replicas: the covariance of their mean spacings is block diagonal.
    """
    blocks = [covariance_over_replicas(_replica_spacings(run)) for run in runs]
    pairs = [[part.pair for part in run.pairs if part.pair] for run in runs]
    fits = [[part.fit for part in run.pairs if part.fit] for run in runs]
    spacing = np.array([pair.mean.value for run in pairs for pair in run])
    variable = np.array([pair.predicted_mean for run in pairs for pair in run]) / np.sqrt(2 * np.pi)
    return Scaling(
        variable=variable,
        spacing=spacing,
        spacing_error=np.array([pair.mean.error for run in pairs for pair in run]),
        width=np.sqrt(np.pi) * np.array([fit.width.value for run in fits for fit in run]),
        width_error=np.sqrt(np.pi) * np.array([fit.width.error for run in fits for fit in run]),
        line=fit_line(variable, spacing, covariance=_block_diagonal(blocks), through_origin=True),
        limit=[_limit(runs, mode) for mode in range(len(pairs[0]))],
    )


def _limit(runs: list[MeasuredRun], mode: int) -> LineFit:
    """<S>/u = intercept + slope alpha/|B| of one mode, weighted by errors and by theory's order."""
    pairs = [run.pairs[mode].pair for run in runs]
    scale = [np.sqrt(2 * np.pi) / pair.predicted_mean for pair in pairs if pair]
    points = [pair.mean * factor for pair, factor in zip(pairs, scale, strict=True) if pair]
    # the line is the first correction; the second is of the order of its square
    second = [np.sqrt(2 * np.pi) * run.pairs[mode].next_order ** 2 for run in runs]
    errors = [np.hypot(point.error, part) for point, part in zip(points, second, strict=True)]
    return fit_line([run.ratio for run in runs], [point.value for point in points], errors)


def _replica_spacings(run: MeasuredRun) -> Floats:
    return np.stack([part.pair.spacing for part in run.pairs if part.pair], axis=2)


def _block_diagonal(blocks: list[Floats]) -> Floats:
    size = sum(len(block) for block in blocks)
    matrix = np.zeros((size, size))
    first = 0
    for block in blocks:
        matrix[first : first + len(block), first : first + len(block)] = block
        first += len(block)
    return matrix
