"""From a tracked run to its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._attributes import csv_text
from .._version import __version__
from ..errors import InvalidInputError, require
from ..spectra import MatrixSpectrum, measure_values, with_tail
from ..stats import Estimate
from ._advice import advise
from ._page_matrix import Detail, detail_of, drawn_matrix
from ._page_numbers import spread
from ._page_overview import overview
from ._page_scalars import drawn_scalars
from ._rows import row_of
from ._run import Run
from ._run_page import write_run_page

_COLUMNS = {
    "run": "run", "name": "matrix", "rows": "shape", "outliers": "outliers", "spectral": "largest",
    "edge": "edge", "sigma": "σ", "mp_distance": "MP distance", "bulk_pvalue": "bulk p",
    "mean_ratio": "⟨r⟩",
    "ks_pvalue": "surmise p", "stable_rank": "stable rank", "effective_rank": "effective rank",
    "dyson_index": "Dyson index", "dyson_p_one": "p against 1", "dyson_p_zero": "p against 0",
    "dyson_verdict": "motion of levels",
    "tail_exponent": "tail exponent", "tail_pvalue": "tail p", "cutoff_pvalue": "cut-off p",
    "noise_scale": "noise scale",
}  # fmt: skip


def write_run_report(
    path: Path,
    run: xr.Dataset | Run | Mapping[str, xr.Dataset | Run],
    title: str,
    measured: Mapping[str, Sequence[MatrixSpectrum]] | None = None,
    *,
    refresh: float | None = None,
) -> None:
    """Write the HTML page of a run of `open_run`, or of several side by side.

    What is wrong with one matrix is told with its reason, beside all others.

    Args:
        path: of the page.
        run: with at least one record; or several, by name.
        title: of the page.
        measured: spectra of each record by the name of the matrix, where they are there already,
            as those of checkpoints are: then these are drawn. By default singular values are
            measured with a false-alarm rate of 1 %.
        refresh: seconds after which a browser loads the page anew, as of a run that goes on.

    Raises:
        InvalidInputError: no run, one without a record, or without a matrix that can be measured.

    Examples:
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
    several = not isinstance(run, xr.Dataset | Run)
    named = {title: Run(run)} if isinstance(run, xr.Dataset | Run) else {
        str(name): Run(each) for name, each in run.items()
    }  # fmt: skip
    require(bool(named), "there is no run to show; give one or more.")
    detail = detail_of(sum(len(tracked.names) for tracked in named.values()))
    shown = [_shown(name, tracked, measured, detail) for name, tracked in named.items()]
    rows = [{"run": page.name, **row} if several else row for page in shown for row in page.rows]
    write_run_page(
        path,
        title=title,
        subtitle=" ".join(page.subtitle if not several else f"{page.name}: {page.subtitle}"
                          for page in shown),
        rows=[_row(row, rows) for row in rows],
        csv=csv_text(rows),
        runs=[page.drawn for page in shown],
        matrices=[
            {"run": number, **drawn} for number, page in enumerate(shown) for drawn in page.matrices
        ],
        advice="\n\n".join(
            f"{page.name}: {page.advice}" if several else page.advice for page in shown
        ),
        skipped=_together(shown),
        false_alarm=_false_alarm(measured),
        version=__version__,
        refresh=refresh,
    )  # fmt: skip


@dataclass
class _Shown:
    """What the page tells of one run."""

    name: str
    subtitle: str
    rows: list[dict[str, Any]]
    matrices: list[dict[str, Any]]
    drawn: dict[str, Any]
    advice: str
    reasons: dict[str, list[str]]


def _shown(
    name: str, run: Run, measured: Mapping[str, Sequence[MatrixSpectrum]] | None, detail: Detail
) -> _Shown:
    steps = run.steps
    require(len(steps) > 0, "the run has no record yet; wait for its first.")
    reasons: dict[str, list[str]] = {}
    for matrix, reason in run.skipped:
        reasons.setdefault(reason, []).append(matrix)
    matrices = {
        m: panel for m in run.names if (panel := _measured(run, m, measured, detail, reasons))
    }
    require(
        bool(matrices),
        "the run holds no weight matrix to show: "
        + ("; ".join(f"{', '.join(names[:5])}: {r}" for r, names in reasons.items()) or "none")
        + ".",
    )
    return _Shown(
        name,
        _subtitle(len(matrices), steps.tolist(), measured is not None),
        [panel.row for panel in matrices.values()],
        [panel.drawn for panel in matrices.values()],
        {
            "name": name, "scalars": drawn_scalars(run),
            "overview": overview(
                run, {m: (panel.spectra, panel.chosen) for m, panel in matrices.items()}
            ),
        },
        _advice(run) if measured is None else "",
        reasons,
    )  # fmt: skip


@dataclass
class _Measured:
    """A matrix: its row in the table, its pictures, and the spectra of the records chosen."""

    row: dict[str, Any]
    drawn: dict[str, Any]
    spectra: list[MatrixSpectrum]
    chosen: NDArray[np.intp]


def _measured(
    run: Run,
    name: str,
    measured: Mapping[str, Sequence[MatrixSpectrum]] | None,
    detail: Detail,
    reasons: dict[str, list[str]],
) -> _Measured | None:
    """What the table and the pictures tell of a matrix, or a reason more."""
    try:
        chosen = _chosen(run, name, detail.records)
        require(len(chosen) > 0, "no record without NaN or infinity")
        shape, s = run.shape(name), run.values(name)
        if measured:
            spectra = [measured[name][i] for i in chosen]
        else:
            bare = [measure_values(name, s[i], shape) for i in chosen]
            # the p-value of a tail takes a hundred times its exponent
            spectra = [*(with_tail(m, 0) for m in bare[:-1]), with_tail(bare[-1])]
        for note in spectra[-1].notes:
            reasons.setdefault(note, []).append(name)
        row = {"step": int(run.steps[chosen[-1]]), **row_of(run, spectra[-1])}
        drawn = drawn_matrix(run, name, spectra, chosen, detail.times)
        return _Measured(row, drawn, spectra, chosen)
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

    Raises:
        InvalidInputError: spectra by Lanczos, of which a page would show the top alone.
    """
    require(
        all(m.measure is None for _, spectra in series for m in spectra),
        "a page shows all singular values, and Lanczos finds the largest alone; measure exactly.",
    )
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


def _subtitle(matrices: int, steps: list[int], of_checkpoints: bool) -> str:
    """How much there is; a single checkpoint has no step."""
    what = f"{matrices} {'matrix' if matrices == 1 else 'matrices'}"
    if len(steps) > 1:
        return f"{what}, {len(steps)} records, steps {steps[0]} to {steps[-1]}."
    return f"{what}." if of_checkpoints else f"{what}, one record, at step {steps[0]}."


def _row(row: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Values under the headings of the page, with errors; headings that some row has."""
    shown = {}
    for column, heading in _COLUMNS.items():
        if all(other.get(column) is None for other in rows):
            continue
        value, error = row.get(column), row.get(f"{column}_error")
        if column == "dyson_verdict":  # a column of words
            value = value or ""
        elif column == "rows":
            value = (value * row["columns"], f"{value} × {row['columns']}")
        elif value is not None and column.endswith(("pvalue", "p_one", "p_zero")):
            value = (value, f"{value:.2f}")
        shown[heading] = value if value is None or error is None else Estimate(value, error, 1.0)
    return shown


def _together(shown: Sequence[_Shown]) -> dict[str, list[str]]:
    """Names by the reason, those of several runs with the name of theirs."""
    together: dict[str, list[str]] = {}
    for page in shown:
        for reason, names in page.reasons.items():
            listed = names if len(shown) == 1 else [f"{page.name}: {name}" for name in names]
            together.setdefault(reason, []).extend(listed)
    return together


def _chosen(run: Run, name: str, most: int) -> NDArray[np.intp]:
    """Some of the records at which the matrix had a spectrum: those of all matrices, if it can."""
    good = np.flatnonzero(np.isfinite(run.values(name)).all(axis=1))
    common = np.intersect1d(spread(len(run.steps), most), good)
    if len(common) < min(len(good), most) / 2:
        return np.asarray(good[spread(len(good), most)], dtype=np.intp)
    return np.union1d(common, good[-1:])


def _advice(run: Run) -> str:
    try:
        return str(advise(run))
    except InvalidInputError as error:
        return str(error)
