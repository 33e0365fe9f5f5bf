"""What is chosen, what is left out and counted, and which of two arrays of one name is measured."""

import os
import re
from types import SimpleNamespace

import numpy as np
import pytest

from sgdyson._stored import Stored
from sgdyson.checkpoints import Checkpoint, survey
from sgdyson.checkpoints._adapted import _unfit
from sgdyson.checkpoints._by_name import bare_name
from sgdyson.checkpoints._choice import Choice
from sgdyson.checkpoints._identity import identity
from sgdyson.checkpoints._journal import journal
from sgdyson.checkpoints._measure import Found
from sgdyson.checkpoints._room import need_of
from sgdyson.checkpoints._shards import grouped
from sgdyson.checkpoints._work import Survey
from sgdyson.spectra import Skipped


def test_a_matrix_of_the_smallest_size_is_taken_and_smaller_ones_are_counted():
    choice = Choice((), 3)
    shapes = [(3, 3), (3, 9), (9, 3), (2, 9), (9, 2)]
    assert [choice.takes(np.zeros(shape)) for shape in shapes] == [True] * 3 + [False] * 2
    assert choice.left_out == 2
    assert choice.sentence() == ["left out 2 that were not chosen"]


def test_names_that_are_not_chosen_are_counted_beside_sizes(tmp_path):
    stored = [Stored(name, "float32", (4, 4)) for name in ("a.weight", "b.weight", "c.bias")]
    choice = Choice("*.weight", 1)
    assert [item.name for item in choice.named(stored)] == ["a.weight", "b.weight"]
    assert choice.left_out == 1
    assert [item.name for item in choice.named(stored[2:] + stored[:1])] == ["a.weight"]
    assert choice.left_out == 2
    rng = np.random.default_rng(0)
    arrays = {f"{name}.weight": rng.random((n, n)) for name, n in (("a", 2), ("b", 5), ("c", 6))}
    np.savez(tmp_path / "m.npz", **arrays)
    found = survey(tmp_path / "m.npz", names=["a*", "b*"], smallest=3)
    assert [row["name"] for row in found.rows()] == ["b.weight"]
    assert "left out 2 that were not chosen" in found.notes


def test_of_two_arrays_of_one_name_the_first_is_measured(tmp_path):
    files = tuple(tmp_path / f"part{n}.npz" for n in (1, 2))
    for factor, file in enumerate(files, 1):
        np.savez(file, w=factor * np.eye(3), **{f"own{factor}": np.eye(2)})
    arrays = list(Checkpoint(None, files).arrays())
    read = {item[0]: item[1] for item in arrays if not isinstance(item, Skipped)}
    assert set(read) == {"w", "own1", "own2"}
    np.testing.assert_array_equal(read["w"], np.eye(3))
    (left,) = (item for item in arrays if isinstance(item, Skipped))
    assert left.name == "w (part2.npz)"
    assert "second array of this name" in left.reason


@pytest.mark.parametrize("spoilt", [1, 2])
def test_of_two_arrays_of_one_name_the_one_that_can_be_read(tmp_path, spoilt):
    files = tuple(tmp_path / f"part{n}.npz" for n in (1, 2))
    for number, file in enumerate(files, 1):
        np.savez(file, w=np.array(["text"]) if number == spoilt else number * np.eye(3))
    arrays = list(Checkpoint(None, files).arrays())
    (read,) = (item[1] for item in arrays if not isinstance(item, Skipped))
    np.testing.assert_array_equal(read, (3 - spoilt) * np.eye(3))


def test_a_row_is_on_the_disk_before_the_next_is_found(tmp_path, monkeypatch):
    path, synced = tmp_path / "rows", []

    def fsync(handle):
        synced.append(os.pread(handle, 1 << 20, 0))

    monkeypatch.setattr(os, "fsync", fsync)
    with journal(path, {"options": 1}) as rows:
        for name in ("a", "b"):
            rows.keep(("key", name), Found([], 0))
            assert synced[-1] == path.read_bytes()
            assert synced[-1].endswith(b"\n")
    assert [content.count(b"\n") for content in synced] == [1, 2, 3]


def test_what_follows_a_damaged_row_is_found_anew(tmp_path):
    """Where a row ends is not known any more, once one before it is no row."""
    path = tmp_path / "rows"
    with journal(path, {}) as rows:
        for name in ("a", "b", "c"):
            rows.keep(("key", name), Found([], 0))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[2][:9] + b"\n", lines[3]]))
    with journal(path, {}) as rows:
        known = [rows.get(("key", name)) is not None for name in ("a", "b", "c")]
        rows.keep(("key", "b"), Found([], 0))
    assert known == [True, False, False]
    assert path.read_bytes() == b"".join(lines[:3])


def test_a_file_of_the_same_size_that_was_written_anew_is_another(tmp_path):
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "m.npz"
    np.savez(file, w=np.eye(3))
    os.utime(file, ns=(10**18, 10**18))
    before = identity(Checkpoint(None, (file,)), [])
    (tmp_path / "a").rename(tmp_path / "b")  # one that was moved is the same
    moved = Checkpoint(None, (tmp_path / "b" / "m.npz",))
    assert identity(moved, []) == before
    os.utime(moved.files[0], ns=(10**18, 10**18 + 1))
    assert identity(moved, []) != before


def test_an_adapter_on_another_base_is_another(tmp_path):
    files = [tmp_path / name for name in ("base.npz", "adapter.npz")]
    for file in files:
        np.savez(file, w=np.eye(3))
    on_base = Checkpoint(None, (files[1],), base=Checkpoint(None, (files[0],)))
    before = identity(on_base, [])
    assert before != identity(Checkpoint(None, (files[1],)), [])
    os.utime(files[0], ns=(10**18, 10**18))
    assert identity(on_base, []) != before


@pytest.mark.parametrize(
    ("shape", "smaller"), [((8, 1000), 8), ((1000, 8), 8), ((8, 3, 5, 5), 8), ((64, 64), 64)]
)
def test_memory_for_a_matrix_goes_by_its_smaller_side(shape, smaller):
    """Twice itself, and three squares of the smaller side in float64: Gram and decomposition."""
    entries = int(np.prod(shape))
    assert need_of(Stored("w", "float32", shape)) == 2 * 4 * entries + 24 * smaller**2


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("module._orig_mod.model.layers.0.weight", "layers.0.weight"),
        ("params/dense/kernel", "dense.kernel"),
        ("model", "model"),
        ("encoder.model.weight", "encoder.model.weight"),
        ("base_model.model.q_proj.base_layer.weight", "q_proj.weight"),
    ],
)
def test_whatever_wrappers_put_in_front_is_taken_off(name, bare):
    assert bare_name(name) == bare


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("gone", [None, 0, 2])
def test_shards_are_in_order_and_those_that_are_missing_are_named(tmp_path, first, gone):
    """Whether they are counted from zero or one, the first of which alone tells it."""
    names = [f"model-{first + n:05}-of-00003.npz" for n in range(3)]
    there = [name for n, name in enumerate(names) if n != gone]
    (unit,) = grouped(tmp_path, [tmp_path / name for name in reversed(there)])
    assert [path.name for path in unit.files] == there
    if first == 1 or gone != 0:
        assert unit.missing == (() if gone is None else (names[gone],))
    assert unit.label == "model"


def test_a_mean_of_one_matrix_has_no_error_and_is_not_told(tmp_path):
    np.savez(tmp_path / "m.npz", w=np.diag([4.0, 2.0]))
    (row,) = survey(tmp_path / "m.npz").summary()
    assert (row["matrices"], row["weights"]) == (1, 4)
    assert row["stable_rank"] is row["log_norm"] is row["soft_rank"] is None


def test_of_checkpoints_of_one_step_the_first_stands_for_it():
    """In their order; those without a step are left out where others have one."""
    found = Survey(spectra=[["a"], ["b"], [], ["d"], ["e"]], steps=[2, 2, 3, None, 5])
    assert found.series() == [(2, ["a"]), (5, ["e"])]
    none = Survey(spectra=[["a"], [], ["c"]], steps=[None] * 3)
    assert none.series() == [(0, ["a"]), (1, ["c"])]


@pytest.mark.parametrize(
    ("dtype", "shape", "reason"),
    [
        ("float32", (4, 6), None),
        ("bfloat16", (4, 3, 2), None),  # a convolution, as (out, in x kernel)
        ("int8", (4, 6), "no real floating-point numbers"),
        ("complex64", (4, 6), "no real floating-point numbers"),
        ("float32", (6, 4), "W_0 of \\(6, 4\\)"),
    ],
)
def test_a_change_is_added_to_floating_point_numbers_of_its_shape(dtype, shape, reason):
    """Codes of a quantised weight are no numbers to which a change can be added."""
    found = _unfit(SimpleNamespace(shape=(4, 6)), Stored("w", dtype, shape))
    assert (found is None) if reason is None else re.search(reason, found)
