"""When outliers stepped out of their bulk, along a series of checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._checks import whole
from .._types import Floats
from ..checkpoints import Checkpoint, checkpoints
from ..errors import InvalidInputError, require
from ..spectra import FEWEST_LEVELS, Bulk, Skipped, weight_matrices
from ._emergence import Emergence, bulk_of, emergence_of
from ._level_steps import frame_of
from ._stays import Series
from ._vectors import Vectors, leading


@dataclass(frozen=True)
class _Snapshot:
    """One matrix of one checkpoint."""

    shape: tuple[int, int]
    bulk: Bulk | None
    vectors: Vectors

    @classmethod
    def of(cls, matrix: Floats, count: int, false_alarm: float) -> _Snapshot:
        frame, shape = frame_of(matrix), (matrix.shape[0], matrix.shape[1])
        return cls(shape, bulk_of(frame.s, shape, false_alarm), leading(matrix, count, frame))


def emergence_of_checkpoints(
    path: Path | str | Iterable[Path | str],
    *,
    vectors: int = 8,
    false_alarm: float = 0.01,
    split: int | Mapping[str, int] = 1,
    layout: str | Mapping[str, str] = "auto",
    base: Path | str | None = None,
) -> dict[str, Emergence]:
    """When the outliers of each matrix left its bulk, along a series of checkpoints.

    As `emergence`, and since weights are there, with what is left of the vectors of each checkpoint
    in the next, and how much of the final ones is there already: `Emergence.final`, and
    `Detachment.settled`, from when on a mode is what it will be. One array is held at a time, and
    the vectors of all checkpoints.

    Args:
        path: a folder of checkpoints, see `checkpoints`; or several, in the order of time, which
            are numbered where they have no step.
        vectors: leading levels whose vectors are compared.
        false_alarm: chance of an outlier in a checkpoint of noise.
        split: parts of fused matrices, see `weight_matrices`.
        layout: which axes are rows and columns, see `weight_matrices`.
        base: the model that adapters at `path` belong to, see `checkpoints`.

    Returns:
        By name of the matrix; those without a bulk at any checkpoint, or that not all checkpoints
        have in one shape, are left out.

    Raises:
        InvalidInputError: fewer than two checkpoints, or no matrix with a bulk.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> random, folder = np.random.default_rng(0), tempfile.TemporaryDirectory()
        >>> noise = random.standard_normal((60, 40))
        >>> for step in range(8):
        ...     weights = noise + np.outer(np.eye(60)[0], np.eye(40)[0]) * 6.0 * step  # 7 are seen
        ...     np.savez(Path(folder.name, f"step{step}.npz"), w=weights)
        >>> (mode,) = emergence_of_checkpoints(folder.name)["w"].detachments
        >>> folder.cleanup(); mode.rank, mode.step, mode.settled
        (1, 1.5(3), 1.5(3))
    """
    count = whole("vectors", vectors)
    series = _checkpoints(path, base)
    require(
        len(series) > 1,
        f"{path} holds {len(series)} checkpoint; a mode steps out between two or more.",
    )
    places = np.array([step for step, _ in series])
    spectra = [
        {name: _Snapshot.of(w, count, false_alarm) for name, w in _matrices(each, split, layout)}
        for _, each in series
    ]
    results = {}
    for name, last in spectra[-1].items():
        along = [
            matrices[name]
            for matrices in spectra
            if name in matrices and matrices[name].shape == last.shape
        ]
        if len(along) == len(spectra):
            with suppress(InvalidInputError):  # no bulk at any of them
                results[name] = emergence_of(name, _series(places, along), false_alarm)
    require(bool(results), f"{path} holds no matrix with a bulk that all checkpoints have.")
    return results


def _matrices(
    each: Checkpoint, split: int | Mapping[str, int], layout: str | Mapping[str, str]
) -> Iterator[tuple[str, Floats]]:
    """Those that are large enough for a bulk."""
    for item in weight_matrices(each.arrays(), split, layout):
        if not isinstance(item, Skipped) and min(item[1].shape) >= FEWEST_LEVELS:
            yield item


def _checkpoints(
    path: Path | str | Iterable[Path | str], base: Path | str | None
) -> list[tuple[int, Checkpoint]]:
    """With their steps, or numbers where they have none."""
    if isinstance(path, Path | str):
        series = checkpoints(path, base)
    else:
        series = [each for folder in path for each in checkpoints(folder, base)]
    steps = [each.step for each in series]
    if any(step is None for step in steps) or len(set(steps)) < len(steps):
        steps = list(range(len(series)))
    return [(int(step or 0), each) for step, each in zip(steps, series, strict=True)]


def _series(steps: NDArray[np.int64], along: Sequence[_Snapshot]) -> Series:
    """Overlaps of each with the one before, and of the last with each."""
    vectors = [each.vectors for each in along]
    overlaps = np.full((len(along), vectors[0].left.shape[1], 3), np.nan)
    for record in range(1, len(along)):
        overlaps[record] = vectors[record].kept(vectors[record - 1])
    final = np.array([vectors[-1].kept(each)[:, :2] for each in vectors])
    return Series(steps, [each.bulk for each in along], overlaps, final)
