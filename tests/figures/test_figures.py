"""Every mark in both renderers, and the words on the axes."""

import numpy as np
import pytest

from sgdyson import figures
from sgdyson.figures._elements import (
    Drawing,
    Figure,
    Histogram,
    HorizontalLine,
    Line,
    Panel,
    Points,
    VerticalLines,
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
