"""The arrays of a run: few files, whole at every moment, those of earlier layouts too."""

import json
import os

import numpy as np
import pytest
import xarray as xr
import zarr

from sgdyson.tracking import _zarr_arrays, open_run
from sgdyson.tracking._journal import Column
from sgdyson.tracking._run_store import RunStore
from sgdyson.tracking._zarr_arrays import ZarrArrays, read_rows

COLUMN = Column(0, 3, {"name": "w"})


class KilledError(BaseException):
    pass


def numbers(first, stop):
    return np.arange(3.0 * first, 3.0 * stop).reshape(-1, 3)


def plain(folder):
    return xr.open_zarr(folder, consolidated=False)


def store_of(path, records, late=1000, append=False):
    """A store whose journal has been emptied several times."""
    store = RunStore(path, append=append)
    for step in records:
        values = {"s_w": numbers(step, step + 1)[0], "rate": np.array(0.5 * step)}
        if step >= late:
            values["late"] = np.array([1.0 * step, 2.0])
        store.append(step, values, {"s_w": {"name": "w", "shape": [3, 3], "number": 0}}, {})
    store.flush()


def check(found, records, late=1000):
    assert found.time.values.tolist() == list(range(records))
    np.testing.assert_array_equal(found["s_w"], numbers(0, records))
    np.testing.assert_array_equal(found["rate"], 0.5 * np.arange(records))
    if late < records:
        assert np.isnan(found["late"][:late]).all()
        np.testing.assert_array_equal(found["late"][late:, 0], np.arange(late, records))


@pytest.mark.parametrize("most", [1, 5, 64])
def test_files_do_not_grow_with_records(tmp_path, monkeypatch, most):
    monkeypatch.setattr("sgdyson.tracking._run_store._MOST", most)
    store_of(tmp_path / "r", range(100), late=70)
    files = [file for file in (tmp_path / "r").rglob("*") if file.is_file()]
    assert len(files) == 2 + 2 * 4  # journal, group; s_w, rate, late, time
    for found in (open_run(tmp_path / "r"), plain(tmp_path / "r")):
        check(found, 100, late=70)


def test_long_arrays_have_chunks_of_a_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(_zarr_arrays, "_LONGEST", 24 * 20)
    monkeypatch.setattr("sgdyson.tracking._run_store._MOST", 9)
    store_of(tmp_path / "r", range(90), late=33)
    chunks = sorted(file.stat().st_size for file in (tmp_path / "r" / "s_w").glob("*.0"))
    assert chunks == [24 * 20] * 5
    for found in (open_run(tmp_path / "r"), plain(tmp_path / "r")):
        check(found, 90, late=33)


def in_blocks(folder, block):
    """As earlier versions have laid out an array."""
    meta = json.loads((folder / "zarr.json").read_text())
    shape = meta["shape"]
    column = Column(0, shape[1] if shape[1:] else None, {})
    dtype = "<i8" if meta["data_type"] == "int64" else "<f8"
    rows = read_rows(folder.parent, folder.name, column, stop=shape[0], dtype=dtype)
    meta["chunk_grid"]["configuration"]["chunk_shape"][0] = block
    meta["chunk_key_encoding"]["name"] = "default"
    for file in folder.glob("*"):
        if file.name not in ("zarr.json", "journal"):
            file.unlink()
    for begin in range(0, len(rows), block):
        name = f"c.{begin // block}" + (".0" if shape[1:] else "")
        whole = np.zeros((block, rows.shape[1]), rows.dtype)
        whole[: len(rows[begin : begin + block])] = rows[begin : begin + block]
        (folder / name).write_bytes(whole.tobytes())
    (folder / "zarr.json").write_text(json.dumps(meta))


def test_a_run_of_an_earlier_layout_is_read_and_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr("sgdyson.tracking._run_store._MOST", 7)
    store_of(tmp_path / "r", range(40), late=20)
    for folder in (tmp_path / "r").iterdir():
        if folder.is_dir():
            in_blocks(folder, 7)
    assert len(list((tmp_path / "r" / "s_w").iterdir())) == 7
    for found in (open_run(tmp_path / "r"), plain(tmp_path / "r")):
        check(found, 40, late=20)
    store_of(tmp_path / "r", range(40, 45), late=20, append=True)
    assert len(list((tmp_path / "r" / "s_w").iterdir())) == 2
    for found in (open_run(tmp_path / "r"), plain(tmp_path / "r")):
        check(found, 45, late=20)


def kill_at(monkeypatch, moment):
    """No file is changed any more from the so-manieth change on."""
    left = [moment]

    def guarded(change):
        def call(*arguments, **settings):
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            return change(*arguments, **settings)

        return call

    for name in ("write", "ftruncate"):
        monkeypatch.setattr(os, name, guarded(getattr(os, name)))
    for name in ("write_bytes", "replace", "unlink", "mkdir", "rename"):
        monkeypatch.setattr(f"pathlib.Path.{name}", guarded(getattr(type(monkeypatch.path), name)))


@pytest.mark.parametrize("most", [6, 100])
def test_a_kill_at_any_moment_costs_the_record_in_work_at_most(tmp_path, monkeypatch, most):
    """Whatever change of a file is the last: both readers find whole records and go on."""
    monkeypatch.setattr("sgdyson.tracking._run_store._MOST", most)
    moment, ended = 0, False
    while not ended:
        path = tmp_path / str(moment)
        store_of(path, range(15), late=12)
        store = RunStore(path, append=True)
        done = 15
        with pytest.MonkeyPatch.context() as patch:
            patch.path = path
            kill_at(patch, moment)
            try:
                for step in range(15, 20):
                    values = {
                        "s_w": numbers(step, step + 1)[0], "rate": np.array(0.5 * step),
                        "late": np.array([1.0 * step, 2.0]),
                    }  # fmt: skip
                    store.append(step, values, {}, {})
                    done = step + 1
                store.flush()
                ended = True
            except KilledError:
                pass
        found = open_run(path)
        assert done <= found.sizes["time"] <= done + 1
        check(found, found.sizes["time"], late=12)
        group = zarr.open_group(path, mode="r")  # arrays in work end at two records
        np.testing.assert_array_equal(group["s_w"][:15], numbers(0, 15))
        np.testing.assert_array_equal(group["time"][:15], np.arange(15))
        store_of(path, range(found.sizes["time"], 40), late=12, append=True)
        for again in (open_run(path), plain(path)):
            check(again, 40, late=12)
        moment += 1
    assert moment > 20


def test_a_kill_before_the_first_record_is_no_run_yet(tmp_path, monkeypatch):
    """Whatever was made by then is not in the way of the training that begins again."""
    moment, ended = 0, False
    while not ended:
        path = tmp_path / str(moment)
        with pytest.MonkeyPatch.context() as patch:
            patch.path = path
            kill_at(patch, moment)
            try:
                store_of(path, range(3))
                ended = True
            except KilledError:
                pass
        store_of(path, range(20), append=path.exists())
        check(open_run(path), 20)
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
        moment += 1
    assert moment > 8


def test_an_array_that_moves_while_it_is_read(tmp_path, monkeypatch):
    arrays = ZarrArrays(tmp_path)
    arrays.write_rows("s_w", COLUMN, numbers(0, 10), first=0)
    look, looks = _zarr_arrays.layout_of, []

    def looked(array):
        layout = look(array)
        looks.append(layout)
        if len(looks) == 1:  # behind its back
            ZarrArrays(tmp_path).write_rows("s_w", COLUMN, numbers(10, 40), first=10)
            looks[1:] = []
        return layout

    monkeypatch.setattr(_zarr_arrays, "layout_of", looked)
    np.testing.assert_array_equal(read_rows(tmp_path, "s_w", COLUMN, stop=10), numbers(0, 10))
