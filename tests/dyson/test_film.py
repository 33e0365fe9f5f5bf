"""The film and the picture, from the command line."""

import subprocess
import sys

import pytest
from PIL import Image

from sgdyson.dyson.film import film_from_one_point


def command(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", "from sgdyson.cli import main; main()", "dyson", *arguments],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def test_a_film_and_a_picture(tmp_path):
    film = tmp_path / "film.gif"
    done = command("--levels", "5", "--out", str(film))
    assert done.returncode == 0, done.stderr
    with Image.open(film) as frames:
        assert frames.n_frames > 200
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
        (("--out", "a.gif", "--beta", "0.5"), "beta = 0.5"),
    ],
)
def test_mistakes_are_sentences(tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    done = command(*arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_many_levels_have_the_edge_of_the_semicircle(tmp_path):
    done = command("--levels", "66", "--duration", "0.2", "--out", str(tmp_path / "a.png"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").stat().st_size > 10_000
