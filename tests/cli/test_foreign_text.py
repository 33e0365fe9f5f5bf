"""What others wrote is shown as it is, does nothing to the terminal, and stops nothing."""

import io
import sys

import numpy as np
import pytest

import sgdyson
import sgdyson.engine
from sgdyson import cli
from sgdyson._failures import in_one_sentence
from sgdyson._terminal import console, prepare_streams, tell, visible

NAMES = {
    "enc[red].w": "enc[red].w",
    "enc[/].w": "enc[/].w",
    "x[/bold]": "x[/bold]",
    "layer:smile:w": "layer:smile:w",
    "a\nb": r"a\nb",
    "a\x1b[31mred\x07": r"a\x1b[31mred\x07",
    "a\rb\u2028c": r"a\rb\u2028c",
    "right\u202eleft": r"right\u202eleft",
    "lone\ud800": r"lone\ud800",
    "слой.β": "слой.β",
    "a\\[b]": "a\\[b]",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_and_do_nothing(name):
    assert visible(name) == NAMES[name]
    assert visible(NAMES[name]) == NAMES[name]


class Stream(io.TextIOWrapper):
    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def text(self):
        return self.buffer.getvalue().decode(self.encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_no_encoding_stops_a_line_or_a_table(monkeypatch, encoding):
    from rich.table import Table

    stream = Stream(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    prepare_streams()
    for name in NAMES:
        tell(name, stderr=False)
        table = Table("matrix")
        table.add_row(visible(name))
        console().print(table)
    shown = stream.text()
    assert "\x1b" not in shown
    for name, as_shown in NAMES.items():
        if as_shown.isascii() and "\n" not in name:
            assert shown.count(as_shown) >= 2, name


def test_closed_streams_are_replaced(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    prepare_streams()
    tell("into the void", stderr=False)
    sys.stdout.close()


@pytest.mark.parametrize("name", [name for name in NAMES if "\ud800" not in name])
def test_a_checkpoint_with_odd_names_is_listed(tmp_path, capsys, monkeypatch, name):
    weights = np.random.default_rng(0).normal(size=(12, 9))
    np.savez(tmp_path / "w.npz", **{name.replace("/", "|"): weights})
    for form in ([], ["--csv"], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["sgdyson", "spectrum", str(tmp_path / "w.npz"), *form])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code in (0, None), capsys.readouterr().err
        said = capsys.readouterr().out
        if not form:
            assert visible(name.replace("/", "|")) in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "memory ran out"),
        (RecursionError(), "nested too deeply"),
        (BrokenPipeError(), "was closed"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "no"), "as ascii"),
        (ValueError("embedded null byte"), "zero byte"),
        (FileNotFoundError(2, "No such file", "name"), "name: No such file."),
        (sgdyson.errors.InvalidInputError("a rule."), "a rule."),
    ],
)
def test_what_ends_the_command_is_one_sentence(capsys, monkeypatch, error, words):
    def fail():
        raise error

    monkeypatch.setattr("sgdyson.cli._end.app", fail)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    if isinstance(error, OSError) and not error.filename:
        sys.stdout.close()  # it was replaced, for what is left in it must not be written again
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_a_platform_that_is_not_there_is_named(monkeypatch):
    """Whatever JAX makes of it, an assertion without words in some places."""
    assert in_one_sentence(AssertionError()) is None
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    monkeypatch.setattr("jax.devices", lambda: 1 / 0)
    assert "JAX_PLATFORMS='cuda' (division by zero)" in (in_one_sentence(AssertionError()) or "")


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    def fail():
        raise KeyError("step")

    assert in_one_sentence(KeyError("step")) is None
    monkeypatch.setattr("sgdyson.cli._end.app", fail)
    with pytest.raises(KeyError):
        cli.main()
