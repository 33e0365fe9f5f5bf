"""Normal, chi and Wishart numbers against their exact laws, and wrong ones against the same."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from sgdyson._normals import _cosine_sine, normals, normals_across
from sgdyson.errors import InvalidInputError
from sgdyson.models._bartlett import chi_of_normal, wishart_factor

FALSE_ALARM = 1e-3  # of one call of `normal_pvalue` or `wishart_pvalue`, shared among its parts
COUNT = 2_000_000
ROWS = 3


@cache
def draw(count: int = COUNT, seed: int = 0) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(jax.jit(normals, static_argnums=1)(jax.random.key(seed), (count,)))


def two_sided(z: np.ndarray | float) -> np.ndarray:
    return np.atleast_1d(2 * stats.norm.sf(np.abs(z)))


def normal_pvalue(z: np.ndarray) -> float:
    """Smallest p-value, times their number, of what independent normal numbers must obey."""
    n = len(z)
    found = [np.array([stats.kstest(z, "norm").pvalue])]
    for power in (1, 2, 3, 4, 6, 8):
        expected = special.factorial2(power - 1) * (power % 2 == 0)
        variance = special.factorial2(2 * power - 1) - expected**2
        found.append(two_sided((np.mean(z**power) - expected) * np.sqrt(n / variance)))
    for edge in (3.0, 4.0, 4.5):
        for tail in (z > edge, z < -edge):
            found.append(
                np.array([stats.binomtest(int(tail.sum()), n, stats.norm.sf(edge)).pvalue])
            )
    for lag in (1, 2, n // 2):  # one half holds the cosines, the other the sines
        x, y = z[:-lag], z[lag:]
        found.append(two_sided(np.sqrt(len(x)) * np.mean(x * y)))
        found.append(two_sided(np.sqrt(len(x)) * np.mean((x**2 - 1) * (y**2 - 1)) / 2))
    angle = np.arctan2(z[n // 2 :], z[: n // 2])
    found.append(np.array([stats.kstest(angle, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue]))
    pvalues = np.concatenate(found)
    return float(pvalues.min() * len(pvalues))


def test_normals_are_normal_and_independent() -> None:
    assert normal_pvalue(draw()) > FALSE_ALARM


@pytest.mark.parametrize(
    "spoil",
    [
        lambda z: 1.003 * z,
        lambda z: np.clip(z, -4.0, 4.0),
        lambda z: np.concatenate(
            [z[: COUNT // 2], 0.995 * z[COUNT // 2 :] + 0.1 * z[: COUNT // 2]]
        ),
        lambda z: z * np.sign(z[0]) * np.where(np.abs(z) < 1e-2, 3.0, 1.0),
        lambda z: np.random.default_rng(0).random((12, COUNT)).sum(axis=0) - 6,
    ],
    ids=["wide", "no tails", "dependent halves", "hole", "twelve uniforms"],
)
def test_numbers_that_are_not_are_rejected(spoil: Callable[[np.ndarray], np.ndarray]) -> None:
    assert normal_pvalue(spoil(draw())) < FALSE_ALARM


def test_shapes_and_keys() -> None:
    with jax.enable_x64(True):
        key = jax.random.key(3)
        for shape in ((), (1,), (7,), (3, 5)):
            found = jax.jit(normals, static_argnums=1)(key, shape)
            assert found.shape == shape
            assert found.dtype == jnp.float64
        nine, others = (jax.jit(lambda k: normals(k, (9,)))(k) for k in (key, jax.random.key(4)))
    assert not np.isclose(nine, others).any()


def test_the_polynomials_are_sine_and_cosine() -> None:
    bits = np.random.default_rng(0).integers(2**64, size=100_000, dtype=np.uint64)
    bits[:6] = [0, 2**62 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
    with jax.enable_x64(True):
        cosine, sine = (np.asarray(part) for part in jax.jit(_cosine_sine)(jnp.asarray(bits)))
    quadrant = bits >> np.uint64(62)
    place = ((bits << np.uint64(2)) >> np.uint64(12)) / 2.0**52 - 0.5
    angle = (quadrant + place) * np.pi / 2
    # both in units of the rounding of an angle of up to 2 pi
    np.testing.assert_allclose(cosine, np.cos(angle), rtol=0, atol=2e-15)
    np.testing.assert_allclose(sine, np.sin(angle), rtol=0, atol=2e-15)
    np.testing.assert_allclose(cosine**2 + sine**2, 1, rtol=0, atol=1e-15)


def chi(z: np.ndarray, degrees: int) -> np.ndarray:
    with jax.enable_x64(True):
        law = jax.jit(lambda z: chi_of_normal(z, (degrees,) * len(z)))
        return np.asarray(law(jnp.asarray(z)))


Z = np.linspace(-8.49, 8.49, 1001)


@pytest.mark.parametrize("degrees", [1, 2, 3, 6, 54, 246, 10_000])
def test_chi_is_the_quantile(degrees: int) -> None:
    law = stats.chi(degrees)
    expected = np.where(Z < 0, law.ppf(special.ndtr(Z)), law.isf(special.ndtr(-Z)))
    np.testing.assert_allclose(chi(Z, degrees), expected, rtol=0, atol=1e-12 * expected.max())


def test_chi_of_two_degrees_is_rayleigh_in_closed_form() -> None:
    expected = np.sqrt(-2 * special.log_ndtr(-Z))
    np.testing.assert_allclose(chi(Z, 2), expected, rtol=0, atol=1e-12 * expected.max())


def test_chi_of_one_degree_is_half_a_normal_in_closed_form() -> None:
    z = Z[Z < 7]  # where the complement below still has its digits
    expected = -special.ndtri(special.ndtr(-z) / 2)
    np.testing.assert_allclose(chi(z, 1), expected, rtol=0, atol=1e-12 * expected.max())


@cache
def wishart(degrees: int, replicas: int = 200_000) -> np.ndarray:
    def one(key: jax.Array) -> jax.Array:
        factor = wishart_factor(key, ROWS, degrees)
        return factor @ factor.T

    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(degrees), replicas)
        return np.asarray(jax.jit(jax.vmap(one))(keys))


def wishart_pvalue(sample: np.ndarray, degrees: int) -> float:
    """Exact first and second moments, tr W^2 and ln det W of Wishart(1, degrees)."""
    unit, d = np.eye(ROWS), float(degrees)
    upper = np.triu_indices(ROWS)
    entries = sample[:, upper[0], upper[1]]
    mean = d * unit[upper]
    second = np.diag(d * (1 + unit[upper])) + np.outer(mean, mean)
    products = np.einsum("ra,rb->rab", entries, entries).reshape(len(entries), -1)
    columns = [entries, products, np.sum(sample**2, axis=(1, 2))[:, None]]
    expected = [mean, second.ravel(), [ROWS * d * (d + ROWS + 1)]]
    if degrees >= ROWS:
        columns.append(np.linalg.slogdet(sample).logabsdet[:, None])
        terms = special.digamma((d - np.arange(ROWS)) / 2) + np.log(2)
        expected.append([terms.sum()])
    pvalues = stats.ttest_1samp(np.concatenate(columns, axis=1), np.concatenate(expected)).pvalue
    return float(pvalues.min() * len(pvalues))


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 246])
def test_wishart_moments(degrees: int) -> None:
    sample = wishart(degrees)
    assert wishart_pvalue(sample, degrees) > FALSE_ALARM
    assert wishart_pvalue(wishart(degrees + 1), degrees) < FALSE_ALARM
    assert wishart_pvalue(sample - 0.02 * degrees * np.eye(ROWS), degrees) < FALSE_ALARM


def test_wishart_of_few_degrees_has_their_rank() -> None:
    assert (np.linalg.matrix_rank(wishart(2, 50)) == 2).all()


def test_the_factor_of_many_degrees_is_lower_triangular() -> None:
    with jax.enable_x64(True):
        factor = np.asarray(jax.jit(lambda key: wishart_factor(key, 5, 9))(jax.random.key(0)))
    np.testing.assert_array_equal(factor, np.tril(factor))
    assert (np.diag(factor) > 0).all()


def test_a_batch_beyond_the_accuracy_of_the_chi_law_is_refused() -> None:
    with jax.enable_x64(True), pytest.raises(InvalidInputError, match="10000000 degrees"):
        wishart_factor(jax.random.key(0), 2, 10_000_000)


@pytest.mark.parametrize("count", [1, 5, 12])
def test_numbers_along_the_replicas_are_those_of_each_key(count):
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(7), 9)
        across = np.asarray(jax.jit(lambda k: normals_across(k, (count, 2)))(keys))
        one = jax.jit(lambda key: normals(key, (count, 2)))
        alone = np.stack([one(key) for key in keys], axis=-1)
        others = jax.random.split(jax.random.key(7, impl="rbg"), 2)
        other = np.asarray(jax.jit(lambda k: normals_across(k, (3,)))(others))
    np.testing.assert_allclose(across, alone, rtol=1e-14)
    assert other.shape == (3, 2)
