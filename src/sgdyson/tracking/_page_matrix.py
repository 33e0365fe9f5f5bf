"""What the page draws of one matrix: its spectra over time, levels, outliers, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..laws import MarchenkoPasturSingular
from ..spectra import MatrixSpectrum
from ._page_emergence import drawn_emergence
from ._page_numbers import plain, spread
from ._run import Run

_LEVELS, _CURVE, _LARGEST = 24, 60, 8
_FEWEST_BINS, _BINS, _MOST_BINS = 8, 40, 240  # of the bulk, of it at the most, of all
_FAR, _MOST_INSIDE = 3.0, 0.9  # an axis of levels ends at three times the largest but a tenth
_SPECTRA, _NUMBERS = 3000, 400_000  # of a page: as many as are measured and drawn in seconds


@dataclass(frozen=True)
class Detail:
    """How much is drawn of each matrix, less of many.

    Attributes:
        records: spectra over time.
        times: points of a level's trajectory.
    """

    records: int
    times: int


def detail_of(matrices: int) -> Detail:
    """So much that the page of any network is measured, and opens, within seconds."""
    return Detail(
        int(np.clip(_SPECTRA // max(matrices, 1), 10, 40)),
        int(np.clip(_NUMBERS // (2 * _LEVELS * max(matrices, 1)), 40, 400)),
    )


def drawn_matrix(
    run: Run, name: str, spectra: Sequence[MatrixSpectrum], chosen: NDArray[np.intp], times: int
) -> dict[str, Any]:
    """Plain values for `run.js`.

    Args:
        run: as it is read.
        name: of the matrix.
        spectra: of the records that are drawn.
        chosen: which these are.
        times: points of a trajectory.
    """
    at = spread(len(run.steps), times)
    s = run.values(name)
    bulk = spectra[-1].bulk
    outliers = bulk.outliers if bulk and bulk.is_noise else 0
    inside = spread(s.shape[1] - outliers, _LEVELS)
    shown = np.concatenate([np.arange(outliers), outliers + inside])[: 2 * _LEVELS]
    largest = max(float(spectrum.spectral) for spectrum in spectra)
    end = _end(spectra, largest)
    bins, curves = _bins(spectra, end), dict[tuple[int, int], int]()
    drawn = {
        "name": name, "shape": list(run.shape(name)), "outliers": outliers,
        "times": run.steps[at].tolist(), "shown": shown.tolist(),
        "levels": plain(s[at][:, shown].T), "largest": largest, "end": end,
        "records": [
            _record(int(step), spectrum, end, bins, curves)
            for step, spectrum in zip(run.steps[chosen], spectra, strict=True)
        ],
        "curves": [_curve(shape) for shape in curves],
        "emergence": drawn_emergence(run, name, spectra, chosen.tolist()),
    }  # fmt: skip
    pairs = run.gradient_noise(name)
    if pairs is not None:
        drawn["signal"], drawn["noise"] = (plain(column[at]) for column in pairs.T)
    return drawn


def _end(spectra: Sequence[MatrixSpectrum], largest: float) -> float:
    """Where an axis of all levels ends: an outlier far out would squeeze all others to a line."""
    levels = (spectrum.singular_values for spectrum in spectra)
    positive = [np.sort(s[s > 0]) for s in levels]
    inner = max((s[int(_MOST_INSIDE * (len(s) - 1))] for s in positive if len(s)), default=largest)
    return min(largest, _FAR * float(inner))


def _bins(spectra: Sequence[MatrixSpectrum], end: float) -> int:
    """As many that the bulk has some levels in each, up to the end of the axis."""
    last = spectra[-1]
    edge = last.bulk.edge.value if last.bulk and last.bulk.is_noise else end
    inside = np.clip(1.5 * len(last.singular_values) ** 0.5, _FEWEST_BINS, _BINS)
    return int(np.clip(inside * end / edge, inside, _MOST_BINS))


def _record(
    step: int,
    spectrum: MatrixSpectrum,
    end: float,
    bins: int,
    curves: dict[tuple[int, int], int],
) -> dict[str, Any]:
    row, bulk, s = spectrum.to_row(), spectrum.bulk, spectrum.singular_values
    law = None
    if bulk is not None and bulk.is_noise:
        few, many = sorted(bulk.shape)
        # beside a histogram of all levels, the law of the bulk has the mass of the bulk
        mass = (spectrum.rank - bulk.outliers) / len(s)
        law = [curves.setdefault((few, many), len(curves)), bulk.sigma.value * many**0.5, mass]
    # the largest level is the end of the axis, and rounding is not to lose it
    counts = np.histogram(s, bins, (0.0, end * (1 + 1e-9)))[0]
    return {
        "step": step, "counts": counts.tolist(), "beyond": len(s) - int(counts.sum()),
        "top": plain(s[:_LARGEST]), "law": law,
        "threshold": row["threshold"], "outliers": row["outliers"], "sigma": row["sigma"],
        "ratio": row["mean_ratio"], "ratio_error": row["mean_ratio_error"],
    }  # fmt: skip


def _curve(shape: tuple[int, int]) -> list[Any]:
    """Marchenko and Pastur's law of singular values, in units of sigma sqrt(M)."""
    law = MarchenkoPasturSingular(shape[0] / shape[1])
    x = np.linspace(*law.edges, _CURVE)
    return [plain(x), plain(law.pdf(x))]
