"""A matrix a block at a time: the numbers of the whole, whatever its type, order and shape."""

import ml_dtypes
import numpy as np
import pytest

from sgdyson.spectra import _blocks, singular_values, spectrum
from sgdyson.spectra._blocks import central_moments, gram, largest_entry, look_at, mean_of

SHAPES = [(300, 90), (90, 300), (120, 120), (1000, 70)]
KINDS = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(_blocks, "_IN_MEMORY", 7000)
    monkeypatch.setattr(_blocks.row_blocks, "__defaults__", (1000,))


def drawn(shape, kind=np.float64, seed=0):
    return (0.3 * np.random.default_rng(seed).standard_normal(shape) + 0.01).astype(kind)


def of_values(s, shape, seed=0):
    """A matrix with these singular values."""
    random = np.random.default_rng(seed)
    left, right = (np.linalg.qr(random.standard_normal((size, len(s))))[0] for size in shape)
    return (left * s) @ right.T


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_those_of_the_whole(shape, kind):
    w = drawn(shape, kind)
    exact = np.linalg.svd(w.astype(np.float64), compute_uv=False)
    for stored in (
        w,
        np.asfortranarray(w),
        np.repeat(w, 2, axis=0)[::2],
        np.repeat(w, 2, 1)[:, ::2],
    ):
        assert singular_values(stored) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("shape", [(300, 90), (90, 300)])
def test_small_singular_values_are_exact_to_six_digits(shape):
    """Through the Gram matrix as far as it holds, then through the triangle of a decomposition."""
    for least in (1.2e-5, 1e-9):
        s = np.geomspace(3.0, 3.0 * least, 90)
        w = of_values(s, shape)
        exact = np.linalg.svd(w, compute_uv=False)
        assert singular_values(w) == pytest.approx(exact, rel=1e-6)
    coarse = np.linalg.eigvalsh(gram(w, np.float32), UPLO="L")[::-1]
    with np.errstate(invalid="ignore"):
        assert np.sqrt(coarse) != pytest.approx(exact, rel=1e-6)  # what would be noticed


def test_the_triangle_is_that_of_the_product():
    w = drawn((200, 80))
    assert np.tril(gram(w)) == pytest.approx(np.tril(w.T @ w))
    assert np.tril(gram(w.T)) == pytest.approx(np.tril(w.T @ w))


def test_a_look_tells_what_passes_over_the_whole_tell():
    w = drawn((60, 50))
    w[7], w[:, 3], w[20, 20] = 0, 0, -40
    looks = look_at(w)
    assert looks.largest == largest_entry(w) == 40
    assert not looks.single
    assert look_at(w.astype(np.float32)).single
    assert look_at(w.astype(np.float32).astype(np.float64)).single
    assert list(np.flatnonzero(~looks.rows)) == [7]
    assert list(np.flatnonzero(~looks.columns)) == [3]
    assert look_at(np.array([[2.0**24 + 1, 1]]).astype(np.int32)).single is False
    mean = mean_of(w)
    assert mean == pytest.approx(w.mean())
    assert central_moments(w, mean) == pytest.approx([((w - w.mean()) ** p).mean() for p in (2, 4)])


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found_in_any_block(fault):
    for place in ((0, 0), (59, 49)):
        w = drawn((60, 50))
        w[place] = fault
        assert not np.isfinite(look_at(w).largest)
        assert not np.isfinite(largest_entry(w))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_numbers_of_a_matrix_do_not_depend_on_how_it_is_stored(kind):
    w = drawn((200, 80), kind)
    w[3], w[:, 5] = 0, 0
    one, other = spectrum("w", w, randomise=1), spectrum("w", w.astype(np.float64), randomise=1)
    expected = {name: value for name, value in other.to_row().items() if isinstance(value, float)}
    assert len(expected) > 10
    assert {name: one.to_row()[name] for name in expected} == pytest.approx(expected, rel=2e-6)
