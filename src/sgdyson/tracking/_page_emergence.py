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
        found = emergence_of(name, series, alarm)
    except InvalidInputError:
        return None
    levels = run.values(name)[at, :_LEVELS]
    return {
        "steps": found.steps.tolist(), "edge": plain(found.edge), "low": plain(found.band[:, 0]),
        "high": plain(found.band[:, 1]), "levels": [plain(level) for level in levels.T],
        "detachments": [_drawn(one, int(found.steps[0])) for one in found.detachments],
        "kept": _kept(found),
    }  # fmt: skip


def _kept(found: Emergence) -> list[list[list[float | None]]] | None:
    """Left and right overlaps of the first levels that are out at some record."""
    if found.kept is None:
        return None
    count = min(max(int(found.outliers.max(initial=0)), 1), found.kept.shape[1], _FOLLOWED)
    return [[plain(side) for side in found.kept[:, rank].T] for rank in range(count)]


def _drawn(one: Detachment, first: int) -> dict[str, Any]:
    back = f", back at {one.back}" if one.back is not None else ""
    out = "out from the first record on" if one.step.value <= first else f"out at step {one.step}"
    words = f"outlier {one.rank}: {out}{back}"
    if one.persistence is not None:
        left, right = one.persistence
        words += f"; from record to record {left} of its left vector is kept, {right} of the right"
    return {"rank": one.rank, "step": one.step.value, "error": one.step.error, "words": words}
