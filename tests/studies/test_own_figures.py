"""The paper's figures of runs of one's own, at the widths of journals, with no text cut."""

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

import sgdyson
from sgdyson.errors import InvalidInputError
from sgdyson.figures import Figure, Panel, Points, draw
from sgdyson.studies.paper import paper_figure

RBM = sgdyson.GaussianRBM.scalar_field(6, mass=1.5, rbm_mass=3.0)
STUDENT = sgdyson.TeacherStudent([3.0, 3.0])
QUENCHED = sgdyson.TeacherStudent([3.0, 3.0], data="quenched", batches=20)
OF_RBM = ("rbm_sketch", "target_spectrum", "learnt_levels", "wigner", "densities", "scaling",
          "drift", "rbm_collapse")  # fmt: skip
OF_FRESH = ("teacher_wigner", "teacher_densities", "semicircle")
WIDTHS = (3.375, 7.0)


def run(model, rate, **more):
    how = {"replicas": 64, "updates": 400, "record_every": 40, "record_from": 200, "seed": 1}
    return model, sgdyson.simulate(
        model, learning_rate=rate, batch_size=8, progress=False, **(how | more)
    )


@pytest.fixture(scope="module")
def machines():
    return [run(RBM, rate, updates=4000, record_every=400) for rate in (0.02, 0.04)]


@pytest.fixture(scope="module")
def students():
    return [run(STUDENT, rate) for rate in (0.05, 0.1)]


def assert_nothing_is_cut(canvas: Canvas) -> None:
    """All that an axes draws lies on the page, and not over another one."""
    renderer = FigureCanvasAgg(canvas).get_renderer()
    canvas.draw(renderer)
    boxes = [axes.get_tightbbox(renderer) for axes in canvas.axes]
    width, height = canvas.bbox.width, canvas.bbox.height
    for box in boxes:
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1
    for one, other in combinations(boxes, 2):
        assert min(one.x1, other.x1) - max(one.x0, other.x0) < 1 or (
            min(one.y1, other.y1) - max(one.y0, other.y0) < 1
        ), "one panel writes over another"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", OF_RBM)
def test_figures_of_my_machine_fit_a_column(machines, name, width) -> None:
    canvas = draw(paper_figure(name, machines), width=width)
    assert canvas.get_figwidth() == width
    assert_nothing_is_cut(canvas)


@pytest.mark.parametrize("name", OF_FRESH)
def test_figures_of_my_students_fit_a_column(students, name) -> None:
    assert_nothing_is_cut(draw(paper_figure(name, students), width=3.375))


def test_quenched_students_stand_beside_fresh_ones(students) -> None:
    both = [*students, run(QUENCHED, 0.05)]
    for name in ("teacher_levels", "teacher_scaling"):
        assert_nothing_is_cut(draw(paper_figure(name, both), width=3.375))


def test_the_force_is_seen_in_my_pairs(machines) -> None:
    every = run(RBM, 0.02, updates=300, record_every=1, record_from=3000)
    figure = paper_figure("coulomb_force", every)
    assert len(figure.panels[0].marks) == 2 * 2  # points and line of each pair
    assert_nothing_is_cut(draw(figure, width=3.375))


def test_what_varies_is_found_in_my_runs(machines) -> None:
    """Not by the paper's values of alpha and |B|."""
    labels = {mark.label for panel in paper_figure("scaling", machines).panels
              for mark in panel.marks if isinstance(mark, Points)}  # fmt: skip
    assert labels == {r"$\alpha=0.02$, $|B|$ varied", r"$|B|=8$, $\alpha$ varied"}


def test_a_cut_label_is_noticed() -> None:
    long = Panel([Points(np.arange(3.0), np.arange(3.0))], "x", "y" * 200)
    with pytest.raises(AssertionError):
        assert_nothing_is_cut(draw(Figure("long", "", "", [long]), width=3.375))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_legend_below_stays_under_its_panel(width: float) -> None:
    x = np.arange(3.0)
    marks = [Points(x, x, label=f"a name of some length, {colour}") for colour in range(3)]
    panel = Panel(marks, "x", "y", legend_below=True)
    assert_nothing_is_cut(draw(Figure("below", "", "", [panel] * 3), width=width))


def test_a_figure_that_does_not_fit_the_runs_says_why(machines) -> None:
    with pytest.raises(InvalidInputError, match="0 degenerate pairs"):
        paper_figure("teacher_wigner", run(sgdyson.TeacherStudent([3.0, 1.0]), 0.05))
    with pytest.raises(InvalidInputError, match="quenched data"):
        paper_figure("teacher_levels", machines)
    with pytest.raises(InvalidInputError, match="a GaussianRBM, and not a TeacherStudent"):
        paper_figure("drift", run(STUDENT, 0.05))


def test_panels_go_into_axes_of_mine(machines) -> None:
    canvas = Canvas()
    axes = canvas.subplots(1, 2)
    assert draw(paper_figure("wigner", machines), axes=axes) is canvas
    assert axes[0].get_xlabel() == "spacing $S$"
    with pytest.raises(InvalidInputError, match="2 panels of wigner"):
        draw(paper_figure("wigner", machines), axes=axes[0])


def test_a_style_of_mine_is_on_top(machines) -> None:
    figure = paper_figure("target_spectrum", machines)
    before = mpl.rcParams["font.size"]
    for style in ({"axes.labelsize": 14}, ["ggplot", {"axes.labelsize": 14}]):
        (axes,) = draw(figure, style=style).axes
        assert axes.xaxis.label.get_size() == 14
    assert mpl.rcParams["font.size"] == before
