"""The figure of the study `dyson-test`."""

from collections.abc import Sequence

import numpy as np

from ...figures import Figure, HorizontalLine, Mark, Panel, Points
from ._measure import Row


def index_figure(rows: Sequence[Row], shown: dict[str, str]) -> Figure:
    """Index of each level of one matrix of each architecture, under every optimiser.

    Args:
        rows: of all.
        shown: by architecture, the matrix that is drawn.
    """
    optimizers = list(dict.fromkeys(row.optimizer for row in rows))
    panels = []
    for architecture, matrix in shown.items():
        chosen = [r for r in rows if (r.architecture, r.matrix) == (architecture, matrix)]
        marks: list[Mark] = [HorizontalLine(1.0)]
        marks += [m for r in chosen if (m := _curve(r, optimizers.index(r.optimizer)))]
        label = f"level of {architecture.replace('_', ' ')}, {matrix}"
        panels.append(Panel(marks, label, r"$\beta_\mathrm{dyn}$"))
    return Figure(
        name="dyson_index",
        title="Is learning Dyson Brownian motion?",
        caption=r"Dyson index of each level, the largest first, with its neighbours: 1 where noise"
        " moves and mixes levels as independent entries do, 0 where levels do not repel.",
        panels=panels,
        columns=2,
    )


def _curve(row: Row, colour: int) -> Points | None:
    known = [(i, e) for i, e in enumerate(row.index.of_level, 1) if e] if row.index else []
    if not known:
        return None
    # side by side, so that error bars can be told apart
    x = np.array([i for i, _ in known]) + 0.08 * (colour - 3)
    y, errors = (np.array(column) for column in zip(*((e.value, e.error) for _, e in known),
                                                strict=True))  # fmt: skip
    return Points(x, y, errors, label=row.optimizer.replace("_", " "), colour=colour)
