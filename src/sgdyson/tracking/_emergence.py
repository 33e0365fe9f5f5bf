"""When outliers of a tracked matrix stepped out of its bulk, and whether they stayed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._tabular import Table, Tabular
from .._types import Floats
from ..errors import require
from ..laws import LargestLevel
from ..spectra import FEWEST_LEVELS, Bulk, fit_bulk
from ._run import Run
from ._stays import Detachment, Series

_HEADS = {
    "rank": "rank", "step": "out at step", "back": "back at", "left_kept": "left vector kept",
    "right_kept": "right", "settled": "half of the last from step",
}  # fmt: skip
_BAND = (0.05, 0.95)  # of the largest level of noise


@dataclass(frozen=True, repr=False)
class Emergence(Tabular):
    """What stood out of a matrix's bulk at each record.

    Attributes:
        name: of the matrix.
        steps: of the records, shape (record,).
        edge: singular value at which the bulk ends, (record,); NaN where there is no bulk.
        band: in which the largest level of such noise lies, 5 % and 95 % of its law (Tracy and
            Widom's), (record, 2).
        threshold: singular value above which noise has one with the chance `false_alarm`.
        outliers: above the threshold, (record,); -1 where there is no bulk.
        is_noise: whether the bulk passes the test of `Bulk.pvalue`, (record,). The noise of a
            training is not white to all digits, since its inputs are not many: where this is
            False, the false-alarm rate is a nominal one.
        detachments: in order of their step.
        false_alarm: of one outlier or more in a record of noise.
        kept: of the leading levels, squared overlaps of left and right vectors with those at the
            record before, (record, vector, 2); None where they were not recorded.
        final: the same with the vectors of the last record; None where weights are not there.
    """

    name: str
    steps: NDArray[np.int64]
    edge: Floats
    band: Floats
    threshold: Floats
    outliers: NDArray[np.int64]
    is_noise: NDArray[np.bool_]
    detachments: tuple[Detachment, ...]
    false_alarm: float
    kept: Floats | None = None
    final: Floats | None = None

    def _table(self) -> Table:
        """A row for each stay of an outlier."""
        columns: dict[str, list[Any]] = {
            "rank": [stay.rank for stay in self.detachments],
            "step": [stay.step for stay in self.detachments],
            "back": [stay.back for stay in self.detachments],
            "left_kept": [stay.persistence and stay.persistence[0] for stay in self.detachments],
            "right_kept": [stay.persistence and stay.persistence[1] for stay in self.detachments],
            "settled": [stay.settled for stay in self.detachments],
        }
        shown = {
            key: head for key, head in _HEADS.items()
            if any(value is not None for value in columns[key])
        }  # fmt: skip
        what = "outliers" if self.detachments else "no outlier"
        title = f"{self.name}: {what} in {len(self.steps)} records"
        return Table(title, columns, shown)


def emergence(run: xr.Dataset | Run, name: str, false_alarm: float = 0.01) -> Emergence:
    """When the outliers of one matrix left its bulk.

    At each record Marchenko and Pastur's law is fitted to the bulk (`sgdyson.spectra.fit_bulk`) and
    levels above its threshold are counted. The k-th outlier is out as long as k levels or more
    are; a stay of less than three records that ends is taken for a false alarm. Records without a
    bulk, whose levels are further than 0.1 from that law or in the majority outliers, are left out.
    Of a run tracked with `vectors=` the persistence of each outlier's vectors is told too.

    Args:
        run: of `open_run`.
        name: of the matrix.
        false_alarm: chance of an outlier in a record of noise.

    Raises:
        InvalidInputError: no such matrix, fewer than five levels, no record with a bulk.

    Examples:
        >>> import tempfile, numpy as np
        >>> from sgdyson.tracking import Tracker, open_run
        >>> random, out = np.random.default_rng(0), tempfile.mkdtemp() + "/run.zarr"
        >>> with Tracker(out, every=1, vectors=2) as tracker:
        ...     for step in range(12):
        ...         weights = random.standard_normal((60, 40))
        ...         weights[0, 0] += 8.0 * step
        ...         tracker.update(step, {"weight": weights})
        >>> (mode,) = emergence(open_run(out), "weight").detachments
        >>> mode.rank, mode.persistence[0].value > 0.8
        (1, True)
    """
    run = Run(run)
    values, shape = run.values(name), run.shape(name)
    require(
        values.shape[1] >= FEWEST_LEVELS,
        f"{name} has {values.shape[1]} levels; a bulk is fitted to {FEWEST_LEVELS} or more.",
    )
    bulks = [bulk_of(levels, shape, false_alarm) for levels in values]
    return emergence_of(name, Series(run.steps, bulks, run.kept(name)), false_alarm)


def emergence_of(name: str, series: Series, false_alarm: float) -> Emergence:
    """From bulks, and overlaps of vectors.

    Raises:
        InvalidInputError: no record with a bulk.
    """
    seen = series.outliers >= 0
    require(
        bool(seen.any()),
        f"{name} has no bulk at any of {len(seen)} records: its levels are nothing like those of"
        " noise of one variance, so that nothing can step out of it.",
    )
    edge, threshold, low, high = np.full((4, len(seen)), np.nan)
    for record, bulk in enumerate(series.bulks):
        if bulk is None or not seen[record]:
            continue
        edge[record], threshold[record] = bulk.edge.value, bulk.threshold
        low[record], high[record] = bulk.sigma.value * _band(bulk.shape)
    return Emergence(
        name, series.steps, edge, np.stack([low, high], axis=1), threshold, series.outliers,
        np.array([bulk is not None and bool(bulk.is_noise) for bulk in series.bulks]) & seen,
        series.detachments(), false_alarm,
        None if series.kept is None else series.kept[..., :2], series.final,
    )  # fmt: skip


@lru_cache
def _band(shape: tuple[int, int]) -> Floats:
    """Where the largest level of noise lies, in units of sigma."""
    return LargestLevel.of_singular_values(shape).ppf(_BAND)


def bulk_of(levels: Floats, shape: tuple[int, int], false_alarm: float) -> Bulk | None:
    """None of a record without a spectrum."""
    if not (np.isfinite(levels).all() and levels[0] > 0):
        return None
    return fit_bulk(levels, shape, false_alarm)
