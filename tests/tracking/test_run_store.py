"""The store of a run: whole records whatever ends the process, gone on with, one writer."""

import json
import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import xarray as xr

from sgdyson.errors import InvalidInputError
from sgdyson.tracking import Run, Tracker, matrices_of, open_run
from sgdyson.tracking._run_store import RunStore


def weights(step):
    return np.random.default_rng(step).normal(size=(8, 6))


def spectrum(step):
    return np.linalg.svd(weights(step), compute_uv=False)


def record(out, steps, **settings):
    with Tracker(out, every=1, **settings) as tracker:
        for step in steps:
            tracker.update(step, {"w": weights(step)})
    assert tracker._said == set()


def end(tracker, steps):
    for step in steps:
        tracker.update(step, {"w": weights(step)})
    tracker.close()


def run_python(code, *arguments, **settings):
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, **settings
    )


class TestRecords:
    @pytest.mark.parametrize("block", [1, 3, 100])
    def test_they_come_back_from_the_journal_and_from_zarr(self, tmp_path, block, monkeypatch):
        monkeypatch.setattr("sgdyson.tracking._run_store._MOST", block)
        store = RunStore(tmp_path / "run.zarr")
        for step in range(7):
            late = {"late": np.array(float(step))} if step > 4 else {}
            values = {"s_w": spectrum(step), **late}
            store.append(step, values, {"s_w": {"name": "w"}}, {"a": [step]})
            run = open_run(tmp_path / "run.zarr")  # before anything else is written
            assert run.time.values.tolist() == list(range(step + 1))
        store.flush()
        plain = xr.open_zarr(tmp_path / "run.zarr", consolidated=False)
        for found in (open_run(tmp_path / "run.zarr"), plain):
            np.testing.assert_array_equal(found["s_w"], [spectrum(step) for step in range(7)])
            np.testing.assert_array_equal(found["late"], [np.nan] * 5 + [5.0, 6.0])
            assert found.attrs["a"] == [6]
            assert found["s_w"].attrs["name"] == "w"

    @pytest.mark.parametrize("torn", [1, 9, 40])
    def test_a_torn_end_is_not_read_and_is_gone_on_with(self, tmp_path, torn):
        record(tmp_path / "run.zarr", range(5))
        journal = tmp_path / "run.zarr" / "time" / "journal"
        journal.write_bytes(journal.read_bytes()[:-torn])
        assert open_run(tmp_path / "run.zarr").time.values.tolist() == [0, 1, 2, 3]
        record(tmp_path / "run.zarr", range(4, 7), mode="append", start_step=3)
        np.testing.assert_array_equal(
            open_run(tmp_path / "run.zarr")["s_w"], [spectrum(step) for step in range(7)]
        )

    @pytest.mark.parametrize("block", [1, 4, 100])
    @pytest.mark.parametrize("back", [0, 3, 8, 11])
    def test_steps_that_go_back_replace_what_they_repeat(self, tmp_path, block, back, monkeypatch):
        monkeypatch.setattr("sgdyson.tracking._run_store._MOST", block)
        record(tmp_path / "run.zarr", range(12))
        with Tracker(tmp_path / "run.zarr", every=1, mode="append") as tracker:
            for step in range(back, 15):
                tracker.update(step, {"w": 2 * weights(step)})
        expected = [spectrum(s) * (2 if s >= back else 1) for s in range(15)]
        plain = xr.open_zarr(tmp_path / "run.zarr", consolidated=False)
        for found in (open_run(tmp_path / "run.zarr"), plain):
            assert found.time.values.tolist() == list(range(15))
            np.testing.assert_allclose(found["s_w"], expected, rtol=1e-13)

    def test_they_do_so_within_one_tracker(self, tmp_path):
        record(tmp_path / "run.zarr", [0, 1, 2, 1, 2, 3])
        assert open_run(tmp_path / "run.zarr").time.values.tolist() == [0, 1, 2, 3]

    def test_an_adaptive_run_that_resumes_drops_what_came_after(self, tmp_path):
        record(tmp_path / "run.zarr", [0, 2, 5, 9])
        record(tmp_path / "run.zarr", [7, 8], start_step=4)
        assert open_run(tmp_path / "run.zarr").time.values.tolist() == [0, 2, 7, 8]

    def test_many_columns_and_records_with_a_gap(self, tmp_path):
        names = [f"layer{i}" for i in range(40)]
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            for step in range(4):
                held = [name for i, name in enumerate(names) if (i + step) % 3]
                tracker.update(step, {name: weights(step) for name in held})
        run = Run(open_run(tmp_path / "run.zarr"))
        for i, name in enumerate(names):
            exact = [spectrum(s) if (i + s) % 3 else np.full(6, np.nan) for s in range(4)]
            np.testing.assert_array_equal(run.values(name), exact)


class TestModes:
    def test_what_is_there_is_not_touched(self, tmp_path):
        (tmp_path / "foreign").mkdir()
        (tmp_path / "foreign" / "thesis.txt").write_text("years of work")
        (tmp_path / "file").write_text("a file")
        np.save(tmp_path / "x.npy", np.ones(3))
        record(tmp_path / "run.zarr", range(3))
        xr.Dataset({"a": ("time", [1.0])}).to_zarr(tmp_path / "other.zarr", consolidated=False)
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        for name in ("foreign", "file", "x.npy", "other.zarr"):
            for mode in ("append", "new", None):
                with pytest.raises(InvalidInputError, match="choose another name"):
                    Tracker(tmp_path / name, mode=mode)
        for mode in ("new", None):
            with pytest.raises(InvalidInputError, match="exists"):
                Tracker(tmp_path / "run.zarr", mode=mode)
        with pytest.raises(InvalidInputError, match="exists"):
            Tracker(tmp_path / "run.zarr", mode="new", start_step=2)
        after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        assert after == before

    @pytest.mark.parametrize(
        ("settings", "message"),
        [({"mode": "w"}, "append"), ({"start_step": -1}, "start_step"),
         ({"start_step": 1.5}, "start_step"), ({"batch_size": 0}, "positive"),
         ({"every": True}, "whole number"), ({"optimizer": 3}, "must be a name"),
         ({"optimizer": {"momentum": 0.9}}, "no name"),
         ({"optimizer": {"name": "sgd", "momentun": 0.9}}, "momentun"),
         ({"optimizer": {"name": "sgd", "momentum": "x"}}, "must be a number")],
    )  # fmt: skip
    def test_bad_arguments(self, tmp_path, settings, message):
        with pytest.raises(InvalidInputError, match=message):
            Tracker(tmp_path / "run.zarr", **settings)
        assert not (tmp_path / "run.zarr").exists()

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [({"w": np.ones((3, 8))}, "had the shape"), ({"v": np.eye(3)}, "no matrix of one")],
    )
    def test_the_run_of_another_model_is_left_as_it_is(self, tmp_path, arrays, message):
        record(tmp_path / "run.zarr", range(3))
        tracker = Tracker(tmp_path / "run.zarr", every=1, mode="append")
        tracker.update(0, arrays)
        with pytest.warns(RuntimeWarning, match=message):
            tracker.close()
        assert open_run(tmp_path / "run.zarr").time.values.tolist() == [0, 1, 2]

    def test_append_begins_where_nothing_is(self, tmp_path):
        record(tmp_path / "deep" / "run.zarr", range(3), mode="append")
        assert open_run(tmp_path / "deep" / "run.zarr").sizes["time"] == 3

    def test_a_tracker_left_open_yields_to_the_next(self, tmp_path):
        """As of a cell of a notebook that was interrupted, and is run again."""
        first = Tracker(tmp_path / "run.zarr", every=1)
        for step in range(3):
            first.update(step, {"w": weights(step)})
        first._settle()
        record(tmp_path / "run.zarr", range(3, 6), start_step=2)
        first.update(3, {"w": 5 * weights(3)})
        first.close()
        np.testing.assert_array_equal(
            open_run(tmp_path / "run.zarr")["s_w"], [spectrum(step) for step in range(6)]
        )


class TestNames:
    def test_any_names_are_matrices_of_their_own(self, tmp_path):
        names = [
            "a/b.w", "a_b.w", "a b.w", "W", "w", "n" * 300, "n" * 299 + "m", "слой/β", "й" * 150,
            "../x", "..", ".", "", "a\nb", "time", "velocity_w", "s_w", "noise_w", "é", "e\u0301",
            "\udc80", "CON", "[red]x[/]", "x" * 190 + "~2",
        ]  # fmt: skip
        arrays = {name: weights(i) for i, name in enumerate(names)}
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            tracker.update(0, arrays)
            tracker.update(1, dict(reversed(arrays.items())))
        run = Run(open_run(tmp_path / "run.zarr"))
        assert run.names == names
        for i, name in enumerate(names):
            np.testing.assert_array_equal(run.values(name), [spectrum(i)] * 2)
        files = [p.name for p in (tmp_path / "run.zarr").iterdir()]
        assert len({name.casefold() for name in files}) == len(files)
        assert max(len(os.fsencode(f)) for f in files) + len("learning_rate_") <= 255
        record_again = Tracker(tmp_path / "run.zarr", every=1, mode="append")
        record_again.update(2, arrays)
        record_again.close()
        assert matrices_of(open_run(tmp_path / "run.zarr")) == run.keys

    def test_names_that_a_tree_makes_equal(self, tmp_path):
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            tracker.update(0, {"a": {"b": weights(0)}, "a.b": weights(1)})
        run = Run(open_run(tmp_path / "run.zarr"))
        found = {name: run.values(name)[0] for name in run.names}
        assert set(found) == {"a.b", "a.b (2)"}
        np.testing.assert_array_equal(found["a.b"], spectrum(0))
        np.testing.assert_array_equal(found["a.b (2)"], spectrum(1))


class TestLeaves:
    def test_what_is_no_array_of_numbers_is_skipped_with_its_reason(self, tmp_path):
        import jax

        class Odd:
            def __array__(self, *_):
                raise TypeError("no")

        leaves = {
            "key": jax.random.key(0), "keys": jax.random.split(jax.random.key(0), 3),
            "text": "adam", "none": None, "odd": Odd(), "object": object(), "flag": True,
            "old": jax.random.PRNGKey(0), "phase": np.ones((3, 3), complex),
        }  # fmt: skip
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            for step in range(2):
                tracker.update(step, {"w": weights(step), "rngs": leaves})
        assert tracker._said == set()
        run = Run(open_run(tmp_path / "run.zarr"))
        assert (run.names, len(run.steps)) == (["w"], 2)
        reasons = dict(run.skipped)
        assert set(reasons) == {f"rngs.{name}" for name in leaves if name != "none"}
        assert "key" in reasons["rngs.key"]
        assert all(reasons.values())

    def test_the_state_of_a_flax_module(self, tmp_path):
        nnx = pytest.importorskip("flax.nnx")
        model = nnx.Sequential(
            nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.Dropout(0.5, rngs=nnx.Rngs(1))
        )
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            tracker.update(0, nnx.state(model))
            tracker.update(1, nnx.state(model))
        run = Run(open_run(tmp_path / "run.zarr"))
        assert (len(run.names), len(run.steps)) == (1, 2)
        kernel = np.asarray(model.layers[0].kernel[...], dtype=float)
        exact = np.linalg.svd(kernel, compute_uv=False)
        np.testing.assert_allclose(run.values(run.names[0]), [exact] * 2, rtol=1e-10)

    @pytest.mark.parametrize("first", [np.zeros((8, 6)), np.full((8, 6), np.nan)])
    def test_a_first_record_without_a_spectrum_is_followed_by_others(self, tmp_path, first):
        with Tracker(tmp_path / "run.zarr", every=1) as tracker:
            for step in range(4):
                tracker.update(step, {"w": first if step < 2 else weights(step), "b": np.ones(3)})
        run = Run(open_run(tmp_path / "run.zarr"))
        nothing = np.full(6, np.nan)
        np.testing.assert_array_equal(run.values("w"), [nothing, nothing, spectrum(2), spectrum(3)])
        assert run.skipped == [("b", "a vector")]

    def test_nothing_at_all_is_told_once_with_the_reasons(self, tmp_path):
        tracker = Tracker(tmp_path / "run.zarr", every=1)
        for step in range(3):
            tracker.update(step, {"b": np.ones(4), "n": np.ones((3, 3), int)})
        with pytest.warns(RuntimeWarning, match=r"b \(a vector\), n \(int64, no real") as seen:
            tracker.close()
        assert len(seen) == 1
        assert Run(open_run(tmp_path / "run.zarr")).skipped[0] == ("b", "a vector")


class TestFailure:
    def test_a_store_removed_meanwhile(self, tmp_path):
        import shutil

        tracker = Tracker(tmp_path / "run.zarr", every=1)
        for step in range(3):
            tracker.update(step, {"w": weights(step)})
        tracker._settle()
        shutil.rmtree(tmp_path / "run.zarr")
        with pytest.warns(RuntimeWarning, match="has stopped") as seen:
            end(tracker, range(3, 6))
        assert len(seen) == 1
        assert not (tmp_path / "run.zarr").exists()  # nor half of it made anew

    def test_a_full_disk_keeps_what_was_written(self, tmp_path, monkeypatch):
        """The system takes half of a record, then nothing."""
        tracker = Tracker(tmp_path / "run.zarr", every=1)
        for step in range(3):
            tracker.update(step, {"w": weights(step)})
        tracker._settle()
        write, calls = os.write, []

        def full(descriptor, data):
            calls.append(len(data))
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            return write(descriptor, data[: len(data) // 2])

        monkeypatch.setattr("sgdyson.tracking._journal.os.write", full)
        with pytest.warns(RuntimeWarning, match="No space left") as seen:
            end(tracker, range(3, 6))
        del tracker  # nor does its end try once more
        monkeypatch.undo()
        assert len(seen) == 1
        assert open_run(tmp_path / "run.zarr").time.values.tolist() == [0, 1, 2]

    def test_a_warning_that_is_an_error_stays_with_the_tracker(self, tmp_path, capsys):
        tracker = Tracker(tmp_path / "run.zarr", every=1, learning_rate=lambda: 1 / 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for step, shape in enumerate([(4, 4), (5, 4), (5, 4), (5, 4)]):
                tracker.update(step, {"w": np.ones(shape)})
            tracker.close()
        told = capsys.readouterr().err
        assert told.count("RuntimeWarning") == 2
        assert "had the shape" in told
        assert "learning_rate= could not be had: ZeroDivisionError" in told
        assert open_run(tmp_path / "run.zarr").sizes["time"] == 1

    def test_a_logger_that_fails_costs_no_record(self, tmp_path):
        def log(*_):
            raise ConnectionError("offline")

        tracker = Tracker(tmp_path / "run.zarr", every=1, log=log)
        with pytest.warns(RuntimeWarning, match="offline") as seen:
            end(tracker, range(4))
        assert len(seen) == 1
        assert open_run(tmp_path / "run.zarr").sizes["time"] == 4

    def test_a_record_that_never_ends_holds_nobody(self, tmp_path, monkeypatch):
        import threading

        stuck = threading.Event()
        tracker = Tracker(tmp_path / "run.zarr", every=1)
        tracker._beside._patience = 0.05
        tracker.update(0, {"w": weights(0)})
        tracker._settle()
        monkeypatch.setattr(
            tracker, "_singular_values", lambda _: [spectrum(0)] if stuck.wait() else None
        )
        with pytest.warns(RuntimeWarning, match="without a sign of life") as seen:
            end(tracker, range(1, 50))
        assert len(seen) == 2  # records are left out; the last one is given up
        assert open_run(tmp_path / "run.zarr").sizes["time"] == 1
        stuck.set()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a small disk")
def test_a_disk_that_is_full_is_told_once(tmp_path):
    """Also where warnings are errors, and at the end of the process."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)], check=False
    )
    if mounted.returncode:
        pytest.skip("mounts a small disk")
    code = """
        import sys, numpy as np
        from sgdyson.tracking import Tracker, open_run
        tracker = Tracker(sys.argv[1], every=1)
        for step in range(600):
            tracker.update(step, {f"w{i}": np.eye(16) + step for i in range(5)})
        tracker.close()
        steps = open_run(sys.argv[1]).time.values
        assert tracker.stopped and 100 < len(steps) < 600
        assert (steps == np.arange(len(steps))).all()
    """
    try:
        done = run_python(code, tmp_path / "run.zarr")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("No space left") == 1


def test_an_interrupt_leaves_every_record_that_was_made(tmp_path):
    """Ctrl-C within a step, the tracker neither closed nor collected, the process gone at once."""
    code = """
        import os, sys, numpy as np
        from sgdyson.tracking import Tracker
        tracker = Tracker(sys.argv[1], every=1)
        arrays = lambda step: {"w": np.random.default_rng(step).normal(size=(8, 6))}
        try:
            for step in range(46):
                tracker.update(step, arrays(step))
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            os._exit(7)
    """
    assert run_python(code, tmp_path / "run.zarr").returncode == 7
    steps = open_run(tmp_path / "run.zarr").time.values
    assert len(steps) >= 45
    np.testing.assert_array_equal(
        open_run(tmp_path / "run.zarr")["s_w"], [spectrum(step) for step in steps]
    )


FORKED = """
import multiprocessing, os, sys, pickle, copy, numpy as np
from sgdyson.tracking import Tracker, open_run
from sgdyson._threads import one_blas_thread, _lock

arrays = lambda step: {"w": np.random.default_rng(step).normal(size=(8, 6))}
tracker = Tracker(sys.argv[1], every=1, learning_rate=0.1)

def child(_):
    tracker.update(1000, arrays(0))
    tracker.close()
    with one_blas_thread():
        pass
    return tracker.due(0)

def forked(end):
    pid = os.fork()
    if not pid:
        if end is not None:
            child(0)
            end(0)
        raise SystemExit  # as it comes, through all that happens at exit
    assert os.waitpid(pid, 0)[1] == 0

for step in range(70):
    tracker.update(step, arrays(step))
    if step in (5, 45):  # with a record in work, and its locks held
        with _lock:
            forked(os._exit)
            forked(sys.exit)
            forked(None)
        process = multiprocessing.get_context("fork").Process(target=child, args=(0,))
        process.start()
        process.join()
        assert process.exitcode == 0
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(child, range(4)) == [False] * 4
for twin in (copy.deepcopy(tracker), pickle.loads(pickle.dumps(tracker))):
    twin.update(1000, arrays(0))
    twin.close()
tracker.close()
assert not tracker._said
assert open_run(sys.argv[1]).time.values.tolist() == list(range(70))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_neither_writes_nor_waits(tmp_path):
    done = run_python(FORKED, tmp_path / "run.zarr")
    assert done.returncode == 0, done.stderr[-2000:]
    run = open_run(tmp_path / "run.zarr")
    np.testing.assert_array_equal(run["s_w"], [spectrum(step) for step in range(70)])


def test_the_attributes_of_a_store_are_plain_json(tmp_path):
    record(tmp_path / "run.zarr", range(2), learning_rate=0.1, batch_size=np.inf)

    def refuse(text):
        raise AssertionError(text)

    for file in (tmp_path / "run.zarr").rglob("zarr.json"):
        json.loads(file.read_text(), parse_constant=refuse)
