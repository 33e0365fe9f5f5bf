"""Figures for print: vector PDF and PNG."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._checks import positive
from .._files import replacing
from ..errors import require
from ._backend import prepare_matplotlib
from ._canvas import Style, canvas_of, draw_panel, styled, whole_of
from ._figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

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
    with styled(style):
        if axes is not None:
            return _draw_into(axes, figure)
        width = None if width is None else positive("width", width)
        return canvas_of(figure.panels, figure.columns, width)


def _draw_into(axes: Axes | Sequence[Axes], figure: Figure) -> Canvas:
    given: Sequence[Axes] = np.ravel(np.asarray(axes, dtype=object)).tolist()
    require(
        len(given) == len(figure.panels),
        f"axes: {len(given)} for the {len(figure.panels)} panels of {figure.name}; give one each.",
    )
    for place, panel in zip(given, figure.panels, strict=True):
        draw_panel(place, panel)
    return whole_of(given[0])


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
    with styled(style):
        # the layout, which takes as long as to draw, is once and the same for every kind
        canvas.draw_without_rendering()
        canvas.set_layout_engine(None)
        for kind in kinds:
            metadata = {_STAMPS[kind]: None}
            with replacing(folder / f"{figure.name}.{kind}") as scratch:
                canvas.savefig(scratch, format=kind, metadata=metadata)
