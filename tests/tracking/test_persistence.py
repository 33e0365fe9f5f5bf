"""What is left of the vectors of outliers, in a tracked run and along checkpoints."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson.cli import app
from sgdyson.errors import InvalidInputError
from sgdyson.spectra import SpikedModel
from sgdyson.tracking import (
    Run,
    Tracker,
    emergence,
    emergence_at,
    emergence_of_checkpoints,
    open_run,
)
from sgdyson.tracking._vectors import leading

SHAPE = (120, 90)  # above 64: through the Gram matrix


def noisy(strengths, seed=0, shape=SHAPE):
    """Directions of these strengths, (time, mode), each time in other noise."""
    random = np.random.default_rng(seed)
    for now in np.atleast_2d(strengths):
        matrix = random.standard_normal(shape)
        modes = np.arange(len(now))
        matrix[modes, modes] += now
        yield matrix


def tracked(path, matrices, **settings):
    with Tracker(path, every=1, **settings) as tracker:
        for step, matrix in enumerate(matrices):
            tracker.update(step, {"w": matrix})
    return Run(open_run(path))


@pytest.mark.parametrize("shape", [(120, 90), (90, 120), (40, 30), (90, 3)])
def test_leading_vectors_are_those_of_the_decomposition(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    found = leading(matrix, 4)
    count = min(4, *shape)
    np.testing.assert_allclose((found.left * left[:, :count]).sum(0) ** 2, 1)
    np.testing.assert_allclose((found.right * right[:count].T).sum(0) ** 2, 1)
    low = np.outer(np.arange(100.0), np.arange(80.0))  # of rank one
    assert np.isfinite(leading(low, 3).left).all()


def test_levels_that_pass_each_other_keep_their_vectors():
    before, after = (leading(np.diag([*ends, *np.ones(8)]), 2) for ends in ((5.0, 4.0), (4.0, 5.0)))
    np.testing.assert_allclose(after.kept(before), [[1, 1, 2], [1, 1, 1]], atol=1e-9)


def test_persistence_is_that_of_theory(tmp_path):
    """Two draws of noise share |<u, u'>|^2 = |<u, teacher's>|^4; and power: the second mode's."""
    strengths = np.tile([40.0, 18.0], (60, 1))
    run = tracked(tmp_path / "run.zarr", noisy(strengths), vectors=3)
    found = emergence(run, "w", 1e-4)
    spiked = SpikedModel([40.0, 18.0], SHAPE)
    predicted = np.stack([spiked.left_overlaps, spiked.right_overlaps]) ** 2
    stays = {one.rank: one.persistence for one in found.detachments if one.back is None}
    for mode in (0, 1):
        for side, measured in enumerate(stays[mode + 1]):
            allowed = 4 * measured.error + 2 / 90
            assert abs(measured.value - predicted[side, mode]) < allowed
            assert abs(measured.value - predicted[side, 1 - mode]) > allowed
    assert np.isnan(found.kept[0]).all()  # nothing before the first record
    assert found.kept[1:, 2].mean() < 0.1  # of the bulk's largest level little is left


def test_the_error_of_persistence_covers_it(tmp_path):
    """Within two errors of the mean over many runs in most of them: in 13 of 16 or more."""
    values = []
    for seed in range(16):
        matrices = noisy(np.full((40, 1), 20.0), seed, (50, 30))
        run = tracked(tmp_path / f"{seed}.zarr", matrices, vectors=1)
        (mode,) = emergence(run, "w", 1e-6).detachments
        values.append(mode.persistence[0])
    mean = np.mean([one.value for one in values])
    within = sum(abs(one.value - mean) < 2 * one.error for one in values)
    assert within >= 13
    assert sum(abs(one.value - mean) < one.error / 5 for one in values) < 8  # nor is it too wide


def test_what_a_tracker_records_of_vectors(tmp_path):
    still = np.random.default_rng(1).standard_normal(SHAPE)
    run = tracked(tmp_path / "run.zarr", [still, still, 1.1 * still], vectors=4)
    kept = run.kept("w")
    assert kept.shape == (3, 4, 3)
    assert np.isnan(kept[0]).all()
    np.testing.assert_allclose(kept[1:, :, :2], 1)
    assert kept[1:, :, 2].tolist() == [[1, 2, 3, 4]] * 2
    with Tracker(tmp_path / "run.zarr", every=1, vectors=4, mode="append", start_step=3) as tracker:
        for step in (3, 4):
            tracker.update(step, {"w": still})
    again = Run(open_run(tmp_path / "run.zarr")).kept("w")
    assert np.isnan(again[3]).all()  # what was before is not known
    np.testing.assert_allclose(again[4, :, :2], 1)
    moving = tracked(tmp_path / "d.zarr", [still, 1.01 * still, 1.02 * still], vectors=2,
                     dynamics=True)  # fmt: skip
    np.testing.assert_allclose(moving.kept("w")[1:, :, :2], 1)
    without = tracked(tmp_path / "n.zarr", [still, 1.01 * still])
    assert without.kept("w") is None
    assert emergence(without, "w").kept is None
    with pytest.raises(InvalidInputError, match="vectors = -1"):
        Tracker(tmp_path / "v.zarr", vectors=-1)


def saved(folder, matrices, name="step{}.npz"):
    folder.mkdir()
    paths = [folder / name.format(10 * step) for step in range(len(matrices))]
    for path, matrix in zip(paths, matrices, strict=True):
        np.savez(path, w=matrix, head=np.eye(3))
    return paths


def test_checkpoints_tell_when_and_from_when_on_a_mode_is_what_it_will_be(tmp_path):
    """A mode that comes out and turns away, into another direction, before it settles."""
    noise = np.random.default_rng(2).standard_normal(SHAPE)
    matrices = []
    for place, strength in [(0, 0), (0, 0), (0, 40), (0, 60), (7, 60), (7, 60), (7, 60)]:
        matrices.append(noise.copy())
        matrices[-1][place, place] += strength
    paths = saved(tmp_path / "run", matrices)
    found = emergence_of_checkpoints(tmp_path / "run", vectors=2, false_alarm=1e-4)
    assert list(found) == ["w"]  # 3 levels are no bulk
    (mode,) = found["w"].detachments
    assert (mode.rank, mode.step.value, mode.back) == (1, 15, None)
    assert mode.settled.value == 35
    assert mode.settled.error == pytest.approx(10 / 12**0.5)
    final = found["w"].final[:, 0].prod(-1)
    assert (final[4:] > 0.99).all()
    assert (final[2:4] < 0.05).all()
    kept = found["w"].kept[:, 0].prod(-1)
    assert kept[4] < 0.05  # where it turned
    assert kept[[3, 5, 6]].min() > 0.8
    # paths in the order of time give the same; names without a number are counted
    listed = emergence_of_checkpoints(paths, vectors=2, false_alarm=1e-4)
    assert listed["w"].detachments[0].step.value == 1.5
    low, high = found["w"].band.T
    assert ((low < found["w"].edge) & (found["w"].edge < high)).all()


def test_the_command_tells_of_a_run_and_of_checkpoints(tmp_path):
    matrices = list(noisy([[0], [0], [40], [40], [40], [40]]))
    tracked(tmp_path / "run.zarr", matrices, vectors=2)
    saved(tmp_path / "saved", matrices)
    rows = {}
    for place in ("run.zarr", "saved"):
        done = CliRunner().invoke(app, ["emergence", str(tmp_path / place), "--json"])
        (rows[place],) = json.loads(done.stdout)
    assert rows["run.zarr"]["step"] == 1.5
    assert rows["run.zarr"]["settled"] is None
    assert rows["saved"]["step"] == rows["saved"]["settled"] == 15
    assert rows["saved"]["step_error"] == pytest.approx(10 / 12**0.5)
    for key in ("name", "rank", "back"):
        assert rows["saved"][key] == rows["run.zarr"][key] == {"name": "w", "rank": 1}.get(key)
    kept = [rows[place]["left_kept"] for place in rows]
    np.testing.assert_allclose(kept, kept[0])  # the same matrices
    shown = CliRunner().invoke(app, ["emergence", str(tmp_path / "saved")]).stdout
    assert "w: outliers in 6 records" in shown
    assert "half of the last from step" in shown
    none = CliRunner().invoke(app, ["emergence", str(tmp_path / "nothing")])
    assert none.exit_code != 0


def test_checkpoints_that_cannot_tell(tmp_path):
    noise = np.random.default_rng(3).standard_normal(SHAPE)
    saved(tmp_path / "one", [noise])
    with pytest.raises(InvalidInputError, match="1 checkpoint"):
        emergence_of_checkpoints(tmp_path / "one")
    saved(tmp_path / "small", [np.eye(3), np.eye(3)])
    with pytest.raises(InvalidInputError, match="no matrix with a bulk"):
        emergence_of_checkpoints(tmp_path / "small")


def test_a_store_that_is_damaged_is_no_folder_of_checkpoints(tmp_path):
    """What is wrong with the run is told, and not that no weights lie beside it."""
    tracked(tmp_path / "run.zarr", noisy(np.full((3, 1), 20.0)))
    for file in sorted((tmp_path / "run.zarr").rglob("*"), reverse=True):
        if file.is_file() and file.parent != tmp_path / "run.zarr":
            file.unlink()
    with pytest.raises(InvalidInputError) as told:
        emergence_at(tmp_path / "run.zarr")
    assert "checkpoint" not in str(told.value)
    assert "weights" not in str(told.value)


def test_checkpoints_of_one_step_are_numbered(tmp_path):
    """As two runs of one model have them: else a mode would step out between 20 and 20."""
    noise = np.random.default_rng(5).standard_normal(SHAPE)
    spike = np.outer(np.eye(SHAPE[0])[0], np.eye(SHAPE[1])[0])
    files = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        for step in (10, 20):
            out = 60.0 if (run, step) != ("a", 10) else 0.0
            files.append(tmp_path / run / f"step{step}.npz")
            np.savez(files[-1], w=noise + out * spike)
    (mode,) = emergence_of_checkpoints(files)["w"].detachments
    found = emergence_of_checkpoints([tmp_path / "a", tmp_path / "b"])["w"]
    assert found.steps.tolist() == [0, 1, 2, 3]
    assert mode.step.value == found.detachments[0].step.value == 0.5


@pytest.mark.parametrize("shape", [None, (SHAPE[1], SHAPE[0] + 1)])
def test_a_matrix_that_one_checkpoint_lacks_or_has_in_another_shape_is_left_out(tmp_path, shape):
    random = np.random.default_rng(6)
    for step in (1, 2, 3):
        arrays = {"w": random.standard_normal(SHAPE), "v": random.standard_normal(SHAPE)}
        if step == 2:
            del arrays["v"]
            if shape:
                arrays["v"] = random.standard_normal(shape)
        np.savez(tmp_path / f"step{step}.npz", **arrays)
    assert list(emergence_of_checkpoints(tmp_path)) == ["w"]
