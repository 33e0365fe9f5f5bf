"""The Coulomb gas in any potential: exact where it can be, converged or refused elsewhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from sgdyson import GaussianRBM
from sgdyson.ensembles import (
    CoulombGas,
    GaussianEnsemble,
    Laguerre,
    Quadratic,
    Quartic,
    RBMPotential,
    WishartEnsemble,
    _coulomb_gas,
)
from sgdyson.errors import InvalidInputError, NotConvergedError

pytestmark = pytest.mark.usefixtures("compiled_as_written")


def harmonic(levels):
    """A user's own function, that is not recognised as exact."""
    return (levels - 1.0) ** 2 / (2 * 0.7**2)


def two_slopes(levels):
    return jnp.abs(levels)


def errors(sample) -> np.ndarray:
    return sample.levels.std(axis=0) / np.sqrt(sample.effective_size)


@pytest.mark.parametrize("beta", [pytest.param(1, marks=pytest.mark.slow), 2.5])
def test_chains_agree_with_the_exact_gas(beta):
    chain = CoulombGas(harmonic, beta, 5).sample(5000, 1)
    assert not chain.exact
    assert (np.diff(chain.levels, axis=1) > 0).all()
    exact = CoulombGas(Quadratic(0.7, 1.0), beta, 5).sample(40_000, 2)
    assert exact.exact
    pulls = (chain.levels.mean(0) - exact.levels.mean(0)) / np.hypot(errors(chain), errors(exact))
    assert np.abs(pulls).max() < 4
    np.testing.assert_allclose(chain.levels.std(0), exact.levels.std(0), rtol=0.06)
    wrong = CoulombGas(Quadratic(0.7, 1.0), beta + 0.5, 5).sample(40_000, 2)
    pulls = (chain.levels.mean(0) - wrong.levels.mean(0)) / np.hypot(errors(chain), errors(wrong))
    assert np.abs(pulls).max() > 8


def test_exact_gases_are_the_ensembles():
    for found, expected in (
        (CoulombGas(Quadratic(0.5), 2, 3).sample(4000, 1), GaussianEnsemble(3, 2, 0.5)),
        (CoulombGas(Laguerre(0.5, 0.5), 1, 3).sample(4000, 1), WishartEnsemble(3, 5, 1)),
    ):
        levels = expected.eigenvalues(4000, 2)
        for mine, theirs in zip(found.levels.T, levels.T, strict=True):
            assert stats.ks_2samp(mine, theirs).pvalue > 1e-4


def test_the_virial_of_a_quartic_gas_and_the_same_chains_again(monkeypatch):
    # E sum x V'(x) = n + beta n(n-1)/2, whatever V
    gas, nuts, begun, made = CoulombGas(Quartic(0.25), 1, 8), _coulomb_gas._nuts, [], []

    def chains(gas, keys, states, steps):
        """The first alone are run: keys and first states decide on all of a chain."""
        begun.append((np.asarray(jax.random.key_data(keys)), states))
        made[:] = made or [nuts(gas, keys, states, steps)]
        return made[0]

    monkeypatch.setattr(_coulomb_gas, "_nuts", chains)
    sample, _, _ = (gas.sample(2000, seed) for seed in (3, 3, 4))
    for first, again, other in zip(*begun, strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.isclose(first, other).all()
    virial = (sample.levels**4).sum(axis=1)
    error = virial.std() / np.sqrt(sample.effective_size.min())
    assert abs(virial.mean() - 36) < 4 * error
    assert abs(virial.mean() - 40) > 4 * error


def test_every_level_in_a_potential_of_its_own():
    sample = CoulombGas(Quadratic((0.1, 0.1), (-5.0, 5.0)), 1, 2).sample(2000, 4)
    # far apart: Gaussian, moved by sigma^2 beta/gap = 0.001
    np.testing.assert_allclose(
        sample.levels.mean(0), [-5.001, 5.001], atol=4 * errors(sample).max()
    )
    np.testing.assert_allclose(sample.levels.std(0), 0.1, rtol=0.06)


def test_the_density_of_an_rbm():
    model = GaussianRBM.scalar_field(10, 10, sampler="independent")
    theory = model.predict(0.05, 256)
    kappa = float(theory.target_modes[3])
    pair = CoulombGas(RBMPotential(kappa, 3.0, 0.05, 256), 1, 2)
    around = theory.levels[3] + np.array([-0.05, 0.05])
    sample = pair.sample(4000, 5, initial_levels=around)
    spacing = np.diff(sample.levels, axis=1)[:, 0]
    error = spacing.std() / np.sqrt(sample.effective_size.min())
    assert abs(spacing.mean() - theory.mean_spacing[3]) < 4 * error + 0.01 * theory.mean_spacing[3]
    assert abs(spacing.mean() - np.sqrt(2) * theory.mean_spacing[3]) > 4 * error


def test_a_chain_that_has_not_converged_is_no_sample(monkeypatch):
    monkeypatch.setattr(_coulomb_gas, "_WARMUP", 100)

    def two_wells(levels):
        return 40 * (levels**2 - 1) ** 2

    with pytest.raises(NotConvergedError, match="R-hat"):
        CoulombGas(two_wells, 1, 1).sample(400, 2)


@pytest.mark.parametrize(
    ("apart", "memory", "told"),
    [(0.0, 0.0, None), (1.0, 0.0, r"R-hat is [2-9]"), (0.0, 0.99, r"and [1-9]\d? draws are eff")],
)
def test_chains_that_disagree_or_remember_are_refused_each_by_its_number(
    monkeypatch, apart, memory, told
):
    """Autoregressive chains: at 0.99 a draw in 200 is independent, 40 of 8000."""
    noise = np.random.default_rng(1).standard_normal((4, 2000, 1))
    chains = lfilter([np.sqrt(1 - memory**2)], [1, -memory], noise, axis=1)
    chains = chains + 4 * apart * np.arange(4)[:, None, None]
    monkeypatch.setattr(_coulomb_gas, "_nuts", lambda *_: chains)
    monkeypatch.setattr(_coulomb_gas, "_LARGEST_R_HAT", 1.01 if apart else 9.0)
    gas = CoulombGas(two_slopes, 1, 1)
    if told is None:
        sample = gas.sample(8000, 1)
        assert sample.r_hat[0] < 1.01
        assert sample.effective_size[0] > 4000
        return
    with pytest.raises(NotConvergedError, match=told):
        gas.sample(8000, 1)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: CoulombGas(3.0, 1, 2), r"potential = 3\.0"),
        (lambda: CoulombGas(jnp.square, 0, 2), "beta = 0"),
        (lambda: CoulombGas(jnp.square, 1, 0), "n = 0"),
        (lambda: CoulombGas(Laguerre(1.0, -1.0), 1, 2).sample(10), r"rate=-1\.0.*rate > 0"),
        (lambda: CoulombGas(Laguerre(-3.0, 1.0), 1, 2).sample(10), r"exponent > -1"),
        (lambda: CoulombGas(jnp.square, 1, 2).sample(0), "draws = 0"),
        (lambda: CoulombGas(jnp.square, 1, 2).sample(10, chains=1), "chains = 1"),
        (lambda: CoulombGas(jnp.square, 1, 2).sample(10, initial_levels=[1, 0]), "ascending"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(InvalidInputError, match=named):
        call()
