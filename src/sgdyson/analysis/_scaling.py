r"""The linear scaling rule: <S> against a scaling variable, a straight line through the origin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from .._types import Floats
from ..stats import Estimate, LineFit, covariance_over_replicas, fit_line
from ._measure import MeasuredRun
from ._summary import Summary

_OFF = 0.01  # p-value of a line that its points do not follow
_QUENCHED = (
    "the points are off one line, as all replicas of a setting share the inputs of one data set,"
    " which moves its <S> by up to some 14 %; errors are those at fixed inputs"
)


@dataclass(frozen=True, eq=False)
class ScalingLine:
    r"""Mean spacings against a scaling variable, and the straight line through the origin.

    Attributes:
        variable: $\sqrt{\alpha/|B|}$, or what a model makes of it.
        spacing: <S>.
        spacing_error: one standard error.
        line: the fit.
    """

    variable: Floats
    spacing: Floats
    spacing_error: Floats
    line: LineFit


@dataclass(frozen=True, eq=False)
class Scaling(ScalingLine):
    r"""Points of the scaling plot of a model, one a pair and run, and the lines through them.

    The variable is u = <S>/sqrt(2 pi), <S> of the leading order, which is $\sqrt{(\alpha/|B|)
    \kappa^2 \Omega}$ for independent mini-batches and small alpha.

    Attributes:
        width: sqrt(pi) sigma of the fitted pair density.
        width_error: one standard error.
        limit: <S>/u against alpha/|B|, one line for each mode; its intercept is the slope of the
            rule where alpha/|B| vanishes.
    """

    width: Floats
    width_error: Floats
    limit: list[LineFit]


@dataclass(frozen=True, eq=False)
class HistoryScaling(ScalingLine):
    r"""One multiplet of several histories, against $\sqrt{\alpha/|B|}$.

    Attributes:
        matrix: its name, where the model has several.
        indices: indices of the multiplet.
        label_noise: epsilon of the labels, where known; settings of other noise are another line.
        points: the summaries on it.
    """

    matrix: str | None
    indices: tuple[int, ...]
    label_noise: float | None
    points: tuple[Summary, ...] = field(repr=False)

    @property
    def note(self) -> str:
        """Why the points are off the line, where that is known; else empty."""
        quenched = any(point.shared_inputs for point in self.points)
        return _QUENCHED if quenched and self.line.pvalue < _OFF else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        slope = self.line.slope
        return {
            "matrix": self.matrix, "indices": list(self.indices), "label_noise": self.label_noise,
            "sources": [point.source for point in self.points],
            "variable": self.variable.tolist(), "mean_spacing": self.spacing.tolist(),
            "error": self.spacing_error.tolist(),
            "slope": {"value": slope.value, "error": slope.error},
            "chi2": self.line.chi2, "dof": self.line.dof, "pvalue": self.line.pvalue,
            "note": self.note,
        }  # fmt: skip


def scaling(runs: Sequence[MeasuredRun]) -> Scaling:
    """Fit the linear scaling rule to runs of one model at several alpha and |B|.

    Pairs of one run share its replicas: the covariance of their mean spacings is block diagonal.

    Examples:
        The mean spacing grows as sqrt(alpha/|B|):

        >>> from sgdyson import TeacherStudent, simulate
        >>> from sgdyson.analysis import measure
        >>> student = TeacherStudent([2.0, 2.0])
        >>> runs = [
        ...     measure(f"alpha = {rate}", simulate(
        ...         student, learning_rate=rate, batch_size=64, replicas=128, updates=200,
        ...         record_every=100, seed=1, progress=False), student, burn_in=100)
        ...     for rate in (0.05, 0.1, 0.2)
        ... ]
        >>> line = scaling(runs)
        >>> len(line.variable), bool(line.line.pvalue > 0.001)
        (3, True)
    """
    measured = [pair for run in runs for pair in run.pairs]
    spacing, spacing_error = _columns([pair.pair.mean for pair in measured if pair.pair])
    width, width_error = _columns([pair.width for pair in measured])
    variable = np.array([pair.leading_spacing for pair in measured]) / np.sqrt(2 * np.pi)
    blocks = [covariance_over_replicas(_replica_spacings(run)) for run in runs]
    return Scaling(
        variable=variable,
        spacing=spacing,
        spacing_error=spacing_error,
        line=fit_line(variable, spacing, covariance=_block_diagonal(blocks), through_origin=True),
        width=np.sqrt(np.pi) * width,
        width_error=np.sqrt(np.pi) * width_error,
        limit=[_limit(runs, mode) for mode in range(len(runs[0].pairs))],
    )


def scaling_lines(summaries: Sequence[Summary]) -> list[HistoryScaling]:
    """A line for every matrix, multiplet and noise with at least two values of alpha/|B|."""
    # sorted, since groupby joins neighbours alone
    points = sorted(_points(summaries), key=lambda point: point.key)
    lines = []
    for (matrix, indices, label_noise), group in groupby(points, key=lambda point: point.key):
        members = list(group)
        variable = np.array([point.variable for point in members])
        spacing, error = _columns([point.spacing for point in members])
        if len(np.unique(variable)) > 1 and (error > 0).all():
            line = fit_line(variable, spacing, error, through_origin=True)
            known = None if label_noise < 0 else label_noise
            origin = tuple(point.summary for point in members)
            lines.append(HistoryScaling(
                variable, spacing, error, line, matrix or None, indices, known, origin
            ))  # fmt: skip
    return lines


def _columns(estimates: Sequence[Estimate]) -> tuple[Floats, Floats]:
    return np.array([e.value for e in estimates]), np.array([e.error for e in estimates])


def _limit(runs: Sequence[MeasuredRun], mode: int) -> LineFit:
    """<S>/u = intercept + slope alpha/|B| of one mode, weighted by errors and by theory's order."""
    parts = [run.pairs[mode] for run in runs]
    scale = [np.sqrt(2 * np.pi) / compared.leading_spacing for compared in parts]
    points = [
        compared.pair.mean * unit
        for compared, unit in zip(parts, scale, strict=True)
        if compared.pair
    ]
    # the line is the first correction; the second is of the order of its square
    leading = [
        run.prediction.leading.next_order[compared.indices[0]]
        for run, compared in zip(runs, parts, strict=True)
    ]
    second = [np.sqrt(2 * np.pi) * size**2 for size in leading]
    errors = [np.hypot(point.error, size) for point, size in zip(points, second, strict=True)]
    return fit_line([run.ratio for run in runs], [point.value for point in points], errors)


def _replica_spacings(run: MeasuredRun) -> Floats:
    return np.stack([multiplet.pair.spacing for multiplet in run.pairs if multiplet.pair], axis=2)


def _block_diagonal(blocks: list[Floats]) -> Floats:
    size = sum(len(block) for block in blocks)
    matrix = np.zeros((size, size))
    first = 0
    for block in blocks:
        matrix[first : first + len(block), first : first + len(block)] = block
        first += len(block)
    return matrix


class _Point(NamedTuple):
    key: tuple[str, tuple[int, ...], float]
    summary: Summary
    variable: float
    spacing: Estimate


def _points(summaries: Sequence[Summary]) -> Iterator[_Point]:
    for summary in summaries:
        rate, batch = summary.learning_rate, summary.batch_size
        if rate is None or batch is None or not math.isfinite(batch) or batch <= 0:
            continue
        # a number that no noise has, for None does not sort
        label_noise = -1.0 if summary.label_noise is None else summary.label_noise
        for multiplet in summary.multiplets:
            if multiplet.mean_spacing:
                key = (summary.matrix or "", multiplet.indices, label_noise)
                yield _Point(key, summary, math.sqrt(rate / batch), multiplet.mean_spacing)
