"""In Jupyter: a bar while something runs, nothing left of it; figures show themselves."""

import base64

import pytest
from notebook_kernel import Notebook, run_cells

SIMULATE = """
import sgdyson
import sgdyson._notebook
sgdyson._notebook._BETWEEN = 0.0  # every step is told, however fast the machine
student = sgdyson.TeacherStudent([2.0, 2.0], label_noise=0.1)
how = dict(learning_rate=0.01, batch_size=16, replicas=64, record_every=100, seed=1)
run = sgdyson.simulate(student, **how, updates=4000)
"""
FIGURE = """
import numpy as np
from sgdyson.figures import Figure, Line, Panel
Figure("line", "A line", "Straight.", [Panel([Line(np.arange(3.0), np.arange(3.0))], "x", "y")])
"""


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    return run_cells(
        FIGURE, SIMULATE, "run = sgdyson.simulate(student, **how, updates=100, progress=False)"
    )


def test_a_bar_moves_while_replicas_learn(notebook: Notebook) -> None:
    bars = [data["text/html"] for data in notebook.updates() if "<progress" in data["text/html"]]
    assert "value" not in bars[0]
    assert "compiling" in bars[0]
    moving = [bar for bar in bars if 'value="' in bar]
    shares = [float(bar.split('value="')[1].split('"')[0]) for bar in moving]
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 64 * 4000
    assert f'max="{64 * 4000:g}"' in bars[-1]
    assert "updates/s" in bars[-1]
    assert " left" in bars[-1]


def test_nothing_is_left_of_the_bar(notebook: Notebook) -> None:
    (output,) = notebook.outputs[1]
    assert output["data"] == {"text/html": "", "text/plain": ""}


def test_no_bar_where_none_is_wanted(notebook: Notebook) -> None:
    assert notebook.outputs[2] == []


def test_a_figure_shows_itself_in_a_fresh_kernel(notebook: Notebook) -> None:
    picture = base64.b64decode(notebook.data(0)["image/png"])
    assert picture.startswith(b"\x89PNG")
