"""Which replicas and records are measured, and which gaps they are held against."""

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from sgdyson import TeacherStudent, simulate
from sgdyson.analysis import History, analyze, measure, scaling_lines, summarise
from sgdyson.analysis._force import measure_force
from sgdyson.analysis._measure import stationary_levels
from sgdyson.analysis._scaling import _block_diagonal
from sgdyson.analysis._summary import _cut
from sgdyson.cli import app
from sgdyson.ensembles import GaussianEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.spectra import Multiplet


def recorded(diverged=(False, True, False)):
    levels = 100.0 * np.arange(3)[:, None, None] + np.arange(4)[None, :, None] * np.ones(2)
    return xr.Dataset(
        {"levels": (("replica", "time", "level"), levels), "diverged": ("replica", list(diverged))},
        coords={"time": [0, 50, 100, 150]},
    )


@pytest.mark.parametrize(
    ("burn_in", "records"),
    [(0, [0, 1, 2, 3]), (50, [1, 2, 3]), (51, [2, 3]), (150, [3])],
)
def test_records_from_the_burn_in_on_of_replicas_that_did_not_diverge(burn_in, records):
    found = stationary_levels(recorded(), burn_in)
    np.testing.assert_array_equal(found[..., 0], [records, [200 + r for r in records]])


def test_a_single_replica_or_no_record_is_too_little():
    with pytest.raises(InvalidInputError, match="1 replicas"):
        stationary_levels(recorded((False, True, True)), 0)
    with pytest.raises(InvalidInputError, match="0 records"):
        stationary_levels(recorded(), 151)


def test_four_levels_have_three_gaps():
    """The one in the middle is smaller; the lowest level has no gap below it."""
    student = TeacherStudent([2.0] * 4 + [0.5], label_noise=0.3)
    run = simulate(student, learning_rate=0.05, batch_size=8, replicas=8, updates=100,
                   record_every=50, seed=0, progress=False)  # fmt: skip
    measured = measure("four", run, student, burn_in=50)
    theory = student.predict(0.05, 8)
    four, alone = measured.multiplets
    outer, middle, other = theory.mean_spacing[:3]
    assert middle < 0.95 * outer
    assert four.predicted_spacing == pytest.approx((outer + middle + other) / 3)
    assert np.isnan(alone.predicted_spacing)
    assert four.theory_errors.spacing == theory.errors.mean_spacing[:4].max()
    assert theory.errors.mean_spacing[:4].min() < four.theory_errors.spacing
    assert four.predicted_mean == pytest.approx(theory.levels[0] + theory.mean_shift[0])
    assert (measured.replicas, measured.records, measured.diverged) == (8, 2, 0)
    assert measured.ratio == pytest.approx(0.05 / 8)


def test_what_diverged_during_the_burn_in_is_no_replica_after_it():
    levels = np.random.default_rng(0).standard_normal((5, 6, 1))
    levels[1, 0] = np.nan  # and back again
    levels[3, 5] = np.inf
    found = summarise(History("h", levels), burn_in=2)
    assert (found.n_replicas, found.diverged, found.records) == (3, 2, 4)
    assert found.main.mean.value == pytest.approx(levels[[0, 2, 4], 2:].mean())


def test_copies_are_told_by_the_numbers_of_their_replicas():
    levels = np.random.default_rng(1).standard_normal((5, 3, 1))
    levels[[2, 4]] = levels[0]
    numbers = np.array([11, 7, 30, 8, 2])
    found = summarise(History("h", levels, replicas=numbers, stationary=True))
    assert found.copies == [[11, 30, 2]]
    assert (found.n_replicas, found.duplicates) == (3, 2)


def test_one_replica_is_cut_into_stretches_of_time():
    """Neighbours in time hang together: 65 records are twenty stretches of three."""
    levels = np.arange(65.0)[None, :, None]
    np.testing.assert_array_equal(_cut(levels, "h")[..., 0], np.arange(60.0).reshape(20, 3))


def test_points_of_other_noise_or_another_matrix_are_on_lines_of_their_own():
    def history(rate, noise, matrix, scale):
        pairs = GaussianEnsemble(2, width=scale * rate**0.5).eigenvalues(60, random_state=1)
        return summarise(History(
            f"{rate}", pairs[:, None, ::-1], learning_rate=rate, batch_size=4.0,
            label_noise=noise, matrix=matrix, multiplets=[Multiplet((0, 1), 0.0)], stationary=True,
        ))  # fmt: skip

    kinds = [(0.1, "a", 1.0), (0.3, "a", 3.0), (0.1, "b", 2.0), (None, "a", 4.0)]
    found = scaling_lines([history(rate, *kind) for rate in (0.1, 0.4) for kind in kinds])
    slopes = {(line.label_noise, line.matrix): line.line.slope.value for line in found}
    assert len(found) == len(slopes) == 4
    for line in found:
        np.testing.assert_allclose(line.variable, [(0.1 / 4) ** 0.5, (0.4 / 4) ** 0.5])
    unit = slopes[0.1, "a"]  # the same draws: widths alone differ
    for noise, matrix, scale in kinds:
        assert slopes[noise, matrix] == pytest.approx(scale * unit)


def test_pairs_of_one_run_share_its_replicas_and_those_of_others_do_not():
    first, second = np.array([[1.0, 0.5], [0.5, 2.0]]), np.array([[3.0]])
    np.testing.assert_array_equal(
        _block_diagonal([first, second]), [[1.0, 0.5, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 3.0]]
    )


def test_what_cannot_be_measured_is_told_beside_what_can(tmp_path):
    pairs = GaussianEnsemble(2).eigenvalues(60, random_state=0)[:, None, ::-1]
    np.save(tmp_path / "good.npy", pairs)
    np.save(tmp_path / "short.npy", pairs[:1])
    found = analyze(
        [tmp_path / "short.npy", tmp_path / "good.npy"], axes=("replica", "time", "level")
    )
    assert [summary.n_replicas for summary in found.summaries] == [60]
    (failure,) = found.failures
    assert "short.npy" in failure
    assert "one replica with 1 records is too little" in failure


def test_near_bins_in_which_a_pair_collides_are_not_on_the_line():
    """Nearer than three steps of 2 g the line bends; all bins are in the curves."""
    random = np.random.default_rng(2)
    state, spacing = random.standard_normal((2, 2000)), []
    for _ in range(60):
        spacing.append(np.hypot(*state))
        state = 0.99 * state + 0.1 * random.standard_normal((2, 2000))
    g2 = 0.0025
    found = measure_force(np.transpose(spacing), 1.0, g2, 0.01, 0.0)
    far = int(np.sum(found.force.edges[:-1] >= 3 * (4 * g2) ** 0.5))
    assert found.line.dof == far - 2  # a slope and an intercept
    assert far < len(found.force.spacing)


@pytest.mark.parametrize(
    ("names", "status"), [(["good"], 0), (["good", "short"], 1), (["short", "also"], 2)]
)
def test_the_exit_status_tells_whether_all_some_or_none_was_measured(tmp_path, names, status):
    pairs = GaussianEnsemble(2).eigenvalues(60, random_state=0)[:, None, ::-1]
    for name in names:
        np.save(tmp_path / f"{name}.npy", pairs if name == "good" else pairs[:1] * len(name))
    files = [str(tmp_path / f"{name}.npy") for name in names]
    done = CliRunner().invoke(app, ["analyze", *files, "--axes", "replica,time,level"])
    assert done.exit_code == status
