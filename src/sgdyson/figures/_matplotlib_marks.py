"""How Matplotlib draws each mark of a panel."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from ._elements import (
    PALETTE,
    Drawing,
    Heatmap,
    Histogram,
    HorizontalLine,
    Line,
    Points,
    Regions,
    VerticalLines,
    cell_edges,
    colour_of,
    mixed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vPX"


@singledispatch
def draw_mark(mark: Any, axes: Axes) -> None:
    """Draw a mark into axes; one that is not known here is an error of ours."""
    raise TypeError(f"cannot draw {type(mark).__name__}")


@draw_mark.register(Points)
def _(mark: Points, axes: Axes) -> None:
    axes.errorbar(
        mark.x, mark.y, yerr=mark.y_error, xerr=mark.x_error, label=mark.label, linestyle="none",
        marker=MARKERS[(mark.colour or 0) % len(MARKERS)], markersize=3.5, elinewidth=0.8,
        color=colour_of(mark.colour), markerfacecolor="white", markeredgewidth=0.9,
    )  # fmt: skip


@draw_mark.register(Line)
def _(mark: Line, axes: Axes) -> None:
    axes.plot(
        mark.x, mark.y, label=mark.label, color=colour_of(mark.colour), linewidth=1.0,
        linestyle="--" if mark.dashed else "-",
    )  # fmt: skip


@draw_mark.register(Histogram)
def _(mark: Histogram, axes: Axes) -> None:
    colour = colour_of(mark.colour)
    axes.stairs(mark.density, mark.edges, fill=True, color=colour, alpha=0.25)
    axes.stairs(mark.density, mark.edges, color=colour, linewidth=0.8, label=mark.label)


@draw_mark.register(VerticalLines)
def _(mark: VerticalLines, axes: Axes) -> None:
    for number, x in enumerate(np.atleast_1d(mark.x)):
        label = mark.label if number == 0 else None
        axes.axvline(x, color=colour_of(mark.colour), linewidth=0.7, linestyle="--", label=label)


@draw_mark.register(HorizontalLine)
def _(mark: HorizontalLine, axes: Axes) -> None:
    axes.axhline(mark.y, color=colour_of(mark.colour), linewidth=0.7, linestyle="--",
                 label=mark.label)  # fmt: skip


def _edges(mark: Heatmap | Regions, axes: Axes) -> tuple[Any, Any]:
    logs = axes.get_xscale() == "log", axes.get_yscale() == "log"
    return cell_edges(mark.x, logs[0]), cell_edges(mark.y, logs[1])


@draw_mark.register(Heatmap)
def _(mark: Heatmap, axes: Axes) -> None:
    low, high = mark.value_range or (None, None)
    cells = axes.pcolormesh(
        *_edges(mark, axes), np.ma.masked_invalid(mark.value), cmap="cividis", vmin=low, vmax=high,
        edgecolors="face", linewidth=0.1,
    )  # fmt: skip
    bar = axes.figure.colorbar(cells, ax=axes, label=mark.label, pad=0.02)
    assert bar.solids is not None
    bar.solids.set(rasterized=False, edgecolor="face")  # vectors, also of 256 colours


@draw_mark.register(Regions)
def _(mark: Regions, axes: Axes) -> None:
    # edges of the colour of their cells: viewers of vectors show white hairs between cells without
    axes.pcolormesh(*_edges(mark, axes), mixed(mark), edgecolors="face", linewidth=0.1)
    for name, colour in zip(mark.names, mark.colours, strict=False):
        # nothing but its entry in the legend, which cells have none of
        axes.plot([], [], "s", color=colour_of(colour), markersize=5, label=name)


@draw_mark.register(Drawing)
def _(mark: Drawing, axes: Axes) -> None:
    for start, end in mark.edges:
        axes.plot(*mark.nodes[[start, end]].T, color="#bbbbbb", linewidth=0.5, zorder=0)
    upper = mark.nodes[:, 1] > 0.5
    x, y = mark.nodes.T
    axes.scatter(x, y, s=190, c=np.where(upper, PALETTE[1], PALETTE[0]), zorder=1)
    for at, up, label in zip(x, y, mark.labels, strict=True):
        axes.text(at, up, label, color="white", ha="center", va="center", fontsize=7)
    axes.margins(0.08)
