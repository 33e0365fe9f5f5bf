"""A canvas of Matplotlib: panels side by side, in our style."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ._backend import prepare_matplotlib
from ._elements import Panel
from ._matplotlib_marks import draw_mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Style: TypeAlias = str | Path | dict[str, Any] | Sequence[str | Path | dict[str, Any]]

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 9,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "mathtext.fontset": "cm",
    "pdf.fonttype": 42,  # TrueType: text stays text
    "savefig.dpi": 200,
    "svg.hashsalt": "sgdyson",
}
_NARROWEST = 2.2  # inches of a panel, below which its labels do not fit
_TWO_COLUMNS = 3.0  # inches of a panel, from which a legend below it has two columns
_ASPECT, _LOWEST = 0.71, 2.2  # height of a panel by its width, and at least, in inches


def canvas_of(panels: Sequence[Panel], columns: int, width: float | None = None) -> Canvas:
    """Panels drawn, at most so many side by side; the settings of Matplotlib are the caller's."""
    columns, size = _layout(len(panels), columns, width)
    rows = -(-len(panels) // columns)
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=size, layout="constrained")
    places = canvas.subplots(rows, columns, squeeze=False).ravel()
    for place, panel in zip(places, panels, strict=False):
        draw_panel(place, panel)
    for unused in places[len(panels) :]:
        unused.remove()
    if any(panel.legend_below for panel in panels):
        # a legend below makes axes lower and their ticks others, whose labels the first layout
        # does not know: text would be cut
        canvas.draw_without_rendering()
    return canvas


def png(panels: Sequence[Panel], columns: int) -> bytes:
    """The pixels, whatever the user's own settings of Matplotlib."""
    prepare_matplotlib()
    buffer = io.BytesIO()
    with styled(()):
        canvas_of(panels, columns).savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def styled(style: Style) -> AbstractContextManager[None]:
    """Our settings of Matplotlib, and the user's on top."""
    from matplotlib import style as styles

    return styles.context([STYLE, *([style] if isinstance(style, str | Path | dict) else style)])


def _layout(panels: int, columns: int, width: float | None) -> tuple[int, tuple[float, float]]:
    """Panels side by side, and width and height of the whole."""
    columns = min(columns, panels)
    if width is not None:
        columns = max(min(columns, int(width / _NARROWEST)), 1)
        height = max(_ASPECT * width / columns, _LOWEST)
    else:
        width = 3.5 if columns == 1 else 7.0
        height = 2.5 if columns == 1 else 2.45 if columns == 2 else _LOWEST
    return columns, (width, height * -(-panels // columns))


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw marks, labels, ranges and the legend of a panel into its axes."""
    if panel.x_log:
        axes.set_xscale("log")
    if panel.y_log:
        axes.set_yscale("log")
    for mark in panel.marks:
        draw_mark(mark, axes)
    _thin_labels(axes)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    if panel.title:
        axes.set_title(panel.title, wrap=True)
    if panel.x_range:
        axes.set_xlim(panel.x_range)
    if panel.y_range:
        axes.set_ylim(panel.y_range)
    if panel.is_drawing:
        axes.set_axis_off()
    elif axes.get_legend_handles_labels()[1]:
        wide = _inches(axes) > _TWO_COLUMNS
        below: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.26), "ncols": 1 + wide}
        axes.legend(**(below if panel.legend_below else {}))


def whole_of(axes: Axes) -> Canvas:
    """The whole figure, also of axes in a part of it; `get_figure(root=True)` came with 3.10."""
    canvas: Any = axes.figure.figure
    return canvas


def _inches(axes: Axes) -> float:
    """Width of a panel with its labels."""
    place = axes.get_subplotspec()
    return float(whole_of(axes).get_figwidth() / (place.get_gridspec().ncols if place else 1))


def _thin_labels(axes: Axes) -> None:
    """Label 1, 2 and 5 of a logarithmic axis of up to two decades, and nothing in between."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() != "log":
            continue
        low, high = axis.get_view_interval()
        axis.set_minor_formatter(NullFormatter())
        if high / low < 100:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(LogFormatterSciNotation(minor_thresholds=(10, 10)))
