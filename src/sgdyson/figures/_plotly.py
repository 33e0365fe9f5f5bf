"""Figures for the page: one interactive Plotly graph a panel."""

import re
from functools import singledispatch
from typing import Any

import numpy as np

from ._elements import (
    PALETTE,
    Drawing,
    Heatmap,
    Histogram,
    HorizontalLine,
    Line,
    Panel,
    Points,
    Regions,
    VerticalLines,
    colour_of,
)

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x")
_WORDS = {
    r"\alpha": "α", r"\kappa": "κ", r"\lambda": "λ", r"\sigma": "σ", r"\epsilon": "ε",
    r"\Omega": "Ω", r"\rho": "ρ", r"\pi": "π", r"\mu": "μ", r"\phi": "φ", r"\Delta": "Δ",
    r"\langle": "⟨", r"\rangle": "⟩", r"\,": " ", r"\mathrm": "",
}  # fmt: skip


def to_html(text: str | None) -> str:
    r"""The small part of LaTeX that labels use, in HTML: `$\langle S\rangle$` becomes ⟨S⟩."""
    if not text:
        return ""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\$([^$]*)\$", lambda match: _math(match.group(1)), escaped)


def _math(source: str) -> str:
    for word, sign in sorted(_WORDS.items(), key=lambda pair: -len(pair[0])):
        source = source.replace(word, sign)
    for pattern, html in (
        (r"\\sqrt\{([^{}]*)\}", r"√(\1)"),
        (r"\^\{([^{}]*)\}", r"<sup>\1</sup>"),
        (r"\^(.)", r"<sup>\1</sup>"),
        (r"_\{\{?([^{}]*)\}\}?", r"<sub>\1</sub>"),
        (r"_(.)", r"<sub>\1</sub>"),
    ):
        source = re.sub(pattern, html, source)
    return source.replace("√(π)", "√π").replace("-", "−").replace("{", "").replace("}", "")


def to_plotly(panel: Panel) -> dict[str, Any]:
    """A panel as Plotly's plain `data` and `layout`."""
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    for mark in panel.marks:
        if isinstance(mark, VerticalLines | HorizontalLine):
            shapes.extend(_rules(mark))
        else:
            data.extend(_traces(mark))
    axis = {"showgrid": False, "zeroline": False, "showline": True, "linecolor": "#888", "ticks":
            "outside", "ticklen": 4, "automargin": True}  # fmt: skip
    hidden = {"visible": False} if panel.is_drawing else {}
    layout: dict[str, Any] = {
        "xaxis": axis | {"title": {"text": to_html(panel.x_label)}} | hidden,
        "yaxis": axis | {"title": {"text": to_html(panel.y_label)}} | hidden,
        "showlegend": any(trace.get("showlegend") for trace in data + shapes),
        "legend": {"orientation": "h", "y": -0.28, "x": 0, "font": {"size": 11}},
        "margin": {"l": 55, "r": 12, "t": 34 if panel.title else 12, "b": 45},
        "shapes": shapes,
        "hovermode": "closest",
    }
    if panel.title:
        layout["title"] = {"text": to_html(panel.title), "font": {"size": 13}, "y": 0.97}
    for name, log, ends in (
        ("xaxis", panel.x_log, panel.x_range), ("yaxis", panel.y_log, panel.y_range),
    ):  # fmt: skip
        if log:
            layout[name]["type"] = "log"
        if ends:
            # Plotly tells the ends of a logarithmic axis by their exponents
            layout[name]["range"] = [float(np.log10(end)) if log else end for end in ends]
    return {"data": data, "layout": layout}


def _rules(mark: VerticalLines | HorizontalLine) -> list[dict[str, Any]]:
    """Dashed lines across the panel; the first of them stands in the legend."""
    style = {"type": "line", "line": {"color": colour_of(mark.colour), "width": 1, "dash": "dash"}}
    if isinstance(mark, HorizontalLine):
        places = [{"y0": mark.y, "y1": mark.y, "x0": 0, "x1": 1, "xref": "paper"}]
    else:
        places = [
            {"x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper"}
            for x in _numbers(np.atleast_1d(mark.x))
        ]
    rules = [style | place for place in places]
    if mark.label:
        rules[0] |= {"name": to_html(mark.label), "showlegend": True}
    return rules


def _numbers(values: Any) -> list[float]:
    # six digits: finer than a pixel, and a page of less text
    return [float(f"{value:.6g}") for value in np.asarray(values, dtype=float)]


@singledispatch
def _traces(mark: Any) -> list[dict[str, Any]]:
    raise TypeError(f"cannot draw {type(mark).__name__}")


@_traces.register
def _(mark: Points) -> list[dict[str, Any]]:
    trace = _scatter(mark.x, mark.y, mark.label, "markers")
    number = mark.colour or 0
    symbol = SYMBOLS[number % len(SYMBOLS)]
    trace["marker"] = {"color": colour_of(mark.colour), "symbol": symbol, "size": 7}
    for name, error in (("error_x", mark.x_error), ("error_y", mark.y_error)):
        if error is not None:
            trace[name] = {"type": "data", "array": _numbers(error), "thickness": 1}
    return [trace]


@_traces.register
def _(mark: Line) -> list[dict[str, Any]]:
    trace = _scatter(mark.x, mark.y, mark.label, "lines")
    dash = "dash" if mark.dashed else "solid"
    trace["line"] = {"color": colour_of(mark.colour), "width": 1.6, "dash": dash}
    return [trace]


@_traces.register
def _(mark: Histogram) -> list[dict[str, Any]]:
    # a step from edge to edge, down to zero at both ends
    x = np.repeat(mark.edges, 2)
    y = np.concatenate([[0.0], np.repeat(mark.density, 2), [0.0]])
    trace = _scatter(x, y, mark.label, "lines")
    colour = colour_of(mark.colour)
    trace |= {"line": {"color": colour, "width": 1}, "fill": "tozeroy", "fillcolor": colour + "33"}
    return [trace]


@_traces.register
def _(mark: Heatmap) -> list[dict[str, Any]]:
    low, high = mark.value_range or (None, None)
    return [_cells(mark, mark.value, mark.label) | {"zmin": low, "zmax": high}]


@_traces.register
def _(mark: Regions) -> list[dict[str, Any]]:
    # of each cell the largest share; a mixture of colours has no scale
    count = len(mark.names)
    stops = [
        [(i + end) / count, colour_of(c)] for i, c in enumerate(mark.colours) for end in (0, 1)
    ]
    trace = _cells(mark, np.argmax(mark.shares, axis=0), "")
    trace |= {"colorscale": stops, "zmin": -0.5, "zmax": count - 0.5}
    trace["colorbar"] |= {"tickvals": list(range(count)), "ticktext": list(mark.names)}
    return [trace]


def _cells(mark: Heatmap | Regions, value: Any, label: str) -> dict[str, Any]:
    return {
        "type": "heatmap", "x": _numbers(mark.x), "y": _numbers(mark.y), "colorscale": "Cividis",
        "z": [[None if np.isnan(v) else float(f"{v:.4g}") for v in row] for row in value],
        "colorbar": {"title": {"text": to_html(label)}},
    }  # fmt: skip


@_traces.register
def _(mark: Drawing) -> list[dict[str, Any]]:
    x: list[float | None] = []
    y: list[float | None] = []
    for start, end in mark.edges:
        x += [*mark.nodes[[start, end], 0].tolist(), None]
        y += [*mark.nodes[[start, end], 1].tolist(), None]
    lines = {"type": "scatter", "x": x, "y": y, "mode": "lines", "hoverinfo": "skip",
             "line": {"color": "#bbb", "width": 1}}  # fmt: skip
    colours = [PALETTE[1] if upper else PALETTE[0] for upper in mark.nodes[:, 1] > 0.5]
    nodes = {
        "type": "scatter", "mode": "markers+text", "hoverinfo": "skip",
        "x": mark.nodes[:, 0].tolist(), "y": mark.nodes[:, 1].tolist(),
        "text": [to_html(label) for label in mark.labels],
        "textfont": {"color": "white", "size": 11},
        "marker": {"size": 26, "color": colours},
    }  # fmt: skip
    return [lines, nodes]


def _scatter(x: Any, y: Any, label: str | None, mode: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": mode,
        "x": _numbers(x),
        "y": _numbers(y),
        "name": to_html(label),
        "showlegend": bool(label),
    }
