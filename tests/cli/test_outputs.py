"""Options mean the same in every command, and nothing that exists is lost without --force."""

import contextlib
import inspect
import io
import json
import os
import re
import shlex
import stat
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.cli._outputs import emit

COMMANDS = get_command(cli.app).commands
OF_FILES = ("--json", "--csv", "--html", "--netcdf")
# what a command needs beside its outputs; a command that is new here wants a line of its own
INPUTS = {
    "reproduce": ["--preset", "quick"],
    "study": ["structure", "--quick"],
    "dyson": ["--levels", "2", "--duration", "0.01"],
    "new": ["scaling"],
    "run": ["spec.toml"],
    "status": ["campaign"],
    "verify": ["campaign"],
    "export": ["campaign"],
    "gather": ["parts"],
    "analyze": ["levels.npy", "--axes", "replica,time,level"],
    "spectrum": ["weights.npz"],
    "report": ["run.zarr"],
    "watch": ["run.zarr", "--once"],
    "emergence": ["run.zarr"],
}
WRITTEN_BY_NAME = {"new": "scaling.toml"}  # a file that no option names


def options(command):
    return {parameter.opts[0]: parameter for parameter in command.params}


def is_folder(option):
    return option.metavar == "FOLDER"


def files():
    """Command and option of everything that writes one file."""
    for name, command in COMMANDS.items():
        for opts, option in options(command).items():
            if opts in OF_FILES or (opts == "--out" and not is_folder(option)):
                yield name, opts
        if name in WRITTEN_BY_NAME:
            yield name, None


def folders():
    return [name for name, command in COMMANDS.items()
            if "--out" in options(command) and is_folder(options(command)["--out"])]  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    from sgdyson.campaign import Campaign
    from sgdyson.tracking import Tracker

    folder = tmp_path_factory.mktemp("inputs")
    random = np.random.default_rng(0)
    np.save(folder / "levels.npy", random.normal(size=(60, 3, 2)))
    np.savez(folder / "weights.npz", w=random.normal(size=(12, 9)))
    (folder / "spec.toml").write_text(SPEC)
    Campaign.from_file(folder / "spec.toml", folder / "campaign").run(progress=False)
    Campaign.from_file(folder / "spec.toml", folder / "parts", part=(1, 1)).run(progress=False)
    with Tracker(folder / "run.zarr", every=1, learning_rate=0.1, batch_size=4) as tracker:
        for step in range(3):
            weights = random.normal(size=(30, 20))
            weights[0, 0] += 30  # an outlier, for those who tell of them
            tracker.update(step, {"w": weights})
    return folder


SPEC = """
name = "small"
replicas = 1
updates = 1
record_every = 1
[model]
kind = "teacher_student"
teacher = [2.0, 2.0]
[learning]
learning_rate = 0.1
batch_size = 4
"""


@pytest.fixture
def place(inputs, tmp_path, monkeypatch):
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    # a film of a few frames is one as well
    monkeypatch.setattr("sgdyson.dyson._scenes.FRAMES", 3)
    return tmp_path


def run(capsys, *words):
    """Exit status and what was said, of the command as a shell starts it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sgdyson", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


def the_file(name, option):
    endings = {"--json": ".json", "--csv": ".csv", "--html": ".html", "--netcdf": ".nc"}
    endings["--out"] = ".png" if name == "dyson" else ".html"
    return WRITTEN_BY_NAME[name] if option is None else f"mine{endings[option]}"


def test_every_command_is_tried():
    assert set(INPUTS) == set(COMMANDS)
    assert len(list(files())) >= 9
    assert set(folders()) == {"reproduce", "study", "run", "gather"}


@pytest.mark.parametrize(("name", "option"), list(files()))
def test_a_file_that_exists_is_replaced_with_force_alone(place, capsys, monkeypatch, name, option):
    path = place / the_file(name, option)
    path.write_text("mine")
    words = [name, *INPUTS[name], *([] if option is None else [option, path.name])]
    with monkeypatch.context() as patch:
        work = forbid_work(patch)
        status, out, told = run(capsys, *words)
    assert work == []
    assert (status, out) == (2, "")
    assert re.search(rf"^sgdyson: .*{path.name} exists; .*--force\.$", told), told
    assert path.read_text() == "mine"

    status, _, told = run(capsys, *words, "--force")
    assert status == 0, told
    assert path.stat().st_size > 20
    path.unlink()
    status, _, told = run(capsys, *words)
    assert status == 0, told
    assert path.stat().st_size > 20
    assert {entry.name for entry in place.iterdir() if not entry.is_symlink()} == {path.name}


def forbid_work(patch):
    """What a command would have begun with, had it not refused: nothing is to be in the list."""
    begun = []
    for place in (
        "sgdyson.checkpoints.survey", "sgdyson.analysis.analyze", "sgdyson.tracking.open_run",
        "sgdyson.dyson.film.film_from_one_point",
    ):  # fmt: skip
        patch.setattr(place, lambda *_, place=place, **__: begun.append(place))
    return begun


@pytest.mark.parametrize("name", folders())
def test_a_folder_of_something_else_is_left_alone(place, capsys, name):
    """Such a command has no --force: it goes on with its own, and touches no other."""
    assert "--force" not in options(COMMANDS[name])
    (place / "file").write_text("mine")
    (place / "folder").mkdir()
    (place / "folder" / "notes").write_text("mine")
    for out in ("file", "folder"):
        status, _, told = run(capsys, name, *INPUTS[name], "--out", out)
        assert status == 2, told
        assert out in told
    assert (place / "file").read_text() == "mine"
    assert [path.name for path in (place / "folder").iterdir()] == ["notes"]


def test_options_of_one_name_are_one_option():
    """The same type, the same words; --out has two, of a file and of a folder."""
    seen = {}
    for command in COMMANDS.values():
        for name, option in options(command).items():
            if option.param_type_name == "option" and name != "--out":
                annotation = inspect.signature(command.callback).parameters[option.name].annotation
                kind = str(get_args(annotation)[0]).replace("int | None", "<class 'float'>")
                about = (option.help, option.metavar, kind)
                assert seen.setdefault(name, about) == about, name
    every = [options(command) for command in COMMANDS.values()]
    outs = [known["--out"] for known in every if "--out" in known]
    assert {out.help.split()[0] for out in outs} == {"File", "Folder"}
    assert len({out.help.split(" Default")[0] for out in outs if is_folder(out)}) == 1
    for name in OF_FILES:
        assert name in seen


def test_what_writes_a_file_takes_force():
    for name, _ in files():
        assert "--force" in options(COMMANDS[name]), name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example_that_parses(name):
    shown = CliRunner().invoke(cli.app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"Example: sgdyson {name}" in " ".join(shown.stdout.split())
    (example,) = re.findall(r"^Example: (.*)$", inspect.cleandoc(COMMANDS[name].help), re.MULTILINE)
    for line in example.split(" && "):
        program, word, *rest = shlex.split(line)
        assert program == "sgdyson"
        COMMANDS[word].make_context(word, rest)  # raises on an option that is none


class TestStandardOutput:
    @pytest.mark.parametrize("name", ["analyze", "spectrum"])
    @pytest.mark.parametrize("dash", [[], ["-"]])
    def test_is_meant_where_no_file_follows(self, place, capsys, name, dash):
        table = run(capsys, name, *INPUTS[name])[1]
        status, out, _ = run(capsys, name, *INPUTS[name], "--json", *dash)
        assert status == 0
        assert len(json.loads(out)) == 1
        status, out, _ = run(capsys, name, *INPUTS[name], "--csv", *dash, "--json", "numbers.json")
        assert status == 0
        head, *rows = [line.split(",") for line in out.splitlines()]
        assert {len(row) for row in rows} == {len(head)}
        assert "┃" in table
        assert "┃" not in out
        assert len(json.loads((place / "numbers.json").read_text())) == 1

    @pytest.mark.parametrize("name", ["analyze", "spectrum"])
    def test_files_beside_the_table(self, place, capsys, name):
        status, out, _ = run(capsys, name, *INPUTS[name], "--csv", "a.csv", "--json", "a.json")
        assert status == 0
        assert out == run(capsys, name, *INPUTS[name])[1]
        assert (place / "a.csv").read_text() == run(capsys, name, *INPUTS[name], "--csv")[1]
        assert (place / "a.json").read_text() == run(capsys, name, *INPUTS[name], "--json")[1]

    def test_takes_one_format(self, place, capsys):
        status, out, told = run(capsys, "spectrum", "weights.npz", "--json", "--csv")
        assert (status, out) == (2, "")
        assert "--csv and --json both go to standard output" in told

    def test_of_the_shell_is_a_file_that_may_be_replaced(self, place, capfd):
        """`sgdyson spectrum ... --csv /dev/stdout > table.csv`; capfd makes a file of it too."""
        assert stat.S_ISREG(os.fstat(1).st_mode)
        status, out, _ = run(capfd, "spectrum", "weights.npz", "--csv=/dev/stdout")
        assert status == 0
        assert out == run(capfd, "spectrum", "weights.npz", "--csv")[1]
        assert out.startswith("name,rows,columns")

    def test_is_one_place_under_every_name(self, place, capsys):
        words = ["--json", "--csv=/dev/fd/1"]
        status, out, told = run(capsys, "spectrum", "weights.npz", *words)
        assert (status, out) == (2, "")
        assert "both go to standard output" in told

    def test_has_the_bytes_of_the_file(self, place, capfdbinary, monkeypatch):
        """Whatever a terminal takes: data is UTF-8."""
        np.savez(place / "names.npz", **{"ключ": np.random.default_rng(0).normal(size=(5, 4))})
        with open(os.dup(1), "w", encoding="ascii") as stdout:  # noqa: PTH123
            monkeypatch.setattr(sys, "stdout", stdout)
            status, out, _ = run(capfdbinary, "spectrum", "names.npz", "--csv")
        assert status == 0
        assert "ключ" in out.decode("utf-8")


def test_one_file_for_two_formats_is_refused(place, capsys):
    (place / "link.json").symlink_to("a.json")
    status, _, told = run(capsys, "spectrum", "weights.npz", "--csv=a.json", "--json=link.json")
    assert status == 2
    assert "both go to" in told
    assert not (place / "a.json").exists()


# a command, with an option that would replace one of the files that it reads
OVER_AN_INPUT = [
    ("spectrum", "weights.npz", "--csv=weights.npz"),
    ("spectrum", "weights.npz", "--against=other.npz", "--csv=other.npz"),
    ("spectrum", "weights.npz", "--base=other.npz", "--html=other.npz"),
    ("spectrum", "checkpoints", "--csv=checkpoints/step-1.npz"),
    ("spectrum", "checkpoints", "--json=checkpoints/config.json"),
    ("emergence", "checkpoints", "--base=other.npz", "--json=other.npz"),
    ("analyze", "levels.npy", "--axes=replica,time,level", "--csv=levels.npy"),
    ("analyze", "checkpoints", "--json=checkpoints/step-1.npz"),
    ("report", "run.zarr", "--out=run.zarr/zarr.json"),
    ("watch", "run.zarr", "--once", "--html=run.zarr/zarr.json"),
    ("export", "campaign", "--csv=campaign/spec.json"),
]


@pytest.mark.parametrize("words", OVER_AN_INPUT, ids=lambda words: " ".join(words))
def test_what_is_read_is_not_replaced(place, capsys, words):
    checkpoints = place / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "config.json").write_text("{}")
    for name in ("other.npz", "checkpoints/step-1.npz", "checkpoints/step-2.npz"):
        np.savez(place / name, w=np.random.default_rng(1).normal(size=(12, 9)))
    path = place / words[-1].partition("=")[2]
    before = path.read_bytes()
    status, out, told = run(capsys, *words, "--force")
    assert (status, out) == (2, "")
    assert "is what is read" in told
    assert path.read_bytes() == before


def test_outputs_in_the_folder_that_is_read_are_replaced_with_force(place, capsys):
    folder = place / "checkpoints"
    folder.mkdir()
    np.savez(folder / "step-1.npz", w=np.random.default_rng(1).normal(size=(12, 9)))
    outputs = [f"--{ending}=checkpoints/table.{ending}" for ending in ("csv", "json", "html")]
    for force, expected in (((), 0), ((), 2), (("--force",), 0)):
        status, _, told = run(capsys, "spectrum", "checkpoints", *outputs, *force)
        assert status == expected, told


@pytest.mark.parametrize(
    ("name", "option"),
    [(n, o) for n, o in files() if o not in ("--json", "--csv", None) and n != "dyson"],
)
def test_no_page_is_called_dash(place, capsys, monkeypatch, name, option):
    """As it is standard output to --json and --csv; a film's name has an ending anyway."""
    work = forbid_work(monkeypatch)
    status, out, told = run(capsys, name, *INPUTS[name], option, "-")
    assert (status, out, work) == (2, "", [])
    assert f"{option} - is no file" in told
    assert not (place / "-").exists()


def test_of_nothing_nothing_is_written(place, capsys):
    words = ["analyze", "missing.npy", "--axes=replica,time,level"]
    for option in ("--json=a.json", "--csv=a.csv", "--html=a.html", "--json", "--csv"):
        status, out, told = run(capsys, *words, option)
        assert (status, out) == (2, "")
        assert "missing.npy does not exist" in told
    assert [path for path in place.iterdir() if not path.is_symlink()] == []


@pytest.mark.parametrize("name", ["a b", 'q"x', "q\\x", "a\nb", "a\n", "-x", "\u0451", ""])
def test_a_name_that_run_refuses_is_refused_by_new(place, capsys, name):
    status, _, told = run(capsys, "new", "--", name)
    assert status == 2
    assert told.startswith("sgdyson: NAME = "), told
    assert [path for path in place.iterdir() if not path.is_symlink()] == []


def test_no_outliers_are_a_table_without_rows(place, capsys):
    from sgdyson.tracking import Tracker

    with Tracker(place / "quiet.zarr", every=1) as tracker:
        tracker.update(0, {"w": np.random.default_rng(0).normal(size=(30, 20))})
    status, out, _ = run(capsys, "emergence", "quiet.zarr", "--csv")
    assert status == 0
    assert out.startswith("name,rank,step,")
    assert out.count("\n") == 1
    assert json.loads(run(capsys, "emergence", "quiet.zarr", "--json")[1]) == []


def test_a_page_of_an_analysis_tells_the_command_that_made_it(place, capsys):
    words = ["analyze", *INPUTS["analyze"], "--burn-in", "1", "--html", "a.html"]
    assert run(capsys, *words)[0] == 0
    assert f"sgdyson {' '.join(words)}" in (place / "a.html").read_text()


def test_rows_of_an_analysis_are_its_numbers(place, capsys):
    out = run(capsys, "analyze", *INPUTS["analyze"], "--json")[1]
    (entry,) = json.loads(out)
    head, *rows = [line.split(",") for line in run(
        capsys, "analyze", *INPUTS["analyze"], "--csv")[1].splitlines()]  # fmt: skip
    assert len(rows) == len(entry["multiplets"])
    for row, multiplet in zip(rows, entry["multiplets"], strict=True):
        values = dict(zip(head, row, strict=True))
        assert float(values["width"]) == multiplet["width"]["value"]
        assert float(values["width_error"]) == multiplet["width"]["error"]
        assert int(values["last_level"]) == multiplet["indices"][-1]


def test_an_output_that_takes_text_alone_gets_text():
    """As that of a notebook, or one that is gathered in memory."""
    with contextlib.redirect_stdout(io.StringIO()) as gathered:
        emit(Path("-"), "σ\n")
    assert gathered.getvalue() == "σ\n"
