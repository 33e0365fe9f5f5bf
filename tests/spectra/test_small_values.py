"""Singular values that a Gram matrix loses: as exact as by decomposing the whole matrix."""

import numpy as np
import pytest

from sgdyson.spectra import _small_values, singular_values

SIZE = 520
EPS = np.finfo(float).eps
SMALL = {
    "one": [1e-7],
    "far apart": [9e-6, 1e-9, 1e-15],
    "one below another that is zero": [1e-6, 0.0],
    "equal": [3e-6] * 4,
    "a long row, that goes on above": np.linspace(1e-6, 1e-4, 200),
}


def of_values(s, shape, seed=0):
    """A matrix with these singular values."""
    random = np.random.default_rng(seed)
    left, right = (np.linalg.qr(random.standard_normal((n, len(s))))[0] for n in shape)
    return (left * s) @ right.T


def levels(small):
    large = np.linspace(2e-4, 1, SIZE - len(small))
    return np.sort(np.concatenate([large, small]))[::-1]


@pytest.fixture
def whole(monkeypatch):
    """How often a matrix was decomposed."""
    calls, decompose = [], np.linalg.svd

    def counted(w, **options):
        calls.append(w.shape)
        return decompose(w, **options)

    monkeypatch.setattr(_small_values.np.linalg, "svd", counted)
    return lambda: [shape for shape in calls if min(shape) == SIZE]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [(SIZE, SIZE), (700, SIZE), (SIZE, 1200)])
def test_they_are_those_of_the_matrix(name, shape, whole):
    w = of_values(levels(SMALL[name]), shape)
    found = singular_values(w)
    assert whole() == []
    exact = np.linalg.svd(w, compute_uv=False)
    small = exact <= 1e-5
    assert found[small] == pytest.approx(exact[small], rel=1e-7, abs=4 * EPS)
    assert found[~small] == pytest.approx(exact[~small], rel=1e-6)
    assert (np.diff(found) <= 0).all()


def test_a_gram_matrix_would_lose_them():
    w = of_values(levels(SMALL["one"]), (SIZE, SIZE))
    assert np.sqrt(np.abs(np.linalg.eigvalsh(w.T @ w)[0])) != pytest.approx(1e-7, rel=1e-5)


@pytest.mark.parametrize("zeros", [60, SIZE - 3])
def test_many_are_found_by_the_whole_decomposition(zeros, whole):
    w = of_values(levels(np.zeros(SIZE))[:SIZE] + levels(np.zeros(zeros)), (SIZE, SIZE))
    found = singular_values(w)
    assert len(whole()) == 1
    assert found == pytest.approx(np.linalg.svd(w, compute_uv=False), abs=1e-13)


def test_what_does_not_settle_is_decomposed(monkeypatch, whole):
    monkeypatch.setattr(_small_values, "_MOST_STEPS", 1)
    w = of_values(levels(SMALL["a long row, that goes on above"]), (SIZE, SIZE))
    found = singular_values(w)
    assert len(whole()) == 1
    assert found == pytest.approx(np.linalg.svd(w, compute_uv=False), rel=1e-7, abs=1e-14)


def test_a_triangle_with_a_zero_on_its_diagonal(whole):
    w = np.diag(np.linspace(1, 2, SIZE))
    w[-1, -1] = 0.0
    assert singular_values(w) == pytest.approx(np.sort(np.diag(w))[::-1])
    assert len(whole()) == 1
