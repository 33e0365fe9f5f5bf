"""The linear scaling rule among several histories."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from ..stats import LineFit, fit_line
from ._summary import Summary


@dataclass(frozen=True)
class ScalingLine:
    r"""$\langle S \rangle$ of one multiplet against $\sqrt{\alpha/|B|}$, through the origin.

    Attributes:
        matrix: its name, where the model has several.
        indices: of the multiplet.
        noise: of the labels, where known; settings of other noise are another line.
        points: the summaries on it.
        variable: sqrt(alpha/|B|) of each.
        spacing: <S> of each.
        spacing_error: one standard error.
        line: the fit.
    """

    matrix: str | None
    indices: tuple[int, ...]
    noise: float | None
    points: tuple[Summary, ...]
    variable: np.ndarray
    spacing: np.ndarray
    spacing_error: np.ndarray
    line: LineFit

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        slope = self.line.slope
        return {
            "matrix": self.matrix, "indices": list(self.indices), "noise": self.noise,
            "sources": [point.source for point in self.points],
            "variable": self.variable.tolist(), "mean_spacing": self.spacing.tolist(),
            "error": self.spacing_error.tolist(),
            "slope": {"value": slope.value, "error": slope.error},
            "chi2": self.line.chi2, "dof": self.line.dof, "pvalue": self.line.pvalue,
        }  # fmt: skip


def scaling_lines(summaries: Sequence[Summary]) -> list[ScalingLine]:
    """A line for every matrix, multiplet and noise with at least two values of alpha/|B|."""
    found = sorted(_points(summaries), key=lambda point: point[0])
    lines = []
    for (matrix, indices, noise), group in groupby(found, key=lambda point: point[0]):
        members = [(summary, x, y, e) for _, summary, x, y, e in group]
        x, y, error = (np.array([m[i] for m in members]) for i in (1, 2, 3))
        if len(np.unique(x)) > 1 and (error > 0).all():
            line = fit_line(x, y, error, through_origin=True)
            points = tuple(m[0] for m in members)
            known = None if noise < 0 else noise
            lines.append(ScalingLine(matrix or None, indices, known, points, x, y, error, line))
    return lines


def _points(
    summaries: Sequence[Summary],
) -> Iterator[tuple[tuple[str, tuple[int, ...], float], Summary, float, float, float]]:
    for summary in summaries:
        rate, batch = summary.learning_rate, summary.batch_size
        if rate is None or batch is None or not math.isfinite(batch) or batch <= 0:
            continue
        noise = -1.0 if summary.noise is None else summary.noise
        for part in summary.multiplets:
            if part.mean_spacing:
                spacing = part.mean_spacing
                x = math.sqrt(rate / batch)
                key = (summary.matrix or "", part.indices, noise)
                yield key, summary, x, spacing.value, spacing.error
