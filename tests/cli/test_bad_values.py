"""Every option of every command, with values that no one should give: a sentence, no traceback."""

import sys
import warnings

import numpy as np
import pytest
from typer.main import get_command

from sgdyson import cli
from sgdyson.errors import InvalidInputError

VALUES = (
    "", ".", "/", "missing/inner", "file", "~nobody-of-this-name/x", "-1", "0", "1e9", "nan", "inf",
    "-inf", "99999999999999999999999", "1e400", "abc", "слой", "[/]", "[red]x", "a\0b", "\ud800",
    "a\nb", "\x1b[31m", "n" * 300, "--", "tcp://127.0.0.1:1",
)  # fmt: skip
# of one command: what makes it do next to nothing when the value under test is a good one
GOOD = {
    "reproduce": {"--preset": "none"},
    "study": {"NAME": "none", "--out": "out"},
    "dyson": {"--out": "film.png", "--levels": "2", "--duration": "0.01", "--force": None},
    "new": {"NAME": "taken"},
    "run": {"SPEC": "spec.toml", "--dry-run": None},
    "status": {"FOLDER": "file"},
    "verify": {"FOLDER": "file"},
    "export": {"FOLDER": "file", "--csv": "levels.csv"},
    "gather": {"PARTS": "file", "--out": "gathered"},
    "analyze": {"PATH": "levels.npy", "--axes": "replica,time,level"},
    "spectrum": {"PATH": "weights.npz"},
    "report": {"PATH": "file"},
    "watch": {"PATH": "file", "--once": None},
    "emergence": {"PATH": "file"},
}


COMMAND = get_command(cli.app)


def parameters():
    """Command, and option or argument, of everything that takes a value."""
    for name, command in COMMAND.commands.items():
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False) and parameter.name != "help":
                is_argument = parameter.param_type_name == "argument"
                yield name, parameter.name.upper() if is_argument else parameter.opts[0]


def stop(*_):
    raise InvalidInputError("enough")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # all is checked by then: nothing is compiled and run 240 frames long
    monkeypatch.setattr("sgdyson.dyson._ensemble._Run", stop)
    monkeypatch.setattr("sgdyson._cluster._ANSWER", 0.5)
    random = np.random.default_rng(0)
    (tmp_path / "file").write_text("x")
    (tmp_path / "taken.toml").write_text("x")
    (tmp_path / "spec.toml").write_text("x")
    np.save(tmp_path / "levels.npy", random.normal(size=(4, 3, 2)))
    np.savez(tmp_path / "weights.npz", w=random.normal(size=(4, 3)))
    return tmp_path


def run(capsys, *arguments):
    """Exit status and what was said, of the command as a shell starts it."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(sys, "argv", ["sgdyson", *arguments])
        patch.setattr("typer.main.get_command", lambda _: COMMAND)  # made once, not 2500 times
        with pytest.raises(SystemExit) as end:
            cli.main()
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


def line_of(name, option, value):
    values = dict(GOOD[name]) | {option: value}
    words = [name]
    for key, content in values.items():
        if key.startswith("-"):
            words += [key] if content is None else [f"{key}={content}"]
    return [*words, "--", *(content for key, content in values.items() if key[0] != "-")]


@pytest.mark.parametrize(("name", "option"), list(parameters()))
def test_no_value_gives_a_traceback(folder, capsys, name, option):
    """Exit status 0, 1 or 2; with 2 there is something to read, and short."""
    for value in VALUES:
        if (name, value) == ("spectrum", "/"):  # all that this machine has is no bad value
            continue
        before = sorted(path.name for path in folder.iterdir())
        status, _, told = run(capsys, *line_of(name, option, value))
        assert status in (0, 1, 2), (value, told)
        assert "Traceback" not in told, value
        if status == 2:
            assert told.strip(), value
            assert told.count("\n") < 16, (value, told)
            left = sorted(path.name for path in folder.iterdir())
            assert [n for n in left if n.startswith(".sgdyson")] == [], (value, before, left)
        for made in set(folder.iterdir()) - {folder / name for name in before}:
            if made.is_file():
                made.unlink()


def test_every_command_is_tried():
    assert set(GOOD) == set(get_command(cli.app).commands)
    assert len(list(parameters())) > 30


@pytest.mark.parametrize(
    "arguments",
    [
        ["spectrum", "weights.npz", "--split=0"],
        ["spectrum", "weights.npz", "--smallest=0"],
        ["spectrum", "weights.npz", "--names=nothing"],
        ["spectrum", "weights.npz", "--false-alarm=nan"],
        ["spectrum", "weights.npz", "--html=/"],
        ["analyze", "levels.npy", "--axes=replica,time,level", "--json=."],
        ["analyze", "levels.npy", "--axes=replica,time,level", "--learning-rate=-1"],
        ["analyze", "levels.npy", "--axes=replica,time,level", "--batch-size=nan"],
        ["analyze", "levels.npy", "--axes=replica,time,level", "--label-noise=-1"],
        ["dyson", "--out=film.png", "--levels=1000000000"],
        ["dyson", "--out=film.png", "--levels=10000"],
        ["dyson", "--out=film.png", "--beta=nan"],
        ["dyson", "--out=film.png", "--duration=nan"],
        ["dyson", "--out=film.png", "--seed=-1"],
    ],
)
def test_what_breaks_a_rule_is_refused(folder, capsys, arguments):
    status, out, told = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert told.startswith("sgdyson: "), told
    assert told.count("\n") == 1
