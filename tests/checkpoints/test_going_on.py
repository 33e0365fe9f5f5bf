"""A survey that was stopped goes on, on threads or with Dask, to the same rows and bits."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors
from threadpoolctl import threadpool_info

from sgdyson import cli
from sgdyson._stored import Stored
from sgdyson.checkpoints import _journal, _measure, _room, _under_way, survey
from sgdyson.errors import InvalidInputError

SHAPES = {"embed": (150, 70), "b.q": (80, 80), "a.up": (180, 80), "a.down": (80, 180)}


def shards(folder, **extra):
    """A checkpoint of two shards in bfloat16, with a vector."""
    names = list(SHAPES)
    for number, part in enumerate((names[:2], names[2:])):
        arrays = {
            name: noise(SHAPES[name], seed=number * 7 + len(name)).astype(ml_dtypes.bfloat16)
            for name in part
        }
        path = folder / f"model-{number + 1:05}-of-00002.safetensors"
        arrays |= {f"norm{number}": np.ones(8, np.float32)}
        write_safetensors(path, arrays | (extra if number == 0 else {}))
    return folder


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").mkdir()
    return shards(tmp_path / "model")


@pytest.fixture
def measured(monkeypatch):
    """Names of all that is measured, and not taken from a file."""
    names, before = [], _measure.measure

    def watched(item, *rest):
        if len(item.shape) > 1:
            names.append(item.name)
        return before(item, *rest)

    monkeypatch.setattr(_under_way, "measure", watched)
    return names


def bits(found):
    """Rows with all singular values, to the last bit."""
    values = [m.singular_values.tobytes() for spectra in found.spectra for m in spectra]
    return json.dumps(found.rows()), values, found.skipped


@pytest.mark.parametrize(
    ("count", "side", "threads"), [(1, 70, 4), (2, 70, 2), (1, 71, 1), (5, 70, 1)]
)
def test_few_large_matrices_share_the_cores(tmp_path, monkeypatch, count, side, threads):
    """BLAS has the threads that have no matrix of their own; one where all have, or it is small."""
    monkeypatch.setattr(_under_way, "cores", lambda: 4)
    monkeypatch.setattr(_under_way, "_HUGE", side)
    seen, before = [], _under_way.measure

    def blas():
        libraries = threadpool_info()
        return [each["num_threads"] for each in libraries if each["user_api"] == "blas"]

    def watched(*arguments):
        seen.extend(blas())
        return before(*arguments)

    monkeypatch.setattr(_under_way, "measure", watched)
    outside = blas()
    path = tmp_path / "few.safetensors"
    write_safetensors(path, {f"w{n}": noise((90, 70), seed=n) for n in range(count)})
    found = survey(path)
    assert set(seen) == {threads}
    assert blas() == outside
    alone = survey(path, workers=1)
    for matrix, other in zip(found.spectra[0], alone.spectra[0], strict=True):
        assert matrix.singular_values == pytest.approx(other.singular_values, rel=1e-11)


def test_rows_and_bits_do_not_depend_on_the_number_of_workers(model):
    one, two, many = (bits(survey(model, workers=n, tail=True, randomise=0)) for n in (1, 2, 5))
    assert one == two == many
    assert [row["name"] for row in json.loads(one[0])] == ["a.down", "a.up", "b.q", "embed"]


@pytest.mark.parametrize("settings", [{}, {"names": "a.*"}])
def test_the_bar_counts_the_bytes_of_arrays(model, tmp_path, monkeypatch, settings):
    """All of them in the end, whichever are chosen, or are known already."""
    bars = []

    @contextmanager
    def bar(total, wanted, label):
        bars.append((total, label, []))
        yield bars[-1][2].append

    monkeypatch.setattr("sgdyson.checkpoints._survey.progress_bar", bar)
    for _ in range(2):
        survey(model, resume=tmp_path / "rows", **settings)
    arrays = sum(2 * rows * columns for rows, columns in SHAPES.values()) + 2 * 32
    for total, label, moved in bars:
        assert label == "MB"
        assert sum(moved) == pytest.approx(arrays / 1e6)
        assert 0 < total - sum(moved) < 2e-3  # headers
    assert len(bars[0][2]) > len(bars[1][2])


class TestMemory:
    def test_matrices_wait_for_room(self):
        room, order = _room.Room(), []
        room._limit = 10.0

        def work(name, need):
            with room.of(need):
                order.append(f"{name} in")
                time.sleep(0.05)
                order.append(f"{name} out")

        threads = [threading.Thread(target=work, args=pair) for pair in (("a", 8), ("b", 8))]
        threads.append(threading.Thread(target=work, args=("more than there is", 99)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [line.rpartition(" ")[2] for line in order] == 3 * ["in", "out"]

    def test_what_stays_in_its_type_asks_for_its_bytes_alone(self, monkeypatch):
        asked = []
        monkeypatch.setattr("sgdyson._stored.require_memory", lambda need, *_: asked.append(need))
        item = Stored("w", "bfloat16", (4096, 4096), lambda: np.zeros(1))
        item.load(as_stored=True)
        item.load()
        assert asked == [2 * 2 * 4096**2, 2 * 8 * 4096**2]
        assert Stored("w", "float8_e4m3fn", (10, 3)).nbytes == 30
        assert Stored("w", "bool", (10, 3)).nbytes == 30
        assert Stored("w", "float32", (10, 3), reason="damaged").nbytes == 0


class TestJournal:
    def test_what_is_kept_is_not_measured_again(self, model, tmp_path, measured):
        settings = {"tail": True, "randomise": 0}
        plain = survey(model, **settings)
        first = survey(model, resume=tmp_path / "rows", **settings)
        assert sorted(measured) == sorted(2 * list(SHAPES))
        measured.clear()
        again = survey(model, resume=tmp_path / "rows", **settings)
        assert measured == []
        assert bits(plain) == bits(first) == bits(again)
        assert again.notes == [f"4 arrays taken from {tmp_path / 'rows'}"]
        assert repr(again.spectra) == repr(plain.spectra)

    @pytest.mark.parametrize("cut", [1, 30, "line"])
    def test_a_line_that_was_cut_short_costs_one_matrix(self, model, tmp_path, measured, cut):
        path = tmp_path / "rows"
        whole = bits(survey(model, resume=path))
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) == 1 + len(SHAPES)
        last = lines.pop()
        path.write_bytes(b"".join(lines) + (b"" if cut == "line" else last[:-cut]))
        measured.clear()
        assert bits(survey(model, resume=path)) == whole
        assert len(measured) == 1
        assert sorted(path.read_bytes().splitlines()) == sorted(
            line.rstrip() for line in [*lines, last]
        )

    def test_files_that_changed_are_measured_again_and_that_is_told(
        self, model, tmp_path, measured
    ):
        path = tmp_path / "rows"
        survey(model, resume=path)
        measured.clear()
        shards(model, extra=noise((40, 30)))
        found = survey(model, resume=path)
        assert sorted(set(measured)) == sorted([*SHAPES, "extra"])
        assert found.notes == [f"4 arrays in {path} are of files that have changed, or of others"]
        assert bits(found) == bits(survey(model))

    def test_other_options_are_refused_by_their_keys(self, model, tmp_path):
        path = tmp_path / "rows"
        survey(model, resume=path)
        before = path.read_bytes()
        with pytest.raises(
            InvalidInputError, match=r"other options \(tail = None there, True here"
        ):
            survey(model, resume=path, tail=True)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        "mine", ["mine", "{}\n", '{"sgdyson spectra": 1}\n', "\0" * 40, "[1]\n"]
    )
    def test_nothing_foreign_is_touched(self, model, tmp_path, mine):
        path = tmp_path / "rows"
        path.write_text(mine)
        with pytest.raises(InvalidInputError, match=r"rows is no file that this command wrote"):
            survey(model, resume=path)
        assert path.read_text() == mine

    def test_what_could_not_be_measured_is_tried_again(self, model, tmp_path, monkeypatch):
        path = tmp_path / "rows"

        def scarce(need, what, remedy=""):
            raise InvalidInputError(f"{what} would take too much; {remedy}.")

        with monkeypatch.context() as patch:
            patch.setattr("sgdyson._stored._SMALL", 50_000)
            patch.setattr("sgdyson._stored.require_memory", scarce)
            found = survey(model, resume=path)
            assert [row["name"] for row in found.rows()] == ["b.q", "embed"]
        assert lines(path) == 3
        assert bits(survey(model, resume=path)) == bits(survey(model))

    def test_an_array_is_on_the_disk_at_once(self, tmp_path):
        path = tmp_path / "rows"
        with _journal.journal(path, {}) as entries:
            for number in range(3):
                entries.keep(("key", f"w{number}"), _measure.Found([], number))
                assert lines(path) == 2 + number

    def test_two_at_once_are_refused(self, model, tmp_path):
        with (
            _journal.journal(tmp_path / "rows", {}),
            pytest.raises(InvalidInputError, match="is being written by another process"),
        ):
            survey(model, resume=tmp_path / "rows")

    @pytest.mark.parametrize(
        "damage",
        [
            lambda row: {"a": 1},
            lambda row: row | {"spectra": 3},
            lambda row: row | {"spectra": [{"class": "Path", "args": "x"}]},
            lambda row: row | {"spectra": [{"class": "MatrixSpectrum", "name": "w"}]},
            lambda row: row | {"key": "w"},
            lambda row: row | {"left_out": None},
        ],
    )
    def test_a_line_that_was_changed_is_named(self, model, tmp_path, damage):
        path = tmp_path / "rows"
        survey(model, resume=path)
        first, second, *others = path.read_text().splitlines()
        text = "\n".join([first, json.dumps(damage(json.loads(second))), *others, ""])
        path.write_text(text)
        with pytest.raises(InvalidInputError, match="line 2 is not as this command wrote it"):
            survey(model, resume=path)
        assert path.read_text() == text

    @pytest.mark.parametrize("on_base", [False, True])
    def test_the_scale_of_an_adapter_is_a_part_of_its_files(self, tmp_path, on_base):
        """It stands in a file beside the factors, which alone are weights."""
        folder, base = tmp_path / "adapter", tmp_path / "base.safetensors"
        folder.mkdir()
        factors = {"A.weight": noise((2, 9), 1), "B.weight": noise((7, 2), 2)}
        name = "base_model.model.up.lora_{}"
        write_safetensors(
            folder / "adapter_model.safetensors", {name.format(k): w for k, w in factors.items()}
        )
        write_safetensors(base, {"up.weight": noise((7, 9), 3)})
        given = {"base": base} if on_base else {}
        largest = []
        for alpha in (2, 20):
            config = {"peft_type": "LORA", "r": 2, "lora_alpha": alpha}
            (folder / "adapter_config.json").write_text(json.dumps(config))
            found = survey(folder, resume=tmp_path / "rows", **given)
            assert bits(found)[:2] == bits(survey(folder, **given))[:2]
            largest.append(found.rows()[0]["spectral"])
        assert largest[1] > 2 * largest[0]


LIMITED = """
import resource, sys
from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError
for room, path in zip((3000, 50), sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        survey(sys.argv[1], resume=path, workers=1)
    except InvalidInputError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a process, as a full disk")
def test_a_full_disk_is_one_sentence_and_what_was_kept_is_good(model, tmp_path, measured):
    """The system itself takes a part of a row, or of the first line, and then no more."""
    paths = [tmp_path / "rows", tmp_path / "first"]
    command = [sys.executable, "-c", LIMITED, str(model), *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    told = run.stdout.splitlines()
    assert len(told) == 2
    assert told[0].startswith(f"--resume {paths[0]} could not take a row (")
    assert told[1].startswith(f"--resume {paths[1]} cannot be written (")
    kept = [max(lines(path) - 1, 0) for path in paths]
    assert kept[1] == 0 < kept[0] < 4
    whole = bits(survey(model))
    for path, rows in zip(paths, kept, strict=True):
        assert path.read_bytes()[-1:] in (b"", b"\n")
        measured.clear()
        assert bits(survey(model, resume=path))[:2] == whole[:2]
        assert len(measured) == 4 - rows


def start(*words):
    command = [sys.executable, "-m", "sgdyson", "spectrum", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_by(capsys, *words):
    """Status, output and errors of the command, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sgdyson", "spectrum", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    return stopped.value.code, *capsys.readouterr()


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_kill_costs_no_more_than_the_matrices_at_work(tmp_path):
    (tmp_path / "model").mkdir()
    path = tmp_path / "model" / "w.safetensors"
    write_safetensors(path, {f"w{i}": noise((500, 400), i).astype("f4") for i in range(30)})
    rows, table = tmp_path / "rows", tmp_path / "table.json"
    process = start(path, "--workers", 1, "--resume", rows)
    while lines(rows) < 4 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    kept = lines(rows) - 1
    assert 3 <= kept < 30
    process = start(path, "--workers", 2, "--resume", rows, "--json", table)
    _, told = process.communicate()
    assert process.returncode == 0, told
    assert f"{kept} arrays taken from {rows}" in told
    assert json.loads(table.read_text()) == json.loads(json.dumps(survey(path).rows()))
    assert lines(rows) == 31


@pytest.mark.parametrize("words", [("--workers", "0"), ("--resume", "t.json", "--json", "t.json")])
def test_the_command_refuses(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    np.savez("w.npz", w=noise((9, 7)))
    status, out, told = told_by(capsys, "w.npz", *words)
    assert (status, out) == (2, "")
    assert len(told.splitlines()) == 1
    assert words[0] in told


CLUSTER = """
import sys
{before}
import distributed
if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://",
        dashboard_address=None, memory_limit=0,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def cluster(before=""):
    """A scheduler with a worker, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", CLUSTER.format(before=before)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, text=True, **pipes)
    address = process.stdout.readline().strip()
    assert address
    return process, address


@pytest.mark.filterwarnings("ignore")  # Dask's own
class TestDask:
    def test_rows_and_bits_are_those_of_this_machine(self, model, tmp_path):
        pytest.importorskip("distributed")
        process, address = cluster()
        with process:
            there = survey(model, scheduler=address, tail=True, resume=tmp_path / "rows")
            assert bits(there) == bits(survey(model, tail=True))
            assert lines(tmp_path / "rows") == 1 + len(SHAPES)
            process.kill()

    def test_another_version_is_refused_by_name(self, model):
        pytest.importorskip("distributed")
        before = "import sgdyson.checkpoints._identity as own; own.__version__ = '99'"
        process, address = cluster(before)
        with process:
            with pytest.raises(InvalidInputError, match=r"worker .*127\.0\.0\.1.* has sgdyson 99"):
                survey(model, scheduler=address)
            process.kill()

    def test_files_that_a_worker_does_not_see_are_told(self, model):
        pytest.importorskip("distributed")
        before = (
            "import pathlib; stat = pathlib.Path.stat\n"
            "def gone(path, **how):\n"
            "    if path.name.startswith('model-'): raise FileNotFoundError(2, 'No', str(path))\n"
            "    return stat(path, **how)\n"
            "pathlib.Path.stat = gone"
        )
        process, address = cluster(before)
        with process:
            with pytest.raises(InvalidInputError, match="put it where all of them see it"):
                survey(model, scheduler=address)
            process.kill()

    def test_a_lost_scheduler_is_one_sentence_and_the_same_command_goes_on(self, tmp_path):
        pytest.importorskip("distributed")
        path, rows = tmp_path / "w.safetensors", tmp_path / "rows"
        write_safetensors(path, {f"w{i}": noise((400, 300), i).astype("f4") for i in range(40)})
        process, address = cluster()
        with process:
            killed = threading.Thread(target=lambda: (_wait_for(rows), process.kill()))
            killed.start()
            with pytest.raises(InvalidInputError, match="has gone away") as caught:
                survey(path, scheduler=address, resume=rows)
            killed.join()
        assert "\n" not in str(caught.value)
        assert "what is finished is kept" in str(caught.value)
        kept = lines(rows) - 1
        assert 1 <= kept < 40
        found = survey(path, resume=rows)
        assert f"{kept} arrays taken from {rows}" in found.notes
        assert bits(found) == bits(survey(path))


def _wait_for(rows):
    while lines(rows) < 3:
        time.sleep(0.002)
