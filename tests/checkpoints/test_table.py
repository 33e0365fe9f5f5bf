"""Tables of spectra in a terminal: names whole, columns whole or left out and named."""

import io

import numpy as np
import pytest

from sgdyson.checkpoints import _table, print_summary, print_table, survey

NAMES = [f"model.layers.{n}.self_attention.query_projection.weight" for n in range(2)]


@pytest.fixture
def found(tmp_path):
    random = np.random.default_rng(1)
    np.savez(tmp_path / "m.npz", **{name: random.standard_normal((90, 70)) for name in NAMES})
    return survey(tmp_path / "m.npz")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(found, monkeypatch, capsys, width=None):
    if width is not None:
        monkeypatch.setattr("sys.stdout", out := Terminal())
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    print_table(found.rows())
    print_summary(found.summary())
    told = capsys.readouterr()
    return (told.out if width is None else out.getvalue()), told.err


def test_outside_a_terminal_nothing_is_cut(found, monkeypatch, capsys):
    text, told = drawn(found, monkeypatch, capsys)
    assert all(name in text for name in NAMES)
    assert all(f" {head} " in text for head in ("bulk p", "<r>", "eff. rank", "lg s_max^2"))
    assert "…" not in text
    assert told == ""


@pytest.mark.parametrize("width", [80, 110])
def test_a_narrow_terminal_has_whole_columns(found, monkeypatch, capsys, width):
    text, told = drawn(found, monkeypatch, capsys, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    cells = [line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│ ")]
    assert "".join(cells).startswith("".join(NAMES))
    assert " outliers " in text
    first, *last = (line.removeprefix("no room in this terminal for ") for line in
                   told.splitlines())  # fmt: skip
    assert first.endswith("; --csv writes all")
    shown = {head for head in _table._SHOWN.values() if f" {head} " in text.split("mean")[0]}
    left_out = set(first.removesuffix("; --csv writes all").split(", "))
    assert not shown & left_out
    assert shown | left_out >= {"sigma", "edge", "MP distance", "bulk p", "stable rank"}
    assert last in ([], ["weights"])  # of the means below


def test_ranks_where_they_say_something_and_no_empty_columns(tmp_path, capsys):
    random = np.random.default_rng(0)
    thin = random.standard_normal((30, 3)) @ random.standard_normal((3, 20))
    np.savez(tmp_path / "m.npz", a=random.standard_normal((30, 20)), b=thin)
    print_table(survey(tmp_path / "m.npz").rows())
    text = capsys.readouterr().out
    assert " rank " in text
    assert "<r>" not in text  # fewer than 64 levels
    (row,) = (line for line in text.splitlines() if line.startswith("│ b"))
    assert row.split("│")[-2].strip() == "3"
    print_table(survey(tmp_path / "m.npz", names="a").rows())
    assert "eff. rank ┃\n" in capsys.readouterr().out
