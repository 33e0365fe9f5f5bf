"""The 2 x 2 GOE matrix Ornstein-Uhlenbeck process, exact in time, against the predicted force.

Each comparison of n bins is a chi-square with a false-alarm rate of 1e-4; the wrong lines must fail
the same comparison.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

from sgdyson.errors import InvalidInputError
from sgdyson.spectra import coulomb_diffusion, coulomb_drift, finite_step, repulsion

WIDTH = 0.7


def matrix_spacings(rng, friction, replicas, times, dimension=2):
    """S of M(t+1) = e^-gamma M(t) + noise: diagonal variance WIDTH^2, off-diagonal half of it.

    S is the length of a normal vector: (M11 - M22, 2 M12) for the GOE, three numbers for the GUE.
    """
    decay = np.exp(-friction)
    scale = np.sqrt(2) * WIDTH
    vector = scale * rng.normal(size=(replicas, dimension))
    result = np.empty((replicas, times))
    for t in range(times):
        result[:, t] = np.linalg.norm(vector, axis=1)
        kick = scale * np.sqrt(1 - decay**2) * rng.normal(size=vector.shape)
        vector = decay * vector + kick
    return result


def agrees(measured, error, predicted):
    pulls = (measured - predicted) / error
    return chi2.sf(np.sum(pulls**2), len(pulls)) > 1e-4


def test_spacings_of_the_process_are_those_of_matrices():
    rng = np.random.default_rng(1)
    m = rng.normal(size=(200000, 2, 2)) * WIDTH
    m = np.stack([m[:, 0, 0], m[:, 1, 1], m[:, 0, 1] / np.sqrt(2)], axis=-1)
    matrices = np.moveaxis(np.array([[m[:, 0], m[:, 2]], [m[:, 2], m[:, 1]]]), 2, 0)
    levels = np.linalg.eigvalsh(matrices)
    spacing = levels[:, 1] - levels[:, 0]
    expected = np.hypot(m[:, 0] - m[:, 1], 2 * m[:, 2])
    np.testing.assert_allclose(spacing, expected, atol=1e-12)
    assert spacing.mean() == pytest.approx(np.sqrt(np.pi) * WIDTH, rel=4 * 0.523 / 447)


SHORT = 1e-3  # friction per update: bins above S^2 = 4 g^2 * 50 are in the limit of the lines


@pytest.fixture(scope="module")
def short():
    s = matrix_spacings(np.random.default_rng(2), SHORT, 1000, 500)
    noise = SHORT * WIDTH**2
    edges = np.linspace(np.sqrt(4 * noise * 50), 3.0, 13)
    return repulsion(s, edges), noise


def test_coulomb_force_and_diffusion(short):
    force, noise = short
    assert agrees(force.drift, force.drift_error, coulomb_drift(force, noise, SHORT))
    assert agrees(force.diffusion, force.diffusion_error, coulomb_diffusion(force, noise))


def test_wrong_forces_are_rejected(short):
    """No repulsion, that of beta = 2, no friction; and a diffusion off by 2 %."""
    force, noise = short
    right = coulomb_drift(force, noise, SHORT)
    repelling = 2 * noise * force.inverse_spacing
    for wrong in (right - repelling, right + repelling, repelling):
        assert not agrees(force.drift, force.drift_error, wrong)
    assert not agrees(
        force.diffusion, force.diffusion_error, 1.02 * coulomb_diffusion(force, noise)
    )


def test_unitary_process_is_told_from_orthogonal():
    s = matrix_spacings(np.random.default_rng(3), SHORT, 1000, 500, dimension=3)
    noise = SHORT * WIDTH**2
    force = repulsion(s, np.linspace(np.sqrt(4 * noise * 50), 3.0, 13))
    right = coulomb_drift(force, noise, SHORT) + 2 * noise * force.inverse_spacing
    assert agrees(force.drift, force.drift_error, right)
    np.testing.assert_allclose(coulomb_drift(force, noise, SHORT, 2), right)
    assert not agrees(force.drift, force.drift_error, coulomb_drift(force, noise, SHORT))


@pytest.mark.parametrize("friction", [0.02, 0.2])
def test_long_intervals_follow_rice(friction):
    """All S, down to contact, at intervals where the lines fail."""
    s = matrix_spacings(np.random.default_rng(4), friction, 1000, 200)
    force, noise = repulsion(s, bins=12), friction * WIDTH**2
    drift, diffusion = finite_step(force, noise, friction)
    assert agrees(force.drift, force.drift_error, drift)
    assert agrees(force.diffusion, force.diffusion_error, diffusion)
    assert not agrees(force.diffusion, force.diffusion_error, coulomb_diffusion(force, noise))
    wrong_drift, _ = finite_step(force, 1.1 * noise, friction)
    assert not agrees(force.drift, force.drift_error, wrong_drift)


@pytest.mark.parametrize("beta", [2, 4])
def test_long_intervals_of_complex_and_quaternion_pairs(beta):
    s = matrix_spacings(np.random.default_rng(14), 0.2, 1000, 200, dimension=beta + 1)
    force, noise = repulsion(s, bins=12), 0.2 * WIDTH**2
    drift, diffusion = finite_step(force, noise, 0.2, beta)
    assert agrees(force.drift, force.drift_error, drift)
    assert agrees(force.diffusion, force.diffusion_error, diffusion)
    for other in {1, 2, 4} - {beta}:
        assert not agrees(force.drift, force.drift_error, finite_step(force, noise, 0.2, other)[0])


def test_skipped_records_with_their_interval_change_nothing_but_the_noise():
    s = matrix_spacings(np.random.default_rng(5), 0.01, 1000, 400)
    force = repulsion(s[:, ::4], bins=8, interval=4.0)
    drift, diffusion = finite_step(force, 0.01 * WIDTH**2, 0.01)
    assert agrees(force.drift, force.drift_error, drift)
    assert agrees(force.diffusion, force.diffusion_error, diffusion)
    wrong = repulsion(s[:, ::4], bins=8)  # forgets that four updates went by
    assert not agrees(wrong.diffusion, wrong.diffusion_error, diffusion)


def test_finite_step_tends_to_the_lines():
    s = matrix_spacings(np.random.default_rng(6), 0.01, 50, 50)
    force = repulsion(s, np.linspace(1.0, 1.01, 2), interval=1e-6)
    drift, diffusion = finite_step(force, 0.005, 0.01)
    np.testing.assert_allclose(drift, 2 * 0.005 / 1.005 - 0.01 * 1.005, rtol=1e-3)
    inside = drift**2 * 1e-6 + 0.02  # plus nothing else but the spread of the drift
    np.testing.assert_allclose(diffusion, inside, rtol=1e-3)


def test_finite_step_is_the_integral_over_the_kick():
    """E|a S + kick| by plain integration over the angle and length of the plane kick."""
    force = repulsion(np.array([[1.0, 1.5], [1.1, 0.9], [1.05, 1.2]]), [0.999, 1.101])
    noise, friction = 0.3, 0.4
    decay = np.exp(-friction)
    b = np.sqrt(2 * noise / friction * (1 - decay**2))

    def mean_after(s):
        def over_angle(r):
            angles = 2 * np.pi * np.arange(64) / 64  # exponentially exact for a periodic function
            length = np.sqrt((decay * s) ** 2 + r**2 + 2 * decay * s * r * np.cos(angles))
            return r / b**2 * np.exp(-(r**2) / (2 * b**2)) * length.mean()

        return quad(over_angle, 0, 12 * b, points=[decay * s])[0]

    def density(s):
        return s * np.exp(-friction * s**2 / (4 * noise))

    norm = quad(density, *force.edges)[0]
    expected = quad(lambda s: density(s) * (mean_after(s) - s), *force.edges)[0] / norm
    np.testing.assert_allclose(finite_step(force, noise, friction)[0], expected, rtol=1e-3)


def test_by_hand():
    s = np.array([[1.0, 1.2, 2.0], [1.4, 3.0, 3.5], [1.1, 1.5, 3.2]])
    steps = np.array([0.2, 0.8, 1.6, 0.4, 1.7])  # from 1, 1.2, 1.4, 1.1 and 1.5
    starts = np.array([1.0, 1.2, 1.4, 1.1, 1.5])
    with pytest.raises(InvalidInputError, match="holds 1 steps"):
        repulsion(s, [1.0, 1.05, 2.0])
    force = repulsion(s, [1.0, 2.0])
    assert force.counts.tolist() == [5]
    assert force.spacing[0] == pytest.approx(starts.mean())
    assert force.inverse_spacing[0] == pytest.approx(np.mean(1 / starts))
    assert force.drift[0] == pytest.approx(steps.mean())
    assert force.diffusion[0] == pytest.approx(np.var(steps, ddof=1))
    sums = np.array([1.0, 1.6, 2.1]) - steps.mean() * np.array([2, 1, 2])
    assert force.drift_error[0] == pytest.approx(np.sqrt(np.sum(sums**2) * 3 / 2) / 5)


def test_repeated_replicas_do_not_shrink_the_error():
    """A trajectory run five times over inside one replica: five times the counts, one error."""
    s = matrix_spacings(np.random.default_rng(7), 0.2, 300, 21)
    forth = np.concatenate([s, s[:, :1]], axis=1)  # closed, so that repeats add no foreign step
    edges = [0.1, 1.0, 2.0]
    once = repulsion(forth, edges)
    often = repulsion(np.concatenate([s] * 5 + [s[:, :1]], axis=1), edges)
    np.testing.assert_array_equal(often.counts, 5 * once.counts)
    np.testing.assert_allclose(often.drift_error, once.drift_error)
    np.testing.assert_allclose(often.diffusion_error, once.diffusion_error, rtol=1e-2)


GOOD = np.array([[1.0, 2.0, 1.5], [1.2, 1.1, 0.7]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: repulsion(GOOD[:1], 1), r"shape \(1, 3\)"),
        (lambda: repulsion([[1.0, 2.0], [1.0, np.nan]], 1), "diverged"),
        (lambda: repulsion(-GOOD, 1), "above zero"),
        (lambda: repulsion(GOOD, 1, interval=0), "interval = 0"),
        (lambda: repulsion(GOOD, 0), "bins = 0"),
        (lambda: repulsion(GOOD, [1.0, 1.0]), "must rise"),
        (lambda: repulsion(GOOD, [5.0, 6.0]), "holds 0 steps"),
        (lambda: coulomb_drift(repulsion(GOOD, 1), 0.0, 1.0), "level_diffusion = 0"),
        (lambda: coulomb_drift(repulsion(GOOD, 1), 1.0, -1.0), "negative"),
        (lambda: finite_step(repulsion(GOOD, 1), 1.0, 0.0), "stationary"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InvalidInputError, match=message):
        call()
