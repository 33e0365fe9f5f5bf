"""Outliers of a series of bulks: when each was out, and what its vectors did meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._types import Floats
from ..spectra import Bulk
from ..stats import Estimate

_IN_A_ROW = 3  # records, from which an outlier that goes back was more than a false alarm
_NEAR = 0.1  # of the cdf from Marchenko and Pastur's, up to which a bulk's edge means something
_BLOCKS = 10  # of records in a row, whose scatter tells the error of a mean over time
_SETTLED = 0.5  # of the final vectors, from which on a mode is what it will be


@dataclass(frozen=True)
class Detachment:
    """One outlier of a matrix.

    Attributes:
        rank: 1 of the largest level.
        step: at which it left the bulk: the middle between two records, with the error of not
            knowing where between them; exactly the first record if it was out there already.
        back: at which it returned, between two records too; None if it never did.
        persistence: squared overlaps of its left and right vector with those at the record before,
            means over its stay; None where vectors were not recorded, or at less than two records.
        settled: from which on half of its left and right vector, the product of squared overlaps,
            is that of the last record; None where final vectors are not known, or of one that
            returned.
    """

    rank: int
    step: Estimate
    back: Estimate | None
    persistence: tuple[Estimate, Estimate] | None = None
    settled: Estimate | None = None


@dataclass(frozen=True)
class Series:
    """Bulks of one matrix at each record, None where it had no spectrum, and its vectors.

    Attributes:
        steps: (record,).
        bulks: of the records.
        kept: see `Run.kept`, (record, vector, 3); None where not recorded.
        final: squared overlaps with the vectors of the last record, (record, vector, 2); None
            where not known.
    """

    steps: NDArray[np.int64]
    bulks: Sequence[Bulk | None]
    kept: Floats | None = None
    final: Floats | None = None

    @property
    def outliers(self) -> NDArray[np.int64]:
        """How many a record has; -1 without a bulk, with one of another law, or of a minority."""
        return np.array([_outliers(bulk) for bulk in self.bulks], dtype=np.int64)

    def detachments(self) -> tuple[Detachment, ...]:
        """In order of their step."""
        outliers = self.outliers
        seen = np.flatnonzero(outliers >= 0)
        outliers = outliers[seen]
        stays = [
            self._detachment(rank, seen, stay)
            for rank in range(1, int(outliers.max(initial=0)) + 1)
            for stay in _stays(outliers >= rank)
        ]
        return tuple(sorted(stays, key=lambda stay: (stay.step.value, stay.rank)))

    def _detachment(self, rank: int, seen: NDArray[np.int64], stay: slice) -> Detachment:
        steps, over = self.steps[seen], stay.stop < len(seen)
        return Detachment(
            rank,
            step=_between(steps, stay.start),
            back=_between(steps, stay.stop) if over else None,
            persistence=self._persistence(rank, seen[stay]),
            settled=None if over else self._settled(rank),
        )

    def _persistence(
        self, rank: int, records: NDArray[np.int64]
    ) -> tuple[Estimate, Estimate] | None:
        if self.kept is None or rank > self.kept.shape[1]:
            return None
        # at the first record of a stay the vector before it was one of the bulk's
        overlaps = self.kept[records[1:], rank - 1, :2]
        overlaps = overlaps[np.isfinite(overlaps).all(1)]
        if len(overlaps) < 2:
            return None
        left, right = (_mean(column) for column in overlaps.T)
        return left, right

    def _settled(self, rank: int) -> Estimate | None:
        if self.final is None or rank > self.final.shape[1]:
            return None
        alike = self.final[:, rank - 1].prod(-1) >= _SETTLED
        # after the last record whose vectors were others
        first = len(alike) - int(np.argmin(alike[::-1])) if not alike.all() else 0
        return _between(self.steps, first) if first < len(alike) else None


def _outliers(bulk: Bulk | None) -> int:
    if bulk is None or bulk.distance >= _NEAR or 2 * bulk.outliers >= min(bulk.shape):
        return -1
    return bulk.outliers


def _stays(out: NDArray[np.bool_]) -> Iterator[slice]:
    """Every stay outside the bulk that is none of false alarms, as records."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], out, [False]]).astype(int)))
    for first, end in change.reshape(-1, 2):
        if end == len(out) or end - first >= _IN_A_ROW:
            yield slice(int(first), int(end))


def _between(steps: NDArray[np.int64], record: int) -> Estimate:
    """Somewhere after the record before: the middle, and a uniform law's standard deviation."""
    if record == 0:
        return Estimate(float(steps[0]), 0.0, 1.0)
    width = float(steps[record] - steps[record - 1])
    return Estimate(float(steps[record]) - width / 2, width / 12**0.5, 1.0)


def _mean(series: Floats) -> Estimate:
    """Over time: the scatter between blocks knows of the memory within them."""
    blocks = np.array([block.mean() for block in np.array_split(series, min(_BLOCKS, len(series)))])
    error = float(blocks.std(ddof=1) / np.sqrt(len(blocks)))
    return Estimate(float(series.mean()), error, float(len(blocks)))
