"""What a history says without a model: multiplets, spacings, widths, the surmise, with errors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._tabular import Table, Tabular, frame
from .._types import Floats
from ..errors import require
from ..spectra import Multiplet
from ._drift import still_drift
from ._history import History, copies
from ._multiplet import (
    MeasuredMultiplet,
    finite_or_none,
    measure_multiplet,
    measured_columns,
    measured_heads,
    span,
)

if TYPE_CHECKING:
    from pandas import DataFrame

_APART = 3.0  # standard deviations of both levels together, from which levels do not repel
_BLOCKS = 20  # of a single replica


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Tabular):
    """One history, measured. Shows itself as a table, a row a multiplet.

    Attributes:
        source: the file, and the setting and matrix in it.
        learning_rate: alpha, where known.
        batch_size: |B|, where known.
        label_noise: epsilon of the labels, where known.
        matrix: its name, where the model has several.
        n_replicas: independent ones, that were measured.
        records: of each, that were measured.
        diverged: replicas left out, as some of their levels are not finite.
        copies: replicas with one and the same history; all but the first of each are left out.
        multiplets: in descending order.
        beta: Dyson index they were held against.
        notes: what was guessed, and what a reader should know.
        shared_inputs: all replicas saw the inputs of one finite data set.
    """

    source: str
    learning_rate: float | None
    batch_size: float | None
    label_noise: float | None
    matrix: str | None
    n_replicas: int
    records: int
    diverged: int
    copies: list[list[int]]
    multiplets: list[MeasuredMultiplet]
    notes: list[str]
    beta: int = 1
    shared_inputs: bool = False

    @property
    def duplicates(self) -> int:
        """Replicas that repeat another."""
        return sum(len(group) - 1 for group in self.copies)

    @property
    def main(self) -> MeasuredMultiplet:
        """The first pair; else the first larger multiplet; else the first level."""
        return max(self.multiplets, key=lambda m: (len(m.indices) == 2, len(m.indices) > 2))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON file."""
        main = self.main.to_dict()
        return {
            "source": self.source,
            "learning_rate": finite_or_none(self.learning_rate),
            "batch_size": self.batch_size,
            "label_noise": self.label_noise,
            "matrix": self.matrix,
            "n_replicas": self.n_replicas,
            "mean_spacing": main["mean_spacing"],
            "width": main["width"],
            "ks_wigner": main["ks_wigner"],
            "duplicates": self.duplicates,
            "copies": self.copies,
            "diverged": self.diverged,
            "records": self.records,
            "beta": self.beta,
            "multiplets": [each.to_dict() for each in self.multiplets],
            "notes": self.notes,
        }

    def __repr__(self) -> str:
        count = len(self.multiplets)
        return f"<Summary of {self.source}: {self.n_replicas} replicas, multiplets: {count}>"

    def to_frame(self) -> "DataFrame":
        """A pandas data frame, a row a multiplet, as in `rows`.

        Raises:
            InvalidInputError: pandas is not installed.
        """
        return frame(self.rows())

    def _table(self) -> Table:
        columns: dict[str, list[Any]] = {
            "levels": [span(each.indices) for each in self.multiplets],
            "mean_level": [each.mean for each in self.multiplets],
            **measured_columns(self.multiplets),
        }
        title = f"{self.source}: {self.n_replicas} replicas of {self.records} records"
        heads = {"levels": "levels", "mean_level": "mean", **measured_heads(self.multiplets)}
        return Table(title, columns, heads, self.notes)

    def rows(self) -> list[dict[str, Any]]:
        """Plain values, one row a multiplet."""
        return [
            {
                "source": self.source, "matrix": self.matrix, "learning_rate": self.learning_rate,
                "batch_size": self.batch_size, "label_noise": self.label_noise,
                "replicas": self.n_replicas, "records": self.records,
            } | each.row()
            for each in self.multiplets
        ]  # fmt: skip


def summarise(history: History, burn_in: int | None = None) -> Summary:
    """Measure a history.

    Replicas that diverged, and copies of another replica, are left out. A single replica is cut
    into 20 stretches of time, taken as independent.

    Args:
        history: see `read`.
        burn_in: records left out at the beginning; None leaves out the first half, or none where
            the records begin after a burn-in.

    Returns:
        The summary, its errors over replicas.

    Raises:
        InvalidInputError: too few records or replicas to measure.

    Examples:
        >>> from sgdyson.analysis import History
        >>> from sgdyson.ensembles import GaussianEnsemble
        >>> levels = GaussianEnsemble(2, width=0.1).eigenvalues(2000, random_state=0)[:, None, ::-1]
        >>> width = summarise(History("pair", levels)).main.width
        >>> bool(abs(width.value - 0.1) < 4 * width.error < 0.01)
        True
    """
    notes = list(history.notes)
    times = history.levels.shape[1]
    if burn_in is None:
        burn_in = 0 if history.stationary or times == 1 else times // 2
        if burn_in:
            notes.append(f"the first {burn_in} of {times} records are left out as burn-in")
    require(
        0 <= burn_in < times,
        f"{history.source}: a burn-in of {burn_in} records leaves none of {times}.",
    )
    late = history.levels[:, burn_in:]
    # at all records: what diverged during the burn-in is no replica after it
    finite = np.asarray(np.isfinite(history.levels).all(axis=(1, 2)))
    repeated = copies(np.where(finite[:, None, None], late, 0.0))
    left_out = [place for group in repeated for place in group[1:]]
    good = finite.copy()
    good[left_out] = False
    levels = late[good]
    if repeated:
        notes.append(f"{len(left_out)} replicas repeat another bit for bit and are not counted")
    replicas = len(levels)
    require(replicas > 0, f"{history.source}: no replica has finite levels only.")
    if replicas == 1:
        levels = _cut(levels, history.source)
        notes.append(f"one replica: its errors are those of {len(levels)} stretches of time")
    groups = history.multiplets
    if groups is None:
        groups = _guess(levels)
        notes.append("levels closer than 3 of their standard deviations are taken as a multiplet")
    if still_drift(levels):
        notes.append("the levels still drift in these records; give a longer burn-in")
    measured = [measure_multiplet(levels, group, history.beta) for group in groups]
    for pair in (each.pair for each in measured if each.pair):
        _ = pair.wigner  # now: what cannot be tested is told as a mistake of this history
    names = history.names
    return Summary(
        source=history.source, learning_rate=history.learning_rate, batch_size=history.batch_size,
        label_noise=history.label_noise, matrix=history.matrix, n_replicas=replicas,
        records=late.shape[1], diverged=int((~finite).sum()),
        copies=[[int(names[i]) for i in g] for g in repeated],
        multiplets=measured, notes=notes, beta=history.beta,
        shared_inputs=history.shared_inputs,
    )  # fmt: skip


def _cut(levels: Floats, source: str) -> Floats:
    """Stretches of the time of one replica, (stretch, time, level)."""
    length = levels.shape[1] // _BLOCKS
    require(
        length >= 1,
        f"{source}: one replica with {levels.shape[1]} records is too little for an error; give"
        f" at least {_BLOCKS} records, or several replicas.",
    )
    return levels[0, : length * _BLOCKS].reshape(_BLOCKS, length, -1)


def _guess(levels: Floats) -> list[Multiplet]:
    """Levels whose distributions overlap as those of repelling levels do."""
    mean, spread = levels.mean(axis=(0, 1)), levels.std(axis=(0, 1))
    apart = -np.diff(mean) > _APART * np.hypot(spread[:-1], spread[1:])
    groups = np.split(np.arange(mean.size), np.flatnonzero(apart) + 1)
    return [Multiplet(tuple(map(int, g)), float(mean[g].mean())) for g in groups]
