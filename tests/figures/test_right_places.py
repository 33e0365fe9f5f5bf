"""Each number at its place: on its axis, with its own error, in its own column."""

import json
import re

import numpy as np
import pytest

from sgdyson import figures
from sgdyson.figures import Figure, HorizontalLine, Line, Panel, Points, VerticalLines, write_report

X = np.array([1.0, 10.0, 100.0])
POINTS = Points(X, X**2, y_error=X / 5, x_error=X / 10)
LOG_X = Panel([POINTS], "across", "up", x_range=(1, 1000), y_range=(0, 7), x_log=True)
RULES = Panel(
    [HorizontalLine(2.0), VerticalLines(np.array([3.0])), Line(X, X), Line(X, X, dashed=True)],
    "across", "up",
)  # fmt: skip


def test_on_the_page():
    panel = figures.to_plotly(LOG_X)
    (trace,), layout = panel["data"], panel["layout"]
    assert trace["error_x"]["array"] == [0.1, 1.0, 10.0]
    assert trace["error_y"]["array"] == [0.2, 2.0, 20.0]
    assert layout["xaxis"]["title"]["text"] == "across"
    assert layout["yaxis"]["title"]["text"] == "up"
    assert layout["xaxis"]["type"] == "log"
    assert "type" not in layout["yaxis"]
    assert layout["xaxis"]["range"] == [0.0, 3.0]  # Plotly asks for powers of ten there
    assert layout["yaxis"]["range"] == [0, 7]


def test_lines_across_the_page_stand_at_their_number_and_span_the_panel():
    level, upright = figures.to_plotly(RULES)["layout"]["shapes"]
    assert (level["y0"], level["y1"], level["x0"], level["x1"]) == (2.0, 2.0, 0, 1)
    assert level["xref"] == "paper"
    assert "yref" not in level
    assert (upright["x0"], upright["x1"], upright["y0"], upright["y1"]) == (3.0, 3.0, 0, 1)
    assert upright["yref"] == "paper"
    assert "xref" not in upright


def test_in_print():
    axes = figures.draw(Figure("f", "t", "c", [LOG_X])).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("across", "up")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert (axes.get_xlim(), axes.get_ylim()) == ((1, 1000), (0, 7))
    across, up = axes.containers[0].lines[2]
    np.testing.assert_allclose([s[:, 0] for s in across.get_segments()], np.outer(X, [0.9, 1.1]))
    np.testing.assert_allclose(
        [s[:, 1] for s in up.get_segments()], np.stack([X**2 - X / 5, X**2 + X / 5], axis=1)
    )


def test_lines_in_print_are_dashed_where_that_is_asked_for():
    level, upright, whole, dashed = figures.draw(Figure("f", "t", "c", [RULES])).axes[0].lines
    assert list(level.get_ydata()) == [2.0, 2.0]
    assert list(upright.get_xdata()) == [3.0, 3.0]
    assert (whole.get_linestyle(), dashed.get_linestyle()) == ("-", "--")


@pytest.mark.parametrize(("width", "columns"), [(3.375, 1), (5.0, 2), (7.0, 3)])
def test_panels_stand_side_by_side_as_far_as_they_can_be_read(width, columns):
    """A panel needs 2.2 inches."""
    figure = Figure("f", "t", "c", [Panel([Line(X, X)], "x", "y")] * 3, columns=3)
    axes = figures.draw(figure, width=width).axes
    assert {each.get_subplotspec().get_gridspec().ncols for each in axes} == {columns}


def test_no_file_tells_the_day_on_which_it_was_made(tmp_path):
    figures.save(Figure("f", "t", "c", [RULES]), tmp_path, ("pdf", "png", "svg"))
    assert b"CreationDate" not in (tmp_path / "f.pdf").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "f.svg").read_bytes()


def page_of(path, passed):
    checks = [
        {"name": f"n{k}", "figure": "one", "quantity": "q", "setting": {"alpha": 4.0},
         "measured": 1.5, "error": 0.3, "predicted": 2.0, "ratio": 0.75, "tolerance": 1.0,
         "passed": held}
        for k, held in enumerate(passed)
    ]  # fmt: skip
    pair = [
        Figure(n, n, "", [Panel([Line(X, k * X)], n, "")]) for k, n in enumerate(("one", "two"))
    ]
    write_report(
        path, title="t", subtitle="s", checks=checks, figures=pair, runs=[{"run": "r", "n": 3}],
        command="again", elapsed="soon", versions={},
    )  # fmt: skip
    return path.read_text()


def test_numbers_of_a_check_stand_below_their_headings(tmp_path):
    text = page_of(tmp_path / "page.html", [True])
    table = re.search(r'id="checks-table".*?</table>', text, re.DOTALL).group()
    heads = re.findall("<button>(.*?)</button>", table)
    row = re.search("<tbody><tr>(.*?)</tr>", table).group(1)
    cells = [re.sub("<.*?>", "", cell) for cell in re.findall("<td.*?</td>", row)]
    keys = [re.search('data-value="(.*?)"', cell) for cell in re.findall("<td.*?</td>", row)]
    told = dict(zip(heads, cells, strict=True))
    assert told == {
        "holds": "yes", "quantity": "q", "setting": "alpha = 4.0", "measured": "1.5(3)",
        "predicted": "2", "ratio": "0.7500", "allowed": "± 1", "figure": "one", "name": "n0",
    }  # fmt: skip
    numbers = {head: float(key[1]) for head, key in zip(heads, keys, strict=True) if key}
    assert numbers == {"measured": 1.5, "predicted": 2.0, "ratio": 0.75, "allowed": 1.0}


@pytest.mark.parametrize("passed", [[True, True], [True, False], [False, False]])
def test_one_check_that_fails_makes_the_verdict_a_bad_one(tmp_path, passed):
    text = page_of(tmp_path / "page.html", passed)
    mood, verdict = re.search('<p class="verdict ?(.*?)">(.*?)</p>', text).groups()
    assert mood == ("" if all(passed) else "bad")
    assert verdict == f"{sum(passed)} of 2 checks hold"


def test_every_figure_has_panels_of_its_own(tmp_path):
    text = page_of(tmp_path / "page.html", [True])
    panels = json.loads(re.search(r'id="panels">(.*?)</script>', text, re.DOTALL).group(1))
    assert {name: panel["layout"]["xaxis"]["title"]["text"] for name, panel in panels.items()} == {
        "panel-one-0": "one",
        "panel-two-0": "two",
    }


def test_numbers_on_the_page_are_finer_than_a_pixel():
    x = np.array([1.234567, 765.4321])
    (trace,) = figures.to_plotly(Panel([Line(x, -x)], "", ""))["data"]
    np.testing.assert_allclose([trace["x"], trace["y"]], [x, -x], rtol=1e-5)
