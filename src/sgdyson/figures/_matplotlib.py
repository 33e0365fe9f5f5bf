"""Figures for print: vector PDF and PNG."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .._checks import positive
from .._files import replacing
from ..errors import require
from ._backend import prepare_matplotlib
from ._elements import Panel
from ._matplotlib_marks import draw_mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from ._figure import Figure

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
_STAMPS = {"pdf": "CreationDate", "png": "Software", "svg": "Date"}  # that change with the day


def draw(
    figure: Figure,
    *,
    width: float | None = None,
    axes: Axes | Sequence[Axes] | None = None,
    style: Style = (),
) -> Canvas:
    """Draw a figure with Matplotlib.

    Args:
        figure: to be drawn.
        width: of the page or of its column in inches, such as 3.375 or 7 of the Physical Review;
            panels stand side by side as far as their text stays readable, below each other
            otherwise. By default half a page for one panel, a page for several.
        axes: of your own, one a panel, to draw into instead.
        style: settings of Matplotlib on top of `STYLE`, as a dictionary, the name of a style, or
            the path of one.

    Returns:
        The figure of Matplotlib, to be saved with its `savefig`; of your axes the one they are in.

    Raises:
        InvalidInputError: a width that is not positive, another number of axes than of panels.

    Examples:
        >>> from sgdyson.figures import Figure, Line, Panel
        >>> line = Figure("line", "A line", "", [Panel([Line([0.0, 1.0], [0.0, 1.0])], "x", "y")])
        >>> float(draw(line, width=3.375).get_figwidth())
        3.375
    """
    prepare_matplotlib()
    with _styled(style):
        if axes is not None:
            return _draw_into(axes, figure)
        columns, size = _layout(figure, None if width is None else positive("width", width))
        rows = -(-len(figure.panels) // columns)
        from matplotlib.figure import Figure as Canvas

        canvas = Canvas(figsize=size, layout="constrained")
        places = canvas.subplots(rows, columns, squeeze=False).ravel()
        for place, panel in zip(places, figure.panels, strict=False):
            _draw_panel(place, panel)
        for unused in places[len(figure.panels) :]:
            unused.remove()
        if any(panel.legend_below for panel in figure.panels):
            # a legend below makes axes lower and their ticks others, whose labels the first layout
            # does not know: text would be cut
            canvas.draw_without_rendering()
    return canvas


def _styled(style: Style) -> AbstractContextManager[None]:
    """Our settings of Matplotlib, and the user's on top."""
    from matplotlib import style as styles

    return styles.context([STYLE, *([style] if isinstance(style, str | Path | dict) else style)])


def _layout(figure: Figure, width: float | None) -> tuple[int, tuple[float, float]]:
    """Panels side by side, and width and height of the whole."""
    columns = min(figure.columns, len(figure.panels))
    if width is not None:
        columns = max(min(columns, int(width / _NARROWEST)), 1)
        height = max(_ASPECT * width / columns, _LOWEST)
    else:
        width = 3.5 if columns == 1 else 7.0
        height = 2.5 if columns == 1 else 2.45 if columns == 2 else _LOWEST
    return columns, (width, height * -(-len(figure.panels) // columns))


def _draw_into(axes: Axes | Sequence[Axes], figure: Figure) -> Canvas:
    given: Sequence[Axes] = np.ravel(np.asarray(axes, dtype=object)).tolist()
    require(
        len(given) == len(figure.panels),
        f"axes: {len(given)} for the {len(figure.panels)} panels of {figure.name}; give one each.",
    )
    for place, panel in zip(given, figure.panels, strict=True):
        _draw_panel(place, panel)
    return _canvas_of(given[0])


def save(
    figure: Figure,
    folder: Path,
    kinds: Sequence[str] = ("pdf", "png"),
    *,
    width: float | None = None,
    style: Style = (),
) -> None:
    """Write NAME.pdf and NAME.png, each whole or not at all, the same bytes every time.

    Args:
        figure: to be drawn.
        folder: that exists.
        kinds: endings, of "pdf", "png" and "svg".
        width: in inches, see `draw`.
        style: see `draw`.
    """
    canvas = draw(figure, width=width, style=style)
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of Matplotlib's own fonts
    with _styled(style):
        for kind in kinds:
            metadata = {_STAMPS[kind]: None}
            with replacing(folder / f"{figure.name}.{kind}") as scratch:
                canvas.savefig(scratch, format=kind, metadata=metadata)


def png(figure: Figure) -> bytes:
    """The pixels."""
    canvas, buffer = draw(figure), io.BytesIO()
    with _styled(()):
        canvas.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw_panel(axes: Axes, panel: Panel) -> None:
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


def _canvas_of(axes: Axes) -> Canvas:
    """The whole figure, also of axes in a part of it; `get_figure(root=True)` came with 3.10."""
    canvas: Any = axes.figure.figure
    return canvas


def _inches(axes: Axes) -> float:
    """Width of a panel with its labels."""
    place = axes.get_subplotspec()
    return float(_canvas_of(axes).get_figwidth() / (place.get_gridspec().ncols if place else 1))


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
