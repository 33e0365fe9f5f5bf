"""Every mark in both renderers, and the words on the axes."""

import io
import os
import subprocess
import sys

import matplotlib.figure
import numpy as np
import pytest

from sgdyson import figures
from sgdyson.figures import Figure
from sgdyson.figures._elements import (
    Drawing,
    Heatmap,
    Histogram,
    HorizontalLine,
    Line,
    Panel,
    Points,
    Regions,
    VerticalLines,
    cell_edges,
    mixed,
)

X = np.array([0.0, 1.0, 2.0])


def every_mark() -> Figure:
    marks = [
        Points(X, X**2, y_error=X / 10, x_error=X / 20, label=r"$\kappa=1$", colour=2),
        Line(X, X, label="line", dashed=True),
        Histogram(np.array([0.0, 1.0, 3.0]), np.array([0.4, 0.3]), colour=1),
        VerticalLines(np.array([0.5, 1.5]), label="targets"),
        HorizontalLine(1.0),
    ]
    drawing = Drawing(np.array([[0.0, 0.0], [1.0, 1.0]]), [(0, 1)], ["$a_1$", "b"])
    panels = [
        Panel(marks, r"$\langle S\rangle$", "y", title="T", x_range=(0, 3), y_range=(0, 5)),
        Panel([drawing], "", ""),
    ]
    return Figure("every_mark", "Every mark", "Caption.", panels)


def test_print_shows_every_mark():
    axes, schematic = figures.draw(every_mark()).axes
    assert len(axes.patches) == 2  # fill and outline of the histogram
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {
        r"$\kappa=1$", "line", "targets",
    }  # fmt: skip
    assert axes.get_xlim() == (0, 3)
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_ydata(), X**2)
    assert not schematic.axison
    assert [text.get_text() for text in schematic.texts] == ["$a_1$", "b"]


def test_files_are_vector_and_the_same_every_time(tmp_path):
    found = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        figures.save(every_mark(), folder)
        assert sorted(path.name for path in folder.iterdir()) == [
            "every_mark.pdf", "every_mark.png",
        ]  # fmt: skip
        found.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert found[0] == found[1]
    assert found[0][0].startswith(b"%PDF")
    assert b"/Subtype /Image" not in found[0][0]


def test_the_page_shows_every_mark():
    panel = figures.to_plotly(every_mark().panels[0])
    points, line, histogram = panel["data"]
    assert points["y"] == [0.0, 1.0, 4.0]
    assert points["error_y"]["array"] == [0.0, 0.1, 0.2]
    assert line["line"]["dash"] == "dash"
    assert histogram["x"] == [0.0, 0.0, 1.0, 1.0, 3.0, 3.0]
    assert histogram["y"] == [0.0, 0.4, 0.4, 0.3, 0.3, 0.0]
    assert len(panel["layout"]["shapes"]) == 3
    assert panel["layout"]["xaxis"]["range"] == [0, 3]
    lines, nodes = figures.to_plotly(every_mark().panels[1])["data"]
    assert lines["x"] == [0.0, 1.0, None]
    assert nodes["text"] == ["a<sub>1</sub>", "b"]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        (r"$s=S/\langle S\rangle$", "s=S/⟨ S⟩"),
        (r"$u=\sqrt{(\alpha/|B|)\,\kappa^2\Omega}$", "u=√((α/|B|) κ<sup>2</sup>Ω)"),
        (r"$\lambda_{\mathrm{fit}}/\kappa$", "λ<sub>fit</sub>/κ"),
        (r"$\sqrt{\pi}\,\sigma$", "√π σ"),
        (r"$\mu^2-\kappa_i$", "μ<sup>2</sup>−κ<sub>i</sub>"),
        ("a < b & c", "a &lt; b &amp; c"),
        (None, ""),
    ],
)
def test_labels_in_html(source, html):
    assert figures.to_html(source) == html


def test_unknown_marks_are_refused():
    with pytest.raises(TypeError, match="str"):
        figures.draw(Figure("x", "x", "x", [Panel(["text"], "", "")]))


GRID = np.array([[0.0, 0.5, 1.0], [np.nan, 0.25, 0.75]])
ROWS = np.array([1.0, 10.0])


def grids() -> Figure:
    shares = np.stack([np.nan_to_num(GRID), 1 - np.nan_to_num(GRID)])
    panels = [
        Panel([Heatmap(X + 1, ROWS, GRID, "value", (0, 1))], "x", "y", y_log=True),
        Panel([Regions(X + 1, ROWS, shares, ["first", "second"], [0, 1])], "x", "y", y_log=True),
    ]
    return Figure("grids", "Grids", "Caption.", panels)


def test_grids_are_vectors_with_logarithmic_axes_in_pdf_and_svg(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        figures.save(grids(), folder, ("pdf", "svg"))
    for name in ("grids.pdf", "grids.svg"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in "ab")
        assert first == second
        assert b"/Subtype /Image" not in first
        assert b"<image" not in first
    axes = figures.draw(grids()).axes
    assert axes[0].get_yscale() == axes[1].get_yscale() == "log"
    assert [text.get_text() for text in axes[1].get_legend().get_texts()] == ["first", "second"]


def test_cells_meet_half_way_and_mix_the_colours_of_their_shares():
    np.testing.assert_allclose(cell_edges(X, False), [-0.5, 0.5, 1.5, 2.5])
    np.testing.assert_allclose(cell_edges(ROWS, True), 10.0 ** np.array([-0.5, 0.5, 1.5]))
    regions = grids().panels[1].marks[0]
    blue, orange = ([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
                    for code in ("#0072B2", "#D55E00"))  # fmt: skip
    np.testing.assert_allclose(mixed(regions)[0, 2], blue)
    np.testing.assert_allclose(mixed(regions)[0, 0], orange)
    np.testing.assert_allclose(mixed(regions)[0, 1], np.mean([blue, orange], axis=0))


def test_the_page_shows_grids_as_heatmaps():
    heat, regions = (figures.to_plotly(panel) for panel in grids().panels)
    assert heat["data"][0]["z"][1] == [None, 0.25, 0.75]
    assert heat["layout"]["yaxis"]["type"] == "log"
    assert regions["data"][0]["z"][0] == [1, 0, 0]  # the largest share; a draw is the first's


@pytest.mark.parametrize("backend", ["module://not_there.backend_inline", "svg"])
def test_a_backend_that_is_not_there_stops_no_figure(backend):
    """What the environment names is that of another program, a notebook say."""
    code = (
        "import os; from sgdyson.figures._backend import prepare_matplotlib as prepare; prepare();"
        " import matplotlib as mpl; print(os.environ['MPLBACKEND'], mpl.rcParams['backend'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"MPLBACKEND": backend}, text=True,
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    named, used = done.stdout.split()
    assert named == backend
    assert used == ("svg" if backend == "svg" else used)


def test_a_notebook_shows_a_figure_in_a_fresh_kernel():
    """By the display machinery of IPython itself where it is there, else by the method it calls."""
    script = (
        "import sys\n"
        "from sgdyson.figures import Figure, Line, Panel\n"
        "import numpy as np\n"
        "x = np.arange(3.0)\n"
        "figure = Figure('curve', 'A curve', 'Made up.', [Panel([Line(x, x)], 'x', 'y')])\n"
        "try:\n"
        "    from IPython.core.interactiveshell import InteractiveShell\n"
        "except ImportError:\n"
        "    shown = figure._repr_png_()\n"
        "else:\n"
        "    formats, _ = InteractiveShell.instance().display_formatter.format(figure)\n"
        "    shown = formats['image/png']\n"
        "sys.stdout.buffer.write(shown)\n"
    )
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment)
    assert child.stdout.startswith(b"\x89PNG"), child.stderr
    assert len(child.stdout) > 5000


def test_axes_of_a_part_of_a_figure_belong_to_the_whole() -> None:
    """Here, where the lowest version of Matplotlib runs too: its ways to the whole have changed."""
    whole = matplotlib.figure.Figure()
    axes = whole.subfigures(1, 2)[1].subplots()
    panel = Panel([Line(np.arange(2.0), np.arange(2.0), label="a")], "x", "y", legend_below=True)
    assert figures.draw(Figure("line", "", "", [panel]), axes=axes) is whole


@pytest.mark.parametrize("panels", [1, 2, 3])
@pytest.mark.parametrize("width", [3.375, None, 7.0])
def test_a_legend_below_cuts_no_text(panels, width):
    """It makes axes so low that their ticks are others, with longer labels."""
    marks = [
        Histogram(np.linspace(k, k + 1, 20), np.full(19, 2.0), label=f"$\\kappa={k}$", colour=k)
        for k in range(7)
    ]
    below = [Panel(marks, "level $x_i$", "density", legend_below=True)] * panels
    canvas = figures.draw(Figure("below", "", "", below), width=width)
    canvas.savefig(io.BytesIO(), format="png")
    frame = canvas.bbox.padded(0.5)
    for axes in canvas.axes:
        for box in (axes.get_tightbbox(), axes.get_legend().get_window_extent()):
            assert frame.x0 <= box.x0 <= box.x1 <= frame.x1
            assert frame.y0 <= box.y0 <= box.y1 <= frame.y1
