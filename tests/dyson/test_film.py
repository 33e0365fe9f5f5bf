"""The film and the picture, from the command line."""

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.dyson import _scenes
from sgdyson.dyson.film import film_from_one_point
from sgdyson.errors import InvalidInputError


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["dyson", *arguments])


@pytest.fixture(autouse=True)
def of_few_frames(monkeypatch):
    monkeypatch.setattr(_scenes, "FRAMES", 6)
    monkeypatch.setattr(_scenes, "_STEPS", 120)


def test_a_film_and_a_picture(tmp_path):
    film = tmp_path / "film.gif"
    done = command("--levels", "5", "--out", str(film))
    assert done.exit_code == 0, done.stderr
    with Image.open(film) as frames:
        assert frames.n_frames == 7
        first = frames.convert("L").copy()
        frames.seek(frames.n_frames - 1)
        last = frames.convert("L")
        assert first.tobytes() != last.tobytes()
    picture = tmp_path / "levels.svg"
    film_from_one_point(picture, 3, 2.0, 3.0, 0)
    assert "<svg" in picture.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.gif", "levels.svg"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--out", "film.avi"), ".gif"),
        (("--out", "nowhere/film.gif"), "nowhere"),
        (("--out", "a.gif", "--levels", "1"), "--levels 1"),
        (("--out", "a.gif", "--process", "square"), "gas, circle, jacobi, bridge"),
        (("--out", "a.gif", "--process", "bridge", "--beta", "3"), "beta = 3"),
        (("--out", "a.gif", "--beta", "0.5"), "beta = 0.5"),
    ],
)
def test_mistakes_are_sentences(tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    done = command(*arguments)
    assert isinstance(done.exception, InvalidInputError)
    assert named in str(done.exception)


def test_many_levels_have_the_edge_of_the_semicircle(tmp_path):
    done = command("--levels", "66", "--duration", "0.2", "--out", str(tmp_path / "a.png"))
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "a.png").stat().st_size > 10_000


@pytest.mark.parametrize("process", ["circle", "jacobi", "bridge"])
def test_each_process_has_a_film_and_a_picture(tmp_path, process):
    for name in ("a.gif", "a.svg"):
        options = ("--levels", "4", "--process", process, "--beta", "2", "--duration", "1")
        done = command(*options, "--out", str(tmp_path / name))
        assert done.exit_code == 0, done.stderr
    with Image.open(tmp_path / "a.gif") as frames:
        assert frames.n_frames > 4
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_the_edge_of_a_watermelon(monkeypatch):
    """Of 200 paths the outermost stand at the edge of the semicircle of their time."""
    monkeypatch.setattr(_scenes, "FRAMES", 12)
    scene = _scenes.bridge(200, 2, 2.0, 0)
    inside = slice(4, -4)
    highest = scene.run.levels.values[0, inside, 0] / scene.radii[inside]
    # Tracy and Widom: 0.886 n^(-2/3) of the radius below the edge on average
    assert abs(highest.mean() - (1 - 0.886 * 200 ** (-2 / 3))) < 0.015


def test_the_density_of_a_frame_is_that_of_its_time():
    from matplotlib.figure import Figure

    from sgdyson.dyson._frames import Density

    levels = np.array([[0.1] * 80, [1.1] * 80, [-1.1] * 80])
    density = Density(Figure().subplots(), levels, np.array([1.0, 2.0, 2.0]), (-2.0, 2.0))
    for now in (0, 1, 2):
        density.show(now)
        values, edges, _ = density._bars.get_data()
        (place,) = np.flatnonzero(values)
        assert edges[place] <= levels[now, 0] <= edges[place + 1]
