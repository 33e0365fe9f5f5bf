"""All matrices of a run at a glance: one number of each against the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInputError
from ..spectra import MatrixSpectrum
from ._dyson_index import index_of
from ._noise_squares import noise_squares
from ._page_numbers import plain
from ._recorded_steps import recorded_steps
from ._run import Run

_WINDOWS = 8
QUANTITIES = {
    "outliers": "outliers", "sigma": "σ of the bulk", "spectral": "largest singular value",
    "stable_rank": "stable rank", "tail_exponent": "exponent of the tail", "mean_ratio": "⟨r⟩",
    "dyson_index": "Dyson index",
}  # fmt: skip

Measured = tuple[Sequence[MatrixSpectrum], NDArray[np.intp]]


def overview(run: Run, measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Plain values for `run.js`: a row for each matrix, NaN where it was not measured.

    Args:
        run: as it is read.
        measured: by matrix, spectra of some records, and which these are.
    """
    records = np.unique(np.concatenate([chosen for _, chosen in measured.values()]))
    maps = {quantity: np.full((len(measured), len(records)), np.nan) for quantity in QUANTITIES}
    for line, (name, (spectra, chosen)) in enumerate(measured.items()):
        places = np.searchsorted(records, chosen)
        for place, spectrum in zip(places, spectra, strict=True):
            row = spectrum.to_row()
            for quantity in QUANTITIES:
                value = row.get(quantity)
                maps[quantity][line, place] = np.nan if value is None else value
        maps["dyson_index"][line] = _indices(run, name, records)
    return {
        "names": list(measured), "steps": run.steps[records].tolist(),
        "maps": {
            quantity: {"title": QUANTITIES[quantity], "rows": plain(values)}
            for quantity, values in maps.items() if np.isfinite(values).any()
        },
    }  # fmt: skip


def _indices(run: Run, name: str, records: NDArray[np.intp]) -> NDArray[np.float64]:
    """Dyson indices of stretches of the run, at the records in each."""
    values = np.full(len(records), np.nan)
    if run.level_steps(name) is None:
        return values
    try:
        recorded = recorded_steps(run, name)
    except InvalidInputError:  # as of a matrix at rest
        return values
    scale, bursts = float(np.nanmax(recorded.levels)), list(range(len(recorded.bursts)))
    for stretch in np.array_split(bursts, min(_WINDOWS, max(len(bursts) // 4, 1))):
        ends = recorded.records[stretch[0]][0], recorded.records[stretch[-1]][-1]
        inside = (records >= ends[0] - 1) & (records <= ends[1])
        try:
            index = index_of(noise_squares([recorded.bursts[i] for i in stretch], scale)).index
        except InvalidInputError:  # no noise in it, or too little
            continue
        values[inside] = index.value
    return values
