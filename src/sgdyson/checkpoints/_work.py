"""What a survey has found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._tabular import Table, Tabular, frame
from ..spectra import MatrixSpectrum
from ..stats import Estimate
from ._summary import summary_of
from ._table import HEADS, shown_columns

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(repr=False)
class Survey(Tabular):
    """What checkpoints hold.

    Attributes:
        spectra: spectra of each checkpoint, in the order of the model as far as the file tells it.
        steps: of each; None of a single one, or where nothing tells it.
        labels: name of each, without ending.
        skipped: names of what has no spectrum, by the reason.
        assumed: names of what was taken in a way that its file does not tell, by what was assumed.
        missing: names of matrices of which a number is missing, by the reason.
        notes: where steps are from, and what else was decided, one phrase each.
    """

    spectra: list[list[MatrixSpectrum]] = field(default_factory=list)
    steps: list[int | None] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    assumed: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def sentences(self) -> Iterator[str]:
        """What was skipped, what was assumed, and where steps are from, one line each."""
        for reason, names in self.skipped.items():
            yield f"skipped {len(names)}, {reason}: {', '.join(names)}"
        for what, names in self.assumed.items():
            yield f"assumed of {len(names)}, {what}: {', '.join(names)}"
        for reason, names in self.missing.items():
            yield f"of {len(names)}, {reason}: {', '.join(names)}"
        yield from self.notes

    def rows(self) -> list[dict[str, Any]]:
        """One for each matrix of each checkpoint, all with the same keys.

        With `step` where one has any, and with `checkpoint`, its name, where steps do not tell
        them apart.
        """
        rows = [
            head | matrix.to_row()
            for head, spectra in zip(self._heads(), self.spectra, strict=True)
            for matrix in spectra
        ]
        keys = dict.fromkeys(key for row in rows for key in row)
        return [{key: row.get(key) for key in keys} for row in rows]

    def summary(self) -> list[dict[str, Any]]:
        """One row for each checkpoint: means over its matrices, as estimates.

        `log_norm` and `log_spectral` are the means of lg |W|^2 (Frobenius) and lg s_max^2;
        `tail_exponent` is that of the power laws that are not rejected, and `weighted_exponent`
        the mean of exponent times lg s_max^2 (C. H. Martin, T. Peng and M. W. Mahoney, Nature
        Communications 12, 4122 (2021)), where a tail was asked for; `soft_rank` counts the
        matrices whose bulk is noise, `noisy` of them. Errors are those of a mean over matrices
        that differ; None of fewer than two.

        Examples:
            >>> import numpy as np, tempfile
            >>> from pathlib import Path
            >>> from sgdyson.checkpoints import survey
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     np.savez(Path(folder, "m.npz"), v=np.diag([4.0, 2.0]), w=np.diag([4.0, 4.0]))
            ...     (row,) = survey(Path(folder, "m.npz")).summary()
            >>> row["matrices"], row["stable_rank"]  # 1.25 and 2
            (2, 1.6(4))
        """
        return [
            head | summary_of(spectra)
            for head, spectra in zip(self._heads(), self.spectra, strict=True)
            if spectra
        ]

    def _heads(self) -> list[dict[str, Any]]:
        """Columns that tell checkpoints apart."""
        stepped = any(step is not None for step in self.steps)
        labelled = len(self.steps) > 1 and len(set(self.steps) - {None}) < len(self.steps)
        return [
            ({"step": step} if stepped else {}) | ({"checkpoint": label} if labelled else {})
            for step, label in zip(self.steps, self.labels, strict=True)
        ]

    def to_frame(self) -> DataFrame:
        """A pandas data frame of `rows`.

        Raises:
            InvalidInputError: pandas is not installed.
        """
        return frame(self.rows())

    def _table(self) -> Table:
        rows = self.rows()
        columns = {key: [_cell(row, key) for row in rows] for key in (rows[0] if rows else {})}
        heads = {key: HEADS[key] for key in shown_columns(rows, HEADS)}
        title = f"{len(rows)} spectra, checkpoints: {len(self.labels)}"
        return Table(title, columns, heads, list(self.sentences()))

    def series(self) -> list[tuple[int, list[MatrixSpectrum]]]:
        """The spectra by their step, the first of each; by their number where none has a step."""
        measured = [
            (step, spectra)
            for step, spectra in zip(self.steps, self.spectra, strict=True)
            if spectra
        ]
        by_step: dict[int, list[MatrixSpectrum]] = {}
        for step, spectra in measured:
            if step is not None:
                by_step.setdefault(step, spectra)
        if by_step:
            return list(by_step.items())
        return [(number, spectra) for number, (_, spectra) in enumerate(measured)]


def _cell(row: dict[str, Any], key: str) -> Any:
    """A value, with its error where the row has one."""
    value, error = row[key], row.get(f"{key}_error")
    return value if value is None or error is None else Estimate(value, error, 1.0)
