"""`collapsed` and `gibbs` are one law; wrong samplers are told apart by the same test."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from sgdyson._normals import normals
from sgdyson.ensembles.entries import complex_form, normal_entries
from sgdyson.models import GaussianRBM
from sgdyson.models._numbers import Numbers
from sgdyson.models._samplers import CollapsedSampler, make_sampler
from sgdyson.models._samplers import _sweeps_at_once as sweeps_at_once

N, MASS, SWEEPS, REPLICAS = 3, 2.0, 3, 30_000
FALSE_ALARM = 1e-3  # of one call of `smallest_pvalue` on equal laws, shared among its tests


class ForgetsBartlett(CollapsedSampler):
    """The noise orthogonal to the rows of F is left out."""

    def average(self, key, weights, mass, memory, batch_size):
        power, noise = sweeps_at_once(self.numbers, weights, mass, self.sweeps)
        moved = power @ memory + noise @ normals(key, memory.shape)
        total = moved @ moved.T
        return total / batch_size, jnp.linalg.cholesky(total)


def weights() -> np.ndarray:
    """Fixed weights with levels well inside, and near the edge of, the stable region."""
    rotation = np.linalg.qr(np.random.default_rng(5).normal(size=(N, N)))[0]
    return np.sqrt([3.2, 1.5, 0.3])[:, None] * rotation


def averages(sampler, batch_size: int, updates: int, learning: bool, seed: int) -> np.ndarray:
    """The last two C_B after so many updates from phi = 1: shape (replica, 2 N, N).

    Two, for the correlation between them tells the number of sweeps even in equilibrium.
    """
    target = np.linalg.inv(np.diag([1.0, 2.0, 3.0]) + 0.2)

    def one(key):
        numbers = sampler.numbers
        w, memory = numbers.lift(jnp.asarray(weights())), sampler.start(N, batch_size)
        fixed = numbers.lift(jnp.asarray(target))

        def step(state, update):  # a loop, for each update written out is compiled once more
            w, memory = state
            average, memory = sampler.average(
                jax.random.fold_in(key, update), w, MASS, memory, batch_size
            )
            if learning:
                w = w + 0.05 * w @ (fixed - average)
            return (w, memory), average

        found = jax.lax.scan(step, (w, memory), jnp.arange(updates))[1]
        return found[-2:].reshape(-1, found.shape[-1])

    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), REPLICAS)
        return np.asarray(eqx.filter_jit(jax.vmap(one))(keys))


def smallest_pvalue(a: np.ndarray, b: np.ndarray) -> float:
    """Smallest p-value over all first and second moments of the entries, times their number."""
    rows, columns = np.nonzero(np.tile(np.triu(np.ones((N, N))), (a.shape[1] // N, 1)))
    x, y = a[:, rows, columns], b[:, rows, columns]
    moves = (x.std(axis=0) > 1e-12) & (y.std(axis=0) > 1e-12)  # imaginary diagonals do not
    x, y = x[:, moves], y[:, moves]
    pairs = np.triu_indices(x.shape[1])
    squares = [(z - x.mean(0))[:, pairs[0]] * (z - x.mean(0))[:, pairs[1]] for z in (x, y)]
    first = stats.ttest_ind(x, y, equal_var=False).pvalue
    second = stats.ttest_ind(*squares, equal_var=False).pvalue
    pvalues = np.concatenate([first, second])
    return float(pvalues.min() * len(pvalues))


# |B| below, at and above 2 N, where the sampler changes its way; each is compiled anew
LAWS = [(1, False, 6), (2, True, 2), (2, True, 7)]
SLOW = [(2, True, 5), (2, True, 6), (2, True, 16), (5, True, 2), (5, True, 16)]


@pytest.mark.parametrize(
    ("updates", "learning", "batch_size"),
    [*LAWS, *(pytest.param(*law, marks=pytest.mark.slow) for law in SLOW)],
)
def test_collapsed_is_the_chain_in_law(batch_size, updates, learning):
    gibbs = averages(make_sampler("gibbs", SWEEPS), batch_size, updates, learning, seed=1)
    collapsed = averages(make_sampler("collapsed", SWEEPS), batch_size, updates, learning, seed=2)
    assert smallest_pvalue(gibbs, collapsed) > FALSE_ALARM
    for wrong in (SWEEPS - 1, SWEEPS + 1):
        other = averages(make_sampler("collapsed", wrong), batch_size, updates, learning, seed=2)
        assert smallest_pvalue(gibbs, other) < FALSE_ALARM


@pytest.mark.parametrize("updates", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 5))])
def test_a_missing_bartlett_term_is_rejected(updates):
    gibbs = averages(make_sampler("gibbs", SWEEPS), 16, updates, learning=True, seed=1)
    wrong = averages(ForgetsBartlett(Numbers(1), SWEEPS), 16, updates, learning=True, seed=2)
    assert smallest_pvalue(gibbs, wrong) < FALSE_ALARM


@pytest.mark.parametrize("batch_size", [2, 3, 40])
def test_independent_is_the_wishart_law(batch_size):
    kernel = MASS**2 * np.eye(N) - weights().T @ weights()
    found = averages(make_sampler("independent", SWEEPS), batch_size, 1, learning=False, seed=3)
    direct = np.random.default_rng(4).multivariate_normal(
        np.zeros(N), np.linalg.inv(kernel), size=(REPLICAS, batch_size)
    )
    expected = np.einsum("rbi,rbj->rij", direct, direct) / batch_size
    assert smallest_pvalue(found, expected) > FALSE_ALARM
    assert smallest_pvalue(found, 1.1 * expected) < FALSE_ALARM


def test_an_infinite_batch_is_the_exact_average():
    with jax.enable_x64(True):
        w = jnp.asarray(weights())
        contraction = w.T @ w / MASS**2
        sampler = make_sampler("collapsed", SWEEPS)
        memory = sampler.start(N, np.inf)
        expected = jnp.ones((N, N))
        for _ in range(4):
            average, memory = sampler.average(jax.random.key(0), w, MASS, memory, np.inf)
            for _ in range(SWEEPS):  # one sweep of the second moment, by hand
                noise = (contraction + jnp.eye(N)) / MASS**2
                expected = contraction @ expected @ contraction + noise
            np.testing.assert_allclose(average, expected, rtol=1e-12)
        exact = make_sampler("independent", SWEEPS).average(
            jax.random.key(0), w, MASS, memory, np.inf
        )[0]
        kernel = MASS**2 * np.eye(N) - w.T @ w
        np.testing.assert_allclose(exact, np.linalg.inv(kernel), rtol=1e-12)


def real_parts(averages: np.ndarray, beta: int) -> np.ndarray:
    """Components of the independent entries, as `smallest_pvalue` takes them: (replica, -, N)."""
    copies = 2 if beta == 4 else 1
    rows = averages.reshape(len(averages), -1, copies, N, averages.shape[-1])[:, :, 0]
    return np.concatenate([part.reshape(len(averages), -1, N) for half in np.split(rows, copies, -1)
                           for part in (half.real, half.imag)], axis=1)  # fmt: skip


@pytest.mark.parametrize(
    ("beta", "batch_size"), [(2, 5), (2, 8), pytest.param(4, 8, marks=pytest.mark.slow)]
)
def test_complex_and_quaternion_chains_are_one_law_too(beta, batch_size):
    gibbs, collapsed, shorter = (
        real_parts(averages(make_sampler(name, k, beta), batch_size, 2, True, seed), beta)
        for name, k, seed in (("gibbs", 2, 1), ("collapsed", 2, 2), ("collapsed", 1, 2))
    )
    assert smallest_pvalue(gibbs, collapsed) > FALSE_ALARM
    assert smallest_pvalue(gibbs, shorter) < FALSE_ALARM


@pytest.mark.parametrize("beta", [2, 4])
def test_fresh_samples_have_the_wishart_law_of_their_numbers(beta):
    kernel = MASS**2 * np.eye(N) - weights().T @ weights()
    found = real_parts(averages(make_sampler("independent", 1, beta), 4, 1, False, 3), beta)
    root, random = np.linalg.cholesky(np.linalg.inv(kernel)), np.random.default_rng(4)
    entries = complex_form(*normal_entries(random, (REPLICAS, N, 4), beta)) / beta**0.5
    direct = np.kron(np.eye(2 if beta == 4 else 1), root) @ entries
    expected = real_parts(direct @ direct.conj().mT / 4, beta)
    assert smallest_pvalue(found, expected) > FALSE_ALARM
    assert smallest_pvalue(found, 1.1 * expected) < FALSE_ALARM


def run_levels(sampler: str, sweeps: int, seed: int) -> np.ndarray:
    from sgdyson import simulate

    model = GaussianRBM.scalar_field(4, 4, mass=1.0, rbm_mass=2.0, gibbs_sweeps=sweeps,
                                     sampler=sampler, initial_width=0.7)  # fmt: skip
    run = simulate(model, learning_rate=0.05, batch_size=12, replicas=6000, updates=200,
                   record_every=200, seed=seed, progress=False)  # fmt: skip
    return run.levels.values[~run.diverged.values, -1]


@pytest.mark.slow
def test_levels_after_200_updates_agree():
    gibbs, collapsed = run_levels("gibbs", 3, 1), run_levels("collapsed", 3, 2)
    pvalues = [stats.ks_2samp(gibbs[:, i], collapsed[:, i]).pvalue for i in range(4)]
    assert min(pvalues) * 4 > FALSE_ALARM
    wrong = run_levels("collapsed", 1, 2)
    pvalues = [stats.ks_2samp(gibbs[:, i], wrong[:, i]).pvalue for i in range(4)]
    assert min(pvalues) * 4 < FALSE_ALARM
