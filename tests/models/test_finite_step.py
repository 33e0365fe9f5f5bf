"""Second moments at any learning rate: the chain's memory, momentum, and all levels together."""

import numpy as np
import pytest

from sgdyson import GaussianRBM, TeacherStudent, simulate
from sgdyson.optimizers import SGD, HeavyBall, Nesterov, stationary_variance
from sgdyson.optimizers.stationary import remembered_variance


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("rate", [0.01, 0.5, 1.2])
def test_a_chain_is_momentum(memory, rate):
    """(A) of the theory page: f = (1 + r)/(1 - r), V = alpha^2 q f/[gamma (2 - gamma/f)]."""
    h, q, f = 0.7, 0.2, (1 + memory) / (1 - memory)
    gamma = rate * h
    arrays = [np.array([value]) for value in (h, q, memory, 0.0)]
    variance = remembered_variance(None, rate, *arrays)
    assert variance[0] == pytest.approx(rate**2 * q * f / (gamma * (2 - gamma / f)), rel=1e-12)


@pytest.mark.parametrize("optimizer", [SGD(), HeavyBall(0.9), Nesterov(0.5)])
def test_without_memory_it_is_the_variance_of_the_optimiser(optimizer):
    h, q = np.array([0.3, 2.0]), np.array([1.0, 0.1])
    plain = remembered_variance(optimizer, 0.1, h, q, 0 * h, 0 * h)
    np.testing.assert_allclose(plain, stationary_variance(optimizer, 0.1, h, q), rtol=1e-12)
    at_once = remembered_variance(optimizer, 0.1, 0 * h, q, 0 * h, h)
    np.testing.assert_allclose(at_once, plain, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [SGD(), HeavyBall(0.6), Nesterov(0.4)])
def test_with_memory_it_is_the_variance_of_its_own_recursion(optimizer):
    random = np.random.default_rng(0)
    rate, h, q, r, h0 = 0.2, 0.8, 0.5, 0.6, 0.3
    theory = remembered_variance(optimizer, rate, *(np.array([x]) for x in (h, q, r, h0)))[0]
    beta = getattr(optimizer, "momentum", 0.0)
    w, v, y = np.zeros((3, 4000))
    squares = []
    for step in range(1500):
        y = r * y + (1 - r) * h * w + np.sqrt(q * (1 - r**2)) * random.standard_normal(w.size)
        gradient = y + h0 * w
        v = beta * v + gradient
        w = w - rate * (gradient + beta * v if isinstance(optimizer, Nesterov) else v)
        if step >= 300 and step % 20 == 0:
            squares.append(w**2)
    means = np.mean(squares, axis=0)
    error = means.std() / means.size**0.5
    assert abs(means.mean() - theory) < 4 * error
    assert error < 0.01 * theory  # so that 5 % less, of a step left out, would be seen


def test_a_step_beyond_stability_has_no_variance():
    arrays = [np.array([value]) for value in (1.0, 1.0, 0.0, 0.0)]
    assert remembered_variance(None, 2.1, *arrays)[0] == np.inf


def test_the_levels_of_a_student_move_together():
    """V_ii = 2 V_ij + <delta_ii delta_jj>: for far levels, the diagonal of W tells both."""
    model, rate, batch = TeacherStudent((9.0, 3.0), label_noise=0.3), 0.5, 4
    run = simulate(
        model, learning_rate=rate, batch_size=batch, replicas=4096, updates=60, record_every=20,
        record_from=60, seed=2, record_weights=True, progress=False,
    )  # fmt: skip
    delta = run.weights.values - np.diag(model.teacher)
    diagonal = np.diagonal(delta, axis1=-2, axis2=-1)
    squares = np.mean(diagonal**2, axis=(1, 2))
    together = np.mean(diagonal[..., 0] * diagonal[..., 1], axis=1)
    theory = model.predict(rate, batch)
    for measured, exact in ((squares, theory.covariance[0, 0]), (together, theory.common[0])):
        error = measured.std() / len(measured) ** 0.5
        assert abs(measured.mean() - exact) < 4 * error
    # without the common term the same test fails
    error = squares.std() / len(squares) ** 0.5
    assert abs(squares.mean() - (theory.covariance[0, 0] - theory.common[0])) > 4 * error


def test_only_levels_with_a_learnt_partner_have_a_mean_spacing():
    spacing = GaussianRBM.scalar_field(10, mass=2.0, rbm_mass=3.0).predict(0.1, 16).mean_spacing
    assert np.isnan(spacing).tolist() == [True] + 8 * [False] + [True]
    lattice = GaussianRBM.scalar_field(16, mass=1.5, rbm_mass=3.5, lattice_dim=2)
    theory = lattice.predict(0.1, 32)
    sizes = np.isclose(theory.levels[:, None], theory.levels).sum(axis=1)
    assert {4, 6} <= set(sizes.tolist())
    assert np.isnan(theory.leading.mean_spacing[sizes != 2]).all()
    np.testing.assert_array_equal(np.isnan(theory.mean_spacing), sizes == 1)
    unlearnt = GaussianRBM.scalar_field(10, mass=2.0, rbm_mass=2.5).predict(0.1, 16)
    assert np.isnan(unlearnt.mean_spacing[~unlearnt.learnt]).all()
