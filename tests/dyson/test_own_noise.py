"""Levels with noise of their own: exact moments, matrices with such noise, and no collision."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.dyson import EigenvalueProcess, MatrixProcess
from sgdyson.dyson._eigenvalues import next_levels
from sgdyson.ensembles import Quadratic
from sgdyson.errors import InvalidInputError

OWN, START, END = (0.4, 1.6, 0.8), np.array([1.0, 0.2, -1.0]), 0.5


def last(process, replicas, *, steps=100, seed=1, start=START, end=END):
    run = process.simulate(
        start, step=end / steps, steps=steps, record_every=steps, replicas=replicas, seed=seed,
        progress=False,
    )  # fmt: skip
    return run.levels.values[:, -1]


def matrices(beta: int, replicas: int, steps: int = 200) -> np.ndarray:
    """Levels of dX = -X dt + U (G o dN) U^+: noise of variance g_ij^2 in the matrix's own basis."""
    random, n, h = np.random.default_rng(8), len(OWN), END / steps
    squares = np.square(OWN)
    width = np.sqrt((squares[:, None] + squares) / 2)
    x = np.tile(np.diag(START).astype(complex), (replicas, 1, 1))
    for _ in range(steps):
        _, u = np.linalg.eigh(x)
        u = u[..., ::-1]  # the largest first
        entries = random.standard_normal((replicas, n, n)) + 0j
        if beta == 2:
            entries += 1j * random.standard_normal((replicas, n, n))
        noise = width * (entries + entries.conj().mT) / np.sqrt(2)  # 2 g^2 and beta g_ij^2
        x = x - h * x + np.sqrt(h) * u @ noise @ u.conj().mT
    return np.linalg.eigvalsh(x)[:, ::-1]


@pytest.mark.parametrize("beta", [1, 2])
def test_they_move_as_levels_of_a_matrix_with_such_noise(beta):
    expected = matrices(beta, 1500)
    found = last(EigenvalueProcess(Quadratic(), beta, OWN), 1500)
    assert smallest_pvalue(found, expected) > FALSE_ALARM
    alike = float(np.sqrt(np.mean(np.square(OWN))))  # power: one g, of the same trace
    for other in (alike, OWN[::-1]):
        wrong = last(EigenvalueProcess(Quadratic(), beta, other), 1500)
        assert smallest_pvalue(wrong, expected) < FALSE_ALARM


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_exact_moments(beta):
    """Repulsion is mutual: E sum x decays as without it. E sum x^2 comes to rest at

    sum g^2 [1 + beta (n - 1)/2], at the rate 2, of first order in the step: twice the finer run
    less the coarser has no bias of that order.
    """
    decay, replicas = np.exp(-2 * END), 20_000
    rest = np.square(OWN).sum() * (1 + beta)
    exact = rest + (START @ START - rest) * decay
    process = EigenvalueProcess(Quadratic(), beta, OWN)
    coarse, fine = (last(process, replicas, steps=n, seed=n) for n in (8, 16))
    trace = fine.sum(axis=1)
    allowed = 4 * trace.std() / np.sqrt(replicas) + 0.01  # (1 + h)^-n for exp(-t)
    assert abs(trace.mean() - START.sum() * np.exp(-END)) < allowed
    # power: g_i^2/(x_i - x_j) of one's own would push the centre, by more than a third of g^2
    squares = [(levels**2).sum(axis=1) for levels in (coarse, fine)]
    error = np.hypot(squares[0].std(), 2 * squares[1].std()) / np.sqrt(replicas)
    found = 2 * squares[1].mean() - squares[0].mean()
    assert abs(found - exact) < 4 * error + 0.01 * exact
    alike = exact / rest * len(OWN) * np.mean(OWN) ** 2 * (1 + beta)  # of the mean g
    assert abs(found - alike) > 4 * error + 0.01 * exact


def test_own_forces_would_push_the_centre():
    """The power of the test of the trace: Euler's steps with g_i^2 in place of g_ij^2."""
    random, squares = np.random.default_rng(3), np.square(OWN)
    x, h = np.tile(START, (4000, 1)), END / 4000
    for _ in range(4000):
        gaps = x[:, :, None] - x[:, None, :] + np.diag(np.full(3, np.inf))
        x = x + h * ((squares[:, None] / gaps).sum(axis=2) - x)
        x = x + np.sqrt(2 * h) * np.array(OWN) * random.standard_normal(x.shape)
        x = -np.sort(-x, axis=1)
    trace = x.sum(axis=1)
    assert abs(trace.mean() - START.sum() * np.exp(-END)) > 8 * trace.std() / np.sqrt(4000) + 0.01


@pytest.mark.usefixtures("compiled_as_written")
def test_one_noise_is_another_unit_of_time():
    """V and g at a step h are V/g^2 and 1 at g^2 h: the same numbers but for rounding."""
    plain = last(EigenvalueProcess(Quadratic(2.0)), 3, end=END * 0.49)
    scaled = last(EigenvalueProcess(lambda x: 0.49 * Quadratic(2.0)(x), noise=0.7), 3)
    np.testing.assert_allclose(scaled, plain, rtol=1e-9)
    each = last(EigenvalueProcess(lambda x: 0.49 * Quadratic(2.0)(x), noise=(0.7,) * 3), 3)
    np.testing.assert_allclose(each, scaled, rtol=1e-9)


def test_one_noise_is_that_of_the_matrix():
    process = MatrixProcess(3, 2, width=0.5, friction=2.0)  # g^2 = gamma sigma^2
    exact = process.simulate([0, END], replicas=1500, seed=2, initial_levels=START)
    found = last(EigenvalueProcess(lambda x: x**2, 2.0, noise=np.sqrt(0.5)), 1500)
    assert smallest_pvalue(found, exact.levels.values[:, -1]) > FALSE_ALARM
    wrong = last(EigenvalueProcess(lambda x: x**2, 2.0, noise=0.5), 1500)
    assert smallest_pvalue(wrong, exact.levels.values[:, -1]) < FALSE_ALARM


@pytest.mark.parametrize("step", [1e-3, 10.0])
@pytest.mark.parametrize("middle", [1e-3, 1e3])
def test_they_never_cross(step, middle):
    noise = (1.0, middle, 1.0, 0.1, 10.0)
    run = EigenvalueProcess(Quadratic(), 1.0, noise).simulate(
        np.linspace(0, 0.05, 5), step=step, steps=50, replicas=128, seed=1, progress=False
    )
    assert not run.diverged.any()
    assert (np.diff(run.levels.values, axis=2) < 0).all()


@pytest.mark.parametrize("apart", [1e-6, 1.0])
def test_a_step_is_solved(apart):
    n, step, beta = 40, 0.01, 1.0
    noise = 10.0 ** np.random.default_rng(2).uniform(-2, 2, n)
    start, normal = apart * np.arange(n)[::-1].astype(float), np.ones(n)
    with jax.enable_x64(True):
        after = jax.jit(partial(next_levels, Quadratic()))
        y = np.asarray(after(beta, noise, step, start, normal))

    def off(y):
        gaps = y[:, None] - y + np.diag(np.full(n, np.inf))
        pushes = step * beta * (noise[:, None] ** 2 + noise**2) / 2 / gaps
        residual = (1 + step) * y - start - np.sqrt(2 * step) * noise - pushes.sum(axis=1)
        return np.abs(residual) / (1e-8 * np.abs(pushes).sum(axis=1) + 1e-12 * (1 + np.abs(y)))

    assert (np.diff(y) < 0).all()
    assert (off(y) < 1).all()
    moved = y.copy()
    moved[20] += 1e-3 * (y[19] - y[20])  # its pair is one of the weakest
    assert (off(moved) > 1).any()


@pytest.mark.parametrize(
    ("noise", "named"),
    [
        (0.0, r"noise = 0\.0 must be a positive number.*without noise do not repel"),
        ((1.0, -1.0, 1.0), r"noise = \(1\.0, -1\.0, 1\.0\)"),
        ((1.0, np.nan, 1.0), "noise = "),
        ([[1.0]], "noise = "),
        ("loud", "noise = 'loud' must be real numbers"),
        ((1.0, 2.0), "one for each of 3 levels"),
        (lambda t: np.sin(t), "failed on a time .*jax.numpy"),
        (lambda t: 1.0 if t < 1 else 0.5, "without `if`"),
        (lambda t: jnp.ones(2), "one for each of 3 levels"),
        (lambda t: 0.25 - t, r"positive at every time, and at 0\.2525"),
    ],
)
def test_other_noise_is_refused(noise, named):
    with pytest.raises(InvalidInputError, match=named) as caught:
        last(EigenvalueProcess(Quadratic(), 1.0, noise), 1)
    assert "\n" not in str(caught.value)


def test_the_data_set_tells_it():
    run = EigenvalueProcess(Quadratic(), 1.0, OWN).simulate(
        START, step=0.1, steps=1, replicas=1, seed=0, progress=False
    )
    assert run.noise == list(OWN)
