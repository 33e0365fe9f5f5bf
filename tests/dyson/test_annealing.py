"""Potentials and noise that change in time, against quadratic ones solved exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.dyson import EigenvalueProcess
from sgdyson.dyson._eigenvalues import next_levels
from sgdyson.ensembles import GaussianEnsemble, Quadratic
from sgdyson.errors import InvalidInputError

START, END, REPLICAS = np.array([1.5, 0.0, -1.0]), 1.0, 1500


def softening(x, t):
    """Stiffness 1/(1 + t)."""
    return x**2 / 2 / (1 + t)


def last(process, steps=100, replicas=REPLICAS, seed=1, start=START):
    run = process.simulate(
        start, step=END / steps, steps=steps, record_every=steps, replicas=replicas, seed=seed,
        progress=False,
    )  # fmt: skip
    return run.levels.values[:, -1]


def exact(beta, mean, width, seed=5):
    """Levels of mean * diag(start) + a Gaussian matrix: M is one at every time."""
    noise = GaussianEnsemble(3, beta, width).matrices(REPLICAS, seed)
    return np.linalg.eigvalsh(mean * np.diag(START) + noise)[:, ::-1]


@pytest.mark.parametrize("beta", [1, 2])
def test_a_stiffness_that_falls(beta):
    """dM = -M dt/(1+t) + noise: mean M_0/(1+t), sigma^2 = 2 int ((1+s)/(1+t))^2 ds."""
    found = last(EigenvalueProcess(softening, beta))
    sigma = np.sqrt(2 * (8 - 1) / 3 / 4)
    assert smallest_pvalue(found, exact(beta, 0.5, sigma)) > FALSE_ALARM
    frozen = last(EigenvalueProcess(Quadratic(), beta))  # power: that of t = 0 throughout
    assert smallest_pvalue(frozen, exact(beta, 0.5, sigma)) < FALSE_ALARM


@pytest.mark.parametrize("noise", [lambda t: 1 / (1 + t), lambda t: jnp.ones(3) / (1 + t)])
def test_noise_that_falls_with_it(noise):
    """Both fall as a learning rate: sigma^2 = 2 int ((1+s)/(1+t))^2/(1+s)^2 ds = 2 t/(1+t)^2."""
    sigma = np.sqrt(2 / 4)
    found = last(EigenvalueProcess(softening, 1, noise))
    assert smallest_pvalue(found, exact(1, 0.5, sigma)) > FALSE_ALARM
    constant = last(EigenvalueProcess(softening, 1))
    assert smallest_pvalue(constant, exact(1, 0.5, sigma)) < FALSE_ALARM


def test_exact_moments_and_order_one():
    """E sum x^2 = [x_0^2 + c ((1+t)^3 - 1)/3]/(1+t)^2, c = 2 n + beta n (n - 1)."""
    c = 6 + 2 * 6
    expected = (START @ START + c * 7 / 3) / 4
    biases, errors = [], []
    for steps in (5, 10):
        squares = (last(EigenvalueProcess(softening, 2), steps, 40_000, steps) ** 2).sum(axis=1)
        biases.append(squares.mean() - expected)
        errors.append(squares.std() / np.sqrt(len(squares)))
    assert abs(2 * biases[1] - biases[0]) < 4 * np.hypot(errors[0], 2 * errors[1]) + 0.01 * expected
    assert abs(biases[0]) > 5 * errors[0]  # power: the bias itself is seen
    # levels push each other, and not their sum: each implicit step divides it by 1 + h/(1 + t), at
    # the middle of the step; far from zero, where 2000 replicas tell the mean to half a percent
    start, h = START + 20, END / 100
    trace = last(EigenvalueProcess(softening, 2), 100, 2000, 7, start).sum(axis=1)
    middles = h * (np.arange(100) + 0.5)
    mean, allowed = start.sum() / np.prod(1 + h / (1 + middles)), 4 * trace.std() / np.sqrt(2000)
    assert abs(trace.mean() - mean) < allowed
    assert abs(trace.mean() - start.sum() / (1 + h) ** 100) > allowed  # power: stiffness of t = 0


def test_a_drop_at_the_end_of_a_step_is_seen_from_there_on():
    """A schedule of steps: two runs, one after the other, are one."""

    def dropped(x, t):
        return jnp.where(t < 0.5, x**2, 5 * x**2)

    @jax.jit
    def after(k, levels, normal):
        return next_levels(lambda x: k * x**2, 1.0, 1.0, 0.1, levels, normal)

    both = EigenvalueProcess(dropped).simulate(
        START, step=0.1, steps=10, record_every=5, replicas=1, seed=3, progress=False
    )
    with jax.enable_x64(True):
        key, levels = jax.random.fold_in(jax.random.key(3), jnp.uint32(0)), jnp.asarray(START)
        for number in range(10):
            if number == 5:
                middle = np.array(levels)
            normal = jax.random.normal(jax.random.fold_in(key, number), (3,))
            levels = after(1.0 if number < 5 else 5.0, levels, normal)
    np.testing.assert_allclose(both.levels[0, 1:], [middle, levels], rtol=1e-9)


@pytest.mark.parametrize(
    "potential",
    [lambda x, t: x**2 * np.sin(t), lambda x, t: x if t > 0 else -x, lambda x, t: x * x.sum()],
)
def test_what_is_refused_without_time_is_with_it(potential):
    with pytest.raises(InvalidInputError, match=r"jax\.numpy|each level alone"):
        last(EigenvalueProcess(potential), replicas=1)


def test_a_second_argument_with_a_value_is_no_time():
    run = last(EigenvalueProcess(lambda x, stiffness=2.0: stiffness * x**2), 5, 2)
    same = last(EigenvalueProcess(lambda x: 2.0 * x**2), 5, 2)
    np.testing.assert_array_equal(run, same)
