"""Two matrices held against each other: closed forms, and what chance does."""

import numpy as np
import pytest
from scipy import stats

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import matrix_distance

RANDOM = np.random.default_rng(0)


def orthogonal(n):
    return np.linalg.qr(RANDOM.standard_normal((n, n)))[0]


U, V = orthogonal(8), orthogonal(6)
S = np.array([6.0, 5.0, 3.0, 2.0, 1.0, 0.5])


def of(values, u=U, v=V):
    return (u[:, :6] * values) @ v.T


def test_values_that_move_in_their_places():
    """A = U f(S) V^T: distance and distance of values are one, and all subspaces stay."""
    found = matrix_distance("w", of(S + 0.3), of(S), rank=2)
    expected = 0.3 * np.sqrt(6) / np.linalg.norm(S)
    assert found.distance == pytest.approx(expected)
    assert found.values_distance == pytest.approx(expected)
    assert found.spectral_distance == pytest.approx(0.3 / 6)
    assert (found.left_overlap, found.right_overlap) == pytest.approx((1, 1))


def test_vectors_that_turn_with_their_values_kept():
    """A rotation by t in the plane of vectors 1 and 3: of k = 1 cos^2 t, of k = 2 half of it."""
    t = 0.4
    turn = np.eye(8)
    turn[np.ix_([0, 2], [0, 2])] = [[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]
    a = of(S, u=U @ turn)
    for rank, left in ((1, np.cos(t) ** 2), (2, (1 + np.cos(t) ** 2) / 2), (3, 1.0)):
        found = matrix_distance("w", a, of(S), rank=rank)
        assert found.values_distance < 1e-12
        assert found.distance > 0.1
        assert (found.left_overlap, found.right_overlap) == pytest.approx((left, 1))


def test_values_never_move_further_than_the_matrix():
    for _ in range(20):
        a, b = RANDOM.standard_normal((2, 7, 5))
        found = matrix_distance("w", a, b)
        assert found.values_distance <= found.distance


DRAWS = 1500


@pytest.mark.parametrize(("shape", "rank"), [((6, 4), 2), ((9, 5), 3), ((5, 5), 1)])
def test_what_chance_does(shape, rank):
    """Mean and standard deviation of independent subspaces, of 1500 draws, four errors."""
    pairs = RANDOM.standard_normal((DRAWS, 2, *shape))
    found = [matrix_distance("w", a, b, rank=rank) for a, b in pairs]
    for side in ("left", "right"):
        overlaps = np.array([getattr(each, f"{side}_overlap") for each in found])
        chance = getattr(found[0], f"{side}_chance")
        assert abs(overlaps.mean() - chance.value) < 4 * chance.error / np.sqrt(DRAWS)
        # the relative error of a standard deviation, of kurtosis up to 6
        allowed = 4 * np.sqrt(5 / 4 / DRAWS)
        assert abs(overlaps.std() / chance.error - 1) < allowed
        # power: one direction more or fewer, and entries as if they were independent
        n, k = shape[side == "right"], rank
        for wrong in (k / (n + 1), k / (n - 1)):
            assert abs(overlaps.mean() - wrong) > 4 * chance.error / np.sqrt(DRAWS)
        independent = np.sqrt(2) / n  # of k^2 entries of variance 2/n^2
        assert abs(overlaps.std() / independent - 1) > allowed


@pytest.mark.parametrize("n", [3, 7, 40])
def test_chance_of_one_vector_is_the_law_of_its_entry(n):
    """Of a uniform unit vector x_1^2 is Beta(1/2, (n - 1)/2): mean and variance exactly."""
    b = np.diag(np.arange(n, 0.0, -1.0))
    law = stats.beta(1 / 2, (n - 1) / 2)
    chance = matrix_distance("w", 2 * b, b, rank=1).left_chance
    assert (chance.value, chance.error) == pytest.approx((law.mean(), law.std()))
    # of k vectors and of the n - k others the traces of projectors fluctuate alike
    few, many = (matrix_distance("w", 2 * b, b, rank=k).left_chance for k in (1, n - 1))
    assert few.error == pytest.approx((n - 1) * many.error)


def test_the_change_is_noise_or_what_was_learnt():
    b = RANDOM.standard_normal((120, 80))
    noise = 0.1 * RANDOM.standard_normal((120, 80))
    spike = np.outer(RANDOM.standard_normal(120), RANDOM.standard_normal(80)) / 20
    for extra, outliers in ((0, 0), (spike, 1)):
        change = matrix_distance("w", b + noise + extra, b).change
        assert change.bulk.is_noise
        assert change.bulk.outliers == outliers
        assert abs(change.bulk.sigma.value - 0.1) < 4 * change.bulk.sigma.error


def test_the_same_matrix_has_not_changed():
    found = matrix_distance("w", of(S), of(S))
    assert (found.distance, found.values_distance, found.change) == (0, 0, None)
    assert found.to_row()["change_outliers"] is None


def test_vectors_of_noise_have_nothing_to_say():
    b = RANDOM.standard_normal((120, 80))
    found = matrix_distance("w", RANDOM.standard_normal((120, 80)), b)
    assert (found.rank, found.left_overlap, found.right_chance) == (0, None, None)


def test_units_do_not_matter():
    a, b = RANDOM.standard_normal((2, 7, 5))
    plain, large = (matrix_distance("w", c * a, c * b, rank=2) for c in (1.0, 1e200))
    for name in ("distance", "spectral_distance", "values_distance", "left_overlap"):
        assert getattr(large, name) == pytest.approx(getattr(plain, name))


@pytest.mark.parametrize(
    ("a", "b", "rank", "rule"),
    [(np.eye(3), np.eye(4), 1, "only one shape"), (np.eye(3), np.eye(3), 4, "from 1 to 3"),
     (np.eye(3), np.zeros((3, 3)), 1, "not all zero"),
     (np.full((3, 3), np.nan), np.eye(3), 1, "finite")],
)  # fmt: skip
def test_what_does_not_compare(a, b, rank, rule):
    with pytest.raises(InvalidInputError, match=rule):
        matrix_distance("w", a, b, rank=rank)
