"""What the page draws of the outliers of a matrix: its edge, when each left it, its vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidInputError
from ..spectra import MatrixSpectrum
from ._emergence import Emergence, emergence_of
from ._page_numbers import plain
from ._run import Run
from ._stays import Detachment, Series

_LEVELS = 8  # the largest, of each record
_FOLLOWED = 4  # whose vectors are drawn


def drawn_emergence(
    run: Run, name: str, spectra: Sequence[MatrixSpectrum], records: Sequence[int]
) -> dict[str, Any] | None:
    """Plain values for `run.js`; None where no record has a bulk.

    Args:
        run: as it is read.
        name: of the matrix.
        spectra: of some records, with their bulks.
        records: which these are.
    """
    at = np.asarray(records)
    kept = run.kept(name)
    bulks = [spectrum.bulk for spectrum in spectra]
    series = Series(run.steps[at], bulks, None if kept is None else kept[at])
    alarm = next((bulk.false_alarm for bulk in bulks if bulk is not None), 0.01)
    try:
        outliers = emergence_of(name, series, alarm)
    except InvalidInputError:
        return None
    levels = run.values(name)[at, :_LEVELS]
    return {
        "steps": outliers.steps.tolist(), "edge": plain(outliers.edge),
        "low": plain(outliers.band[:, 0]), "high": plain(outliers.band[:, 1]),
        "levels": [plain(level) for level in levels.T],
        "detachments": [_drawn(stay, int(outliers.steps[0])) for stay in outliers.detachments],
        "kept": _kept(outliers),
    }  # fmt: skip


def _kept(outliers: Emergence) -> list[list[list[float | None]]] | None:
    """Left and right overlaps of the first levels that are out at some record."""
    if outliers.kept is None:
        return None
    count = min(max(int(outliers.outliers.max(initial=0)), 1), outliers.kept.shape[1], _FOLLOWED)
    return [[plain(side) for side in outliers.kept[:, rank].T] for rank in range(count)]


def _drawn(stay: Detachment, first: int) -> dict[str, Any]:
    back = f", back at {stay.back}" if stay.back is not None else ""
    out = "out from the first record on" if stay.step.value <= first else f"out at step {stay.step}"
    words = f"outlier {stay.rank}: {out}{back}"
    if stay.persistence is not None:
        left, right = stay.persistence
        words += f"; from record to record {left} of its left vector is kept, {right} of the right"
    return {"rank": stay.rank, "step": stay.step.value, "error": stay.step.error, "words": words}
