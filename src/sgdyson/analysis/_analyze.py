"""What `sgdyson analyze` does: every history at some paths, measured; the lines through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._tabular import Table, Tabular, frame
from ..errors import InvalidInputError
from ._history import History
from ._multiplet import measured_columns, measured_heads, span
from ._names import short_names
from ._read import read
from ._scaling import HistoryScaling, scaling_lines
from ._summary import Summary, summarise

if TYPE_CHECKING:
    from pandas import DataFrame

_HEADS = {
    "source": "source", "learning_rate": "alpha", "batch_size": "|B|", "replicas": "replicas",
    "levels": "levels",
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(Tabular):
    """What was measured at a path, or at several.

    Attributes:
        summaries: one a history that could be measured.
        lines: lines of the linear scaling rule through them.
        failures: a sentence for each file or setting that could not be read or measured.
    """

    summaries: list[Summary]
    lines: list[HistoryScaling]
    failures: list[str]

    def to_frame(self) -> DataFrame:
        """A pandas data frame, a row a multiplet of each history, as in `rows`.

        Raises:
            InvalidInputError: pandas is not installed.
        """
        return frame(self.rows())

    def _table(self) -> Table:
        many = [(summary, each) for summary in self.summaries for each in summary.multiplets]
        measured = [each for _, each in many]
        names = short_names(summary.source for summary in self.summaries)
        columns: dict[str, list[Any]] = {
            "source": [names[summary.source] for summary, _ in many],
            "learning_rate": [summary.learning_rate for summary, _ in many],
            "batch_size": [summary.batch_size for summary, _ in many],
            "replicas": [summary.n_replicas for summary, _ in many],
            "levels": [span(each.indices) for each in measured],
            **measured_columns(measured),
        }
        title = f"{len(self.summaries)} histories, lines of the scaling rule: {len(self.lines)}"
        return Table(title, columns, _HEADS | measured_heads(measured), self.failures)

    def entries(self) -> list[dict[str, Any]]:
        """Plain values, one entry a history, each with the scaling lines it is a point of."""
        return [
            {**summary.to_dict(),
             "scaling": [line.to_dict() for line in self.lines if summary in line.points]}
            for summary in self.summaries
        ]  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """Plain values, one row a multiplet, all with the same keys."""
        return [row for summary in self.summaries for row in summary.rows()]


def analyze(
    path: Path | str | Sequence[Path | str],
    *,
    burn_in: int | None = None,
    array: str | None = None,
    axes: tuple[str, ...] | None = None,
    learning_rate: float | None = None,
    batch_size: float | None = None,
    label_noise: float | None = None,
    beta: int | None = None,
) -> Analysis:
    """Measure every history at a path or several, and the scaling lines through them.

    Args:
        path: see `read`.
        burn_in: see `summarise`.
        array: name of the array in an `.npz`, see `read`.
        axes: meaning of each axis of the array, see `read`.
        learning_rate: alpha, where the file does not tell.
        batch_size: |B|, where the file does not tell.
        label_noise: epsilon of the labels, where the file does not tell.
        beta: Dyson index of the weights, 1, 2 or 4, where the file does not tell.

    Raises:
        InvalidInputError: nothing there, a single file that is no history.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> from sgdyson.ensembles import GaussianEnsemble
        >>> levels = GaussianEnsemble(2).eigenvalues(200, random_state=0)[:, None, ::-1]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(Path(folder, "levels.npy"), levels)
        ...     analysis = analyze(Path(folder, "levels.npy"), axes=("replica", "time", "level"))
        >>> [(each.n_replicas, each.main.indices) for each in analysis.summaries]
        [(200, (0, 1))]
    """
    failures: list[str] = []
    histories = read(
        path, array=array, axes=axes, learning_rate=learning_rate, batch_size=batch_size,
        label_noise=label_noise, beta=beta, failures=failures,
    )  # fmt: skip
    summaries = list(_measured(histories, burn_in, failures))
    return Analysis(summaries, scaling_lines(summaries), failures)


def _measured(
    histories: list[History], burn_in: int | None, failures: list[str]
) -> Iterator[Summary]:
    for history in histories:
        try:
            yield summarise(history, burn_in)
        except InvalidInputError as error:
            failures.append(str(error))
