"""Two checkpoints held against each other, matrix by matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._progress import progress_bar
from .._stored import Stored
from .._tabular import frame
from .._types import Floats
from ..errors import InvalidInputError, require
from ..spectra import MatrixDistance, Skipped, matrix_distance, weight_matrices
from ._by_name import by_name
from ._checkpoints import loaded, only_checkpoint
from ._choice import Choice

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_NAMES = 20


@dataclass(frozen=True)
class Comparison:
    """What `compare` finds.

    Attributes:
        distances: of the matrices that both checkpoints have.
        skipped: names of what is not compared, by the reason.
    """

    distances: list[MatrixDistance] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """One for each matrix."""
        return [distance.to_row() for distance in self.distances]

    def to_frame(self) -> DataFrame:
        """A pandas data frame of `rows`.

        Raises:
            InvalidInputError: pandas is not installed.
        """
        return frame(self.rows())

    def sentences(self) -> Iterator[str]:
        """What was not compared, one line a reason."""
        for reason, names in self.skipped.items():
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            yield f"not compared {len(names)}, {reason}: {', '.join(names[:_MOST_NAMES])}{more}"


def compare(
    path: Path | str,
    against: Path | str,
    split: int | Mapping[str, int] = 1,
    *,
    layout: str | Mapping[str, str] = "auto",
    rank: int | None = None,
    false_alarm: float = 0.01,
    base: Path | str | None = None,
    names: str | Sequence[str] = (),
    roles: str | Sequence[str] = (),
    smallest: int = 1,
) -> Comparison:
    """Hold a checkpoint against another: how far spectra and subspaces have moved, and what by.

    Arrays go by their names, without what wrappers put in front (`module.`, `_orig_mod.`,
    `model.`, ...).

    Args:
        path: one checkpoint, see `checkpoints`.
        against: the one it is held against, which sets the units.
        split: parts of fused matrices, see `weight_matrices`.
        layout: which axes are rows and columns, see `weight_matrices`.
        rank: number of leading vectors whose subspaces are compared, see `matrix_distance`.
        false_alarm: see `spectrum`.
        base: the model of an adapter at `path`, see `survey`; `against` may be the same, or
            another adapter, of which the base is then the same too.
        names: of arrays at `path`, see `survey`.
        roles: of these, see `survey`.
        smallest: least number of rows and of columns of a matrix.

    Raises:
        InvalidInputError: nothing that can be read, several checkpoints, or no matrix in both.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, factor in (("before", 1.0), ("after", 1.1)):
        ...         np.savez(Path(folder, name), w=factor * np.diag([3.0, 2.0, 1.0]))
        ...     comparison = compare(Path(folder, "after.npz"), Path(folder, "before.npz"))
        >>> round(comparison.distances[0].distance, 12)
        0.1
    """
    choice = Choice(names, smallest, roles)
    work = _Pairs(split, layout, rank, false_alarm, choice)
    reference = only_checkpoint(against)
    if base is not None and reference.holds_adapter():
        reference = only_checkpoint(against, base)
    with only_checkpoint(path, base).open() as mine, reference.open() as other:
        ours, theirs = by_name(choice.named(mine)), by_name(other)
        shapes = {each.name: each.shape for each in mine}
        known = by_name(mine)
        # of those asked for; what else the other has was not asked for
        alone = [] if choice.roles or choice.patterns else theirs.items()
        work.skip(Skipped(s.name, f"not in {path}") for key, s in alone if key not in known)
        with progress_bar(len(ours), True, "arrays") as advance:
            for key, stored in ours.items():
                if key in theirs:
                    work.compare(stored, theirs[key], shapes)
                else:
                    work.skip([Skipped(stored.name, f"not in {against}")])
                advance(1)
    reasons = "; ".join(work.comparison.sentences())
    require(
        bool(work.comparison.distances),
        f"{path} and {against} have no matrix in common{f' ({reasons})' if reasons else ''}.",
    )
    return work.comparison


class _Pairs:
    """A comparison under way."""

    def __init__(
        self,
        split: int | Mapping[str, int],
        layout: str | Mapping[str, str],
        rank: int | None,
        false_alarm: float,
        choice: Choice,
    ) -> None:
        self._split, self._layout, self._rank, self._rate = split, layout, rank, false_alarm
        self._choice = choice
        self.comparison = Comparison()

    def skip(self, items: Iterable[Skipped]) -> None:
        """Keep why these are not compared."""
        for item in items:
            self.comparison.skipped.setdefault(item.reason, []).append(item.name)

    def compare(self, mine: Stored, other: Stored, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """The matrices of two arrays of one name, among arrays of these shapes."""
        if (mine.factors is None) != (other.factors is None):
            self.skip([Skipped(mine.name, "a change s B A on one side alone; give its base")])
            return
        if mine.shape != other.shape:
            self.skip([Skipped(mine.name, f"of shape {mine.shape} here and {other.shape} there")])
            return
        ours = self._matrices(mine.name, mine, shapes)
        theirs = dict(self._matrices(mine.name, other, shapes))
        for name, matrix in ours:
            if name not in theirs or not self._choice.takes(matrix):
                continue
            try:
                distance = matrix_distance(
                    name, matrix, theirs[name], rank=self._rank, false_alarm=self._rate
                )
            except InvalidInputError as error:
                self.skip([Skipped(name, str(error).rstrip("."))])
            else:
                self.comparison.distances.append(distance)

    def _matrices(
        self, name: str, stored: Stored, shapes: Mapping[str, tuple[int, ...]]
    ) -> Iterator[tuple[str, Floats]]:
        array = loaded(stored)
        named = array if isinstance(array, Skipped) else (name, array[1])
        for matrix in weight_matrices([named], self._split, self._layout, shapes):
            if isinstance(matrix, Skipped):
                self.skip([matrix])
            else:
                yield matrix
