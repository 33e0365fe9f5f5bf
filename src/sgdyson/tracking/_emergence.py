"""When outliers of a tracked matrix stepped out of its bulk, and whether they stayed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._types import Floats
from ..errors import require
from ..spectra import fit_bulk
from ..stats import Estimate
from ._run import Run

_IN_A_ROW = 3  # records, from which an outlier that goes back was more than a false alarm
_FEWEST = 5  # levels, from which a bulk is fitted
_NEAR = 0.1  # of the cdf from Marchenko and Pastur's, up to which a bulk's edge means something


@dataclass(frozen=True)
class Detachment:
    """One outlier of a matrix.

    Attributes:
        rank: 1 of the largest level.
        step: at which it left the bulk: the middle between two records, with the error of not
            knowing where between them; exactly the first record if it was out there already.
        back: at which it returned, between two records too; None if it never did.
    """

    rank: int
    step: Estimate
    back: Estimate | None


@dataclass(frozen=True)
class Emergence:
    """What stood out of a matrix's bulk at each record.

    Attributes:
        name: of the matrix.
        steps: of the records, shape (record,).
        edge: singular value at which the bulk ends, (record,); NaN where there is no bulk.
        threshold: singular value above which noise has one with the chance `false_alarm`.
        outliers: above the threshold, (record,); -1 where there is no bulk.
        is_noise: whether the bulk passes the test of `Bulk.pvalue`, (record,). The noise of a
            training is not white to all digits, since its inputs are not many: where this is
            False, the false-alarm rate is a nominal one.
        detachments: in order of their step.
        false_alarm: of one outlier or more in a record of noise.
    """

    name: str
    steps: NDArray[np.int64]
    edge: Floats = field(repr=False)
    threshold: Floats = field(repr=False)
    outliers: NDArray[np.int64] = field(repr=False)
    is_noise: NDArray[np.bool_] = field(repr=False)
    detachments: tuple[Detachment, ...]
    false_alarm: float


def emergence(run: xr.Dataset | Run, name: str, false_alarm: float = 0.01) -> Emergence:
    """When the outliers of one matrix left its bulk.

    At each record Marchenko and Pastur's law is fitted to the bulk (`sgdyson.spectra.fit_bulk`) and
    levels above its threshold are counted. The k-th outlier is out as long as k levels or more
    are; a stay of less than three records that ends is taken for a false alarm. Records without a
    bulk, whose levels are further than 0.1 from that law or in the majority outliers, are left out.

    Args:
        run: of `open_run`.
        name: of the matrix.
        false_alarm: chance of an outlier in a record of noise.

    Raises:
        InvalidInputError: no such matrix, fewer than five levels, no record with a bulk.

    Example:
        >>> import tempfile, numpy as np
        >>> from sgdyson.tracking import Tracker, open_run
        >>> random, out = np.random.default_rng(0), tempfile.mkdtemp() + "/run.zarr"
        >>> with Tracker(out, every=1) as tracker:
        ...     for step in range(12):
        ...         weights = random.standard_normal((60, 40))
        ...         weights[0, 0] += 8.0 * step
        ...         tracker.update(step, {"weight": weights})
        >>> [found.rank for found in emergence(open_run(out), "weight").detachments]
        [1]
    """
    run = Run(run)
    values, shape = run.values(name), run.shape(name)
    require(
        values.shape[1] >= _FEWEST,
        f"{name} has {values.shape[1]} levels; a bulk is fitted to {_FEWEST} or more.",
    )
    edge, threshold = np.full((2, len(values)), np.nan)
    outliers, is_noise = np.full(len(values), -1), np.zeros(len(values), bool)
    for record, levels in enumerate(values):
        if not (np.isfinite(levels).all() and levels[0] > 0):
            continue
        bulk = fit_bulk(levels, shape, false_alarm)
        if bulk.distance < _NEAR and 2 * bulk.outliers < len(levels):
            is_noise[record] = bulk.is_noise
            edge[record], threshold[record] = bulk.edge.value, bulk.threshold
            outliers[record] = bulk.outliers
    seen = outliers >= 0
    require(
        bool(seen.any()),
        f"{name} has no bulk at any of {len(values)} records: its levels are nothing like those of"
        " noise of one variance, so that nothing can step out of it.",
    )
    found = [
        Detachment(rank, *stay)
        for rank in range(1, int(outliers.max()) + 1)
        for stay in _stays(outliers[seen] >= rank, run.steps[seen])
    ]
    ordered = tuple(sorted(found, key=lambda one: (one.step.value, one.rank)))
    return Emergence(name, run.steps, edge, threshold, outliers, is_noise, ordered, false_alarm)


def _stays(
    out: NDArray[np.bool_], steps: NDArray[np.int64]
) -> list[tuple[Estimate, Estimate | None]]:
    """Beginning and end of every stay outside the bulk that is none of false alarms."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], out, [False]]).astype(int)))
    stays = []
    for first, end in change.reshape(-1, 2):
        if end < len(out) and end - first < _IN_A_ROW:
            continue
        back = None if end == len(out) else _between(steps, int(end))
        stays.append((_between(steps, int(first)), back))
    return stays


def _between(steps: NDArray[np.int64], record: int) -> Estimate:
    """Somewhere after the record before: the middle, and a uniform law's standard deviation."""
    if record == 0:
        return Estimate(float(steps[0]), 0.0, 1.0)
    width = float(steps[record] - steps[record - 1])
    return Estimate(float(steps[record]) - width / 2, width / 12**0.5, 1.0)
