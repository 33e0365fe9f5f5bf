"""Spectra of all matrices of a checkpoint, or of a series of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._progress import progress_bar
from ..errors import require
from ..spectra import MatrixSpectrum, Skipped, spectrum, weight_matrices
from ._checkpoints import Checkpoint, checkpoints


@dataclass
class Survey:
    """What checkpoints hold.

    Attributes:
        spectra: of each checkpoint, in the order of the model as far as the file tells it.
        steps: of each; None of a single one, or where its name has no number.
        skipped: names of what has no spectrum, by the reason.
    """

    spectra: list[list[MatrixSpectrum]] = field(default_factory=list)
    steps: list[int | None] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """One for each matrix of each checkpoint."""
        return [
            ({} if step is None else {"step": step}) | found.to_row()
            for step, spectra in zip(self.steps, self.spectra, strict=True)
            for found in spectra
        ]

    def series(self) -> list[tuple[int, list[MatrixSpectrum]]]:
        """The spectra by their step, or by their number."""
        pairs = enumerate(zip(self.steps, self.spectra, strict=True))
        return [(number if step is None else step, spectra) for number, (step, spectra) in pairs]


def survey(path: Path | str, split: int = 1, **settings: Any) -> Survey:
    """Measure every matrix at a path, with a bar of the megabytes that are done.

    Args:
        path: see `checkpoints`.
        split: parts of fused matrices, see `weight_matrices`.
        **settings: of `spectrum`.

    Raises:
        InvalidInputError: nothing that can be read, or no matrix in it.
    """
    units, found = checkpoints(path), Survey()
    skipped: dict[str, dict[str, None]] = {}
    total = sum(file.stat().st_size for unit in units for file in unit.files) / 1e6
    with progress_bar(total, True, "MB") as advance:
        for unit in units:
            spectra = []
            for part in weight_matrices(_told(unit, advance), split):
                if isinstance(part, Skipped):
                    skipped.setdefault(part.reason, {})[part.name] = None
                else:
                    spectra.append(spectrum(*part, **settings))
            spectra.sort(key=lambda one: unit.place(one.name))
            found.spectra.append(spectra)
            found.steps.append(unit.step)
    require(any(found.spectra), f"{path} holds no weight matrix.")
    found.skipped = {reason: list(names) for reason, names in skipped.items()}
    return found


def _told(unit: Checkpoint, advance: Any) -> Iterator[tuple[str, np.ndarray]]:
    for name, array in unit.arrays():
        yield name, array
        advance(array.nbytes / 1e6)
