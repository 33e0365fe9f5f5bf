"""A survey under way: one checkpoint after the other, one array after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .._stored import Stored
from .._tabular import Table, Tabular, frame
from ..errors import InvalidInputError
from ..spectra import (
    MatrixSpectrum,
    Skipped,
    is_average,
    layout_of,
    spectrum,
    spectrum_of_product,
    weight_matrices,
)
from ._checkpoints import Checkpoint, loaded
from ._choice import Choice
from ._quantised import is_unscaled
from ._shards import MISSING
from ._summary import summary_of
from ._table import HEADS

if TYPE_CHECKING:
    from pandas import DataFrame

_FAULTS = (InvalidInputError, np.linalg.LinAlgError, ArithmeticError, RuntimeError, RuntimeWarning)


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
        columns = {key: [row[key] for row in rows] for key in (rows[0] if rows else {})}
        heads = {key: head for key, head in HEADS.items() if key in columns}
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


_Lists = dict[str, dict[str, None]]


class Work:
    """A survey under way."""

    def __init__(
        self,
        split: int | Mapping[str, int],
        layout: str | Mapping[str, str],
        choice: Choice,
        settings: dict[str, Any],
    ) -> None:
        self.choice = choice
        self.split, self.layout, self.settings = split, layout, settings
        self.survey, self._skipped, self._assumed = Survey(), _Lists(), _Lists()
        self._missing = _Lists()

    def finished(self) -> Survey:
        """What was found, with the lists of names."""
        self.survey.skipped, self.survey.assumed = _plain(self._skipped), _plain(self._assumed)
        self.survey.missing = _plain(self._missing)
        return self.survey

    def skip(self, items: Iterable[Skipped]) -> None:
        for item in items:
            self._skipped.setdefault(item.reason, {})[item.name] = None

    def measure(self, unit: Checkpoint, advance: Any) -> None:
        """One checkpoint."""
        self.skip(Skipped(name, MISSING) for name in unit.missing)
        with unit.open() as stored:
            spectra = list(self._spectra(stored, advance))
        spectra.sort(key=lambda m: unit.place(m.name))
        self.survey.spectra.append(spectra)
        self.survey.steps.append(unit.step)
        self.survey.labels.append(unit.label)

    def _spectra(self, stored: list[Stored], advance: Any) -> Iterator[MatrixSpectrum]:
        shapes = {item.name: item.shape for item in stored}
        stored = self.choice.named(stored)
        yield from self._products(stored)
        arrays = _arrays([item for item in stored if not self._is_thin(item)], advance)
        for matrix in weight_matrices(arrays, self.split, self.layout, shapes):
            if isinstance(matrix, Skipped):
                self.skip([matrix])
            elif self.choice.takes(matrix[1]):
                yield from self._spectrum(*matrix)
        for item in stored:
            self._assume(item, shapes)

    def _products(self, stored: list[Stored]) -> Iterator[MatrixSpectrum]:
        """Products of thin factors, by the factors: the product itself is not made."""
        for item in stored:
            if item.factors is not None and self._is_thin(item) and self.choice.takes(item):
                yield from self._spectrum(item.name, item.factors)

    def _is_thin(self, item: Stored) -> bool:
        return item.factors is not None and self.split == 1

    def _spectrum(
        self, name: str, matrix: np.ndarray | Callable[[], tuple[np.ndarray, np.ndarray]]
    ) -> Iterator[MatrixSpectrum]:
        """Measure a matrix, if it can be; tell the reason of what could not be measured."""
        try:
            measured = (
                spectrum_of_product(name, *matrix(), **self.settings)
                if callable(matrix)
                else spectrum(name, matrix, **self.settings)
            )
        except _FAULTS as error:
            self.skip([Skipped(name, str(error).rstrip("."))])
            return
        for note in measured.notes:
            self._missing.setdefault(note, {})[name] = None
        yield measured

    def _assume(self, item: Stored, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Tell how an array was taken, once for all checkpoints."""
        if item.reason is not None or not 2 <= len(item.shape) <= 5:
            return
        chosen = self.layout if isinstance(self.layout, str) else self.layout.get(item.name, "auto")
        words = layout_of(item.name, item.shape, chosen, shapes).words
        for text in (
            words and f"taken as {words}",
            item.words and f"taken as {item.words}",
            is_average(item.name) and "moving averages of weights, by their name",
            is_unscaled(item) and f"{item.dtype} without scales, taken as it is",
        ):
            if text:
                self._assumed.setdefault(text, {})[item.name] = None


def _plain(lists: _Lists) -> dict[str, list[str]]:
    return {key: list(names) for key, names in lists.items()}


def _arrays(stored: list[Stored], advance: Any) -> Iterator[tuple[str, np.ndarray] | Skipped]:
    """The arrays, with the bar moved once for many small ones."""
    done = 0.0
    for item in stored:
        array = loaded(item)
        yield array
        done += 0 if isinstance(array, Skipped) else array[1].nbytes / 1e6
        if done > 1:
            advance(done)
            done = 0.0
