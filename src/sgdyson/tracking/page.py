"""From a tracked run to its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .._version import __version__
from ..errors import InvalidInputError, require
from ..spectra import MatrixSpectrum, measure_values, with_tail
from ..stats import Estimate
from ._advice import advise
from ._page_emergence import drawn_emergence
from ._rows import row_of
from ._run import Run
from ._run_page import write_run_page

_RECORDS, _TIMES, _LEVELS, _CURVE = 40, 400, 24, 80
_COLUMNS = {
    "name": "matrix", "shape": "shape", "outliers": "outliers", "spectral": "largest",
    "edge": "edge", "sigma": "σ", "mp_distance": "MP distance", "bulk_pvalue": "bulk p",
    "mean_ratio": "⟨r⟩",
    "ks_pvalue": "surmise p", "stable_rank": "stable rank", "effective_rank": "effective rank",
    "dyson_index": "Dyson index", "dyson_p_one": "p against 1", "dyson_p_zero": "p against 0",
    "dyson_verdict": "motion of levels",
    "tail_exponent": "tail exponent", "tail_pvalue": "tail p", "noise_scale": "noise scale",
}  # fmt: skip


def write_run_report(
    path: Path,
    run: xr.Dataset | Run,
    title: str,
    measured: Mapping[str, Sequence[MatrixSpectrum]] | None = None,
) -> None:
    """Write the HTML page of a run of `open_run`.

    What is wrong with one matrix is told with its reason, beside all others.

    Args:
        path: of the page.
        run: with at least one record.
        title: of the page.
        measured: spectra of each record by the name of the matrix, where they are there already,
            as those of checkpoints are: then these are drawn. By default singular values are
            measured with a false-alarm rate of 1 %.

    Raises:
        InvalidInputError: a run without a record, or without a matrix that can be measured.

    Example:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> from sgdyson.tracking import Tracker, open_run
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(f"{folder}/run.zarr", every=1) as tracker:
        ...         tracker.update(0, {"w": np.random.default_rng(0).normal(size=(20, 30))})
        ...     write_run_report(Path(folder, "run.html"), open_run(f"{folder}/run.zarr"), "My run")
        ...     "My run" in Path(folder, "run.html").read_text(encoding="utf-8")
        True
    """
    run = Run(run)
    steps = run.steps
    require(len(steps) > 0, "the run has no record yet; wait for its first.")
    reasons: dict[str, list[str]] = {}
    for name, reason in run.skipped:
        reasons.setdefault(reason, []).append(name)
    shown = [m for name in run.names if (m := _measured(run, name, measured, reasons)) is not None]
    require(
        bool(shown),
        "the run holds no weight matrix to show: "
        + ("; ".join(f"{', '.join(names[:5])}: {r}" for r, names in reasons.items()) or "none")
        + ".",
    )
    write_run_page(
        path,
        title=title,
        subtitle=f"{len(shown)} matrices, {len(steps)} records, steps {steps[0]} to {steps[-1]}.",
        rows=[_row(row, [row for row, _ in shown]) for row, _ in shown],
        matrices=[drawn for _, drawn in shown],
        advice=_advice(run),
        skipped=reasons,
        false_alarm=_false_alarm(measured),
        version=__version__,
    )


def _measured(
    run: Run,
    name: str,
    measured: Mapping[str, Sequence[MatrixSpectrum]] | None,
    reasons: dict[str, list[str]],
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What the table and the pictures tell of a matrix, or a reason more."""
    try:
        chosen = _chosen(run, name)
        require(len(chosen) > 0, "no record without NaN or infinity")
        shape, s = run.shape(name), run.values(name)
        if measured:
            spectra = [measured[name][i] for i in chosen]
        else:
            spectra = [measure_values(name, s[i], shape) for i in chosen]
            spectra[-1] = with_tail(spectra[-1])
        for note in spectra[-1].notes:
            reasons.setdefault(note, []).append(name)
        row = _last(run, spectra[-1])
        return row, _matrix(run, name, spectra, chosen)
    except Exception as error:  # whatever it is, the others have a page
        reasons.setdefault(_reason(error), []).append(name)
        return None


def _false_alarm(measured: Mapping[str, Sequence[MatrixSpectrum]] | None) -> float:
    bulks = (m.bulk for spectra in (measured or {}).values() for m in spectra)
    return next((bulk.false_alarm for bulk in bulks if bulk), 0.01)


def _reason(error: Exception) -> str:
    text = str(error).rstrip(".")
    return text if isinstance(error, InvalidInputError) else f"{type(error).__name__}: {text}"


def run_of_spectra(
    series: list[tuple[int, list[MatrixSpectrum]]],
) -> tuple[xr.Dataset, dict[str, list[MatrixSpectrum]]]:
    """A run from the spectra of checkpoints, and these by the name of the matrix.

    Matrices that not all of the checkpoints have are left out.
    """
    common = set.intersection(*({(m.name, m.shape) for m in spectra} for _, spectra in series))
    measured = {
        first.name: [next(m for m in spectra if m.name == first.name) for _, spectra in series]
        for first in series[0][1]
        if (first.name, first.shape) in common
    }
    variables = {
        f"s_{number}": (
            ("time", f"level_{number}"),
            np.stack([m.singular_values for m in spectra]),
            {"name": name, "shape": list(spectra[0].shape)},
        )
        for number, (name, spectra) in enumerate(measured.items())
    }
    return xr.Dataset(variables, coords={"time": [step for step, _ in series]}), measured


def _last(run: Run, spectrum: MatrixSpectrum) -> dict[str, Any]:
    """What the table tells of a matrix: its last spectrum, noise, and motion."""
    row = row_of(run, spectrum)
    row["shape"] = (row["rows"] * row["columns"], f"{row['rows']} × {row['columns']}")
    ps = [name for name in row if name.endswith(("pvalue", "p_one", "p_zero"))]
    for p in (name for name in ps if row[name] is not None):
        row[p] = (row[p], f"{row[p]:.2f}")
    return row


def _row(row: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Values under the headings of the page, with errors; headings that some row has."""
    shown = {}
    for column, heading in _COLUMNS.items():
        if not any(column in other for other in rows):
            continue
        value, error = row.get(column), row.get(f"{column}_error")
        if column == "dyson_verdict":  # a column of words
            value = value or ""
        shown[heading] = value if value is None or error is None else Estimate(value, error, 1.0)
    return shown


def _chosen(run: Run, name: str) -> np.ndarray:
    """Some of the records at which the matrix had a spectrum."""
    good = np.flatnonzero(np.isfinite(run.values(name)).all(axis=1))
    return np.asarray(good[_spread(len(good), _RECORDS)])


def _spread(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _matrix(
    run: Run, name: str, spectra: list[MatrixSpectrum], chosen: np.ndarray
) -> dict[str, Any]:
    steps = run.steps[chosen]
    times = _spread(len(run.steps), _TIMES)
    s = run.values(name)
    bulk = spectra[-1].bulk
    outliers = bulk.outliers if bulk and bulk.is_noise else 0
    inside = _spread(s.shape[1] - outliers, _LEVELS)
    shown = np.concatenate([np.arange(outliers), outliers + inside])[: 2 * _LEVELS]
    drawn = {
        "name": name, "shape": list(run.shape(name)), "outliers": outliers,
        "times": run.steps[times].tolist(), "shown": shown.tolist(),
        "levels": _plain(s[times][:, shown].T),
        "records": [_record(int(t), m) for t, m in zip(steps, spectra, strict=True)],
        "emergence": drawn_emergence(run, name, spectra, chosen.tolist()),
    }  # fmt: skip
    pairs = run.gradient_noise(name)
    if pairs is not None:
        drawn["signal"], drawn["noise"] = (_plain(column[times]) for column in pairs.T)
    return drawn


def _record(step: int, spectrum: MatrixSpectrum) -> dict[str, Any]:
    row, bulk = spectrum.to_row(), spectrum.bulk
    curve = None
    if bulk is not None and bulk.is_noise:
        x = np.linspace(*bulk.law.edges, _CURVE)
        # beside a histogram of all levels, the law of the bulk has the mass of the bulk
        y = bulk.law.pdf(x) * (spectrum.rank - bulk.outliers) / len(spectrum.singular_values)
        curve = [_plain(x), _plain(y)]
    return {
        "step": step, "values": _plain(spectrum.singular_values), "law": curve,
        "threshold": row["threshold"], "outliers": row["outliers"], "sigma": row["sigma"],
        "ratio": row["mean_ratio"], "ratio_error": row["mean_ratio_error"],
    }  # fmt: skip


def _plain(values: np.ndarray) -> Any:
    """Five digits are enough for a picture; what is not finite is null."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]


def _advice(run: Run) -> str:
    try:
        return str(advise(run))
    except InvalidInputError as error:
        return str(error)
