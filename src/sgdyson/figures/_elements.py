"""What a figure is made of: declared once, drawn by Matplotlib and by Plotly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .._types import Floats

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
class Heatmap:
    """Numbers on a grid: value (row, column) at y (row,), x (column,); NaN stays white."""

    x: Floats
    y: Floats
    value: Floats
    label: str
    value_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Regions:
    """Shares on a grid, (name, row, column), adding up to one: the mixture of their colours.

    Without names there is no legend.
    """

    x: Floats
    y: Floats
    shares: Floats
    names: Sequence[str]
    colours: Sequence[int]


@dataclass(frozen=True)
class Drawing:
    """A graph: nodes (node, 2) in the unit square, edges as pairs of nodes, a label a node."""

    nodes: Floats
    edges: Sequence[tuple[int, int]]
    labels: Sequence[str]


Mark: TypeAlias = (
    Points | Line | Histogram | VerticalLines | HorizontalLine | Heatmap | Regions | Drawing
)


def colour_of(index: int | None) -> str:
    """The colour of a mark: its place in the palette, from the beginning again; ink for none."""
    return INK if index is None else PALETTE[index % len(PALETTE)]


def mixed(regions: Regions) -> Floats:
    """Red, green and blue from 0 to 1 of every cell, (row, column, 3)."""
    codes = [colour_of(index) for index in regions.colours]
    colours = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes]) / 255
    return np.clip(np.tensordot(regions.shares, colours, axes=(0, 0)), 0, 1)


def cell_edges(centres: Floats, log: bool) -> Floats:
    """Borders between the cells of a grid, half-way, of the logarithm if the axis has one."""
    x = np.log(centres) if log else np.asarray(centres, dtype=float)
    middle = (x[1:] + x[:-1]) / 2
    # the outermost are as far from their centres as the next ones are on the other side
    edges = np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
    return np.exp(edges) if log else edges


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    marks: Sequence[Mark]
    x_label: str
    y_label: str
    title: str | None = None
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_log: bool = False
    y_log: bool = False
    legend_below: bool = False

    @property
    def is_drawing(self) -> bool:
        """A schematic picture, without axes."""
        return any(isinstance(mark, Drawing) for mark in self.marks)
