"""A tracked run as a table: a row of plain values for each matrix."""

from typing import Any

import numpy as np
import xarray as xr

from ..errors import InvalidInputError
from ..spectra import MatrixSpectrum, measure_values, with_tail
from ..stats import Estimate
from ._dyson_results import DysonTest
from ._dyson_test import dyson_test
from ._matrix_noise import matrix_noise
from ._run import Run


def report_rows(run: xr.Dataset | Run) -> list[dict[str, Any]]:
    """What the page of a run tells of each matrix, as plain values.

    Its last spectrum as in `MatrixSpectrum.to_row`, the noise scale of its gradient, and the test
    of Dyson Brownian motion: `dyson_index`, `dyson_p_one`, `dyson_p_zero`, `dyson_p_levels`,
    `dyson_power`, `dyson_verdict`, `dyson_bulk`, `dyson_outliers`, `dyson_remarks`; errors as
    `NAME_error`.

    Args:
        run: of `open_run`.

    Returns:
        A row for each matrix that has a spectrum; None where a number was not measured.
    """
    run = Run(run)
    rows = []
    for name in run.names:
        good = np.flatnonzero(np.isfinite(run.values(name)).all(axis=1))
        if good.size:
            last = measure_values(name, run.values(name)[good[-1]], run.shape(name))
            rows.append({"step": int(run.steps[good[-1]]), **row_of(run, with_tail(last))})
    heads = dict.fromkeys(head for row in rows for head in row)
    return [{head: row.get(head) for head in heads} for row in rows]


def row_of(run: Run, spectrum: MatrixSpectrum) -> dict[str, Any]:
    """A spectrum, with the noise of its gradient and the motion of its levels where known."""
    row = spectrum.to_row()
    try:
        noise = matrix_noise(run, spectrum.name)
        if noise.scale and noise.signal.value > 2 * noise.signal.error:
            row |= {"noise_scale": noise.scale.value, "noise_scale_error": noise.scale.error}
    except InvalidInputError:  # it was not measured
        pass
    if run.level_steps(spectrum.name) is None:
        return row
    try:
        return row | _of_test(dyson_test(run, spectrum.name))
    except InvalidInputError as error:
        return row | {"dyson_verdict": f"not measured: {str(error).rstrip('.')}"}


def _of_test(test: DysonTest) -> dict[str, Any]:
    parts: dict[str, Estimate | None] = {
        "dyson_index": test.index, "dyson_bulk": test.bulk, "dyson_outliers": test.outliers,
    }  # fmt: skip
    row: dict[str, Any] = {}
    for head, estimate in parts.items():
        row |= {head: estimate and estimate.value, f"{head}_error": estimate and estimate.error}
    return row | {
        "dyson_p_one": test.pvalue_one, "dyson_p_zero": test.pvalue_zero,
        "dyson_p_levels": test.pvalue_levels,
        "dyson_power": test.power, "dyson_verdict": test.verdict,
        "dyson_remarks": " ".join(test.remarks),
    }  # fmt: skip
