"""What a figure is made of: declared once, drawn by Matplotlib and by Plotly."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Okabe and Ito, "Color universal design" (2008); without yellow, which vanishes on paper
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555")
INK = "#222222"


@dataclass(frozen=True)
class Points:
    """Measured points with error bars; arrays of one shape."""

    x: Floats
    y: Floats
    y_error: Floats | None = None
    x_error: Floats | None = None
    label: str | None = None
    colour: int | None = 0


@dataclass(frozen=True)
class Line:
    """A curve; black without a colour."""

    x: Floats
    y: Floats
    label: str | None = None
    dashed: bool = False
    colour: int | None = None


@dataclass(frozen=True)
class Histogram:
    """A density in bins: edges (bin + 1,), density (bin,)."""

    edges: Floats
    density: Floats
    label: str | None = None
    colour: int | None = 0


@dataclass(frozen=True)
class VerticalLines:
    """Dashed lines at these x."""

    x: Floats
    label: str | None = None
    colour: int | None = None


@dataclass(frozen=True)
class HorizontalLine:
    """A dashed line at y."""

    y: float
    label: str | None = None
    colour: int | None = None


@dataclass(frozen=True)
class Drawing:
    """A graph: nodes (node, 2) in the unit square, edges as pairs of nodes, a label a node."""

    nodes: Floats
    edges: Sequence[tuple[int, int]]
    labels: Sequence[str]


Mark: TypeAlias = Points | Line | Histogram | VerticalLines | HorizontalLine | Drawing


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    marks: Sequence[Mark]
    x_label: str
    y_label: str
    title: str | None = None
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None

    @property
    def is_drawing(self) -> bool:
        """A schematic picture, without axes."""
        return any(isinstance(mark, Drawing) for mark in self.marks)


@dataclass(frozen=True)
class Figure:
    """A named figure of one panel or several; labels may hold $math$."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel] = field(repr=False)
    columns: int = 3
