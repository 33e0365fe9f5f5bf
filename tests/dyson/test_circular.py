"""Levels on a circle: exact moments, the circular ensembles, matrices that diffuse, winding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.linalg import expm
from scipy.special import eval_gegenbauer, iv

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.dyson import CircularProcess, _circular
from sgdyson.dyson._geometry import CIRCLE, half_cotangents
from sgdyson.dyson._implicit import implicit_step
from sgdyson.ensembles import CircularEnsemble
from sgdyson.errors import InvalidInputError

START = np.array([1.0, 0.2, -0.4])


def angles(beta, end, steps, replicas, *, seed=1, start=START, potential=None):
    process = CircularProcess(beta) if potential is None else CircularProcess(beta, potential)
    run = process.simulate(
        start, step=end / steps, steps=steps, record_every=steps, replicas=replicas, seed=seed,
        progress=False,
    )  # fmt: skip
    assert not run.diverged.any()
    return run.levels.values[:, -1]


def spacings(levels):
    """Sorted gaps round the circle: they do not change when all levels turn together."""
    levels = np.sort(np.mod(levels, 2 * np.pi), axis=1)
    around = levels[:, :1] + 2 * np.pi - levels[:, -1:]
    return np.sort(np.hstack([np.diff(levels, axis=1), around]), axis=1)


@pytest.mark.parametrize("beta", [1.0, 2.0, 4.0])
def test_it_comes_to_rest_in_the_circular_ensemble(beta):
    found = spacings(angles(beta, 3.0, 150, 1024))
    assert smallest_pvalue(found, spacings(CircularEnsemble(3, beta).eigenvalues(4000, 2))) > (
        FALSE_ALARM
    )
    other = CircularEnsemble(3, {1: 2, 2: 1, 4: 2}[beta]).eigenvalues(4000, 2)
    assert smallest_pvalue(found, spacings(other)) < FALSE_ALARM


def test_moments():
    """The generator closes on p_1 = sum exp(i theta), |p_1|^2, p_2 and p_1^2, for every beta.

    L p_1 = -l p_1 with l = 1 + beta (n - 1)/2; L |p_1|^2 = 2 n - 2 l |p_1|^2;
    L p_2 = -(4 + beta (n - 2)) p_2 - beta p_1^2; L p_1^2 = -2 l p_1^2 - 2 p_2.
    """
    beta, end, replicas, n = 2.5, 0.25, 20_000, 3
    first = np.exp(1j * START).sum()
    second, rate = np.exp(2j * START).sum(), 1 + beta * (3 - 1) / 2
    slow = expm(end * np.array([[-(4 + beta * (n - 2)), -beta], [-2, -2 * rate]]))
    size = n / rate + (abs(first) ** 2 - n / rate) * np.exp(-2 * rate * end)
    exact = np.array([first * np.exp(-rate * end), size, *(slow @ [second, first**2])])
    means, errors = [], []
    for steps in (16, 32):
        levels = angles(beta, end, steps, replicas, seed=steps)
        p1, p2 = (np.exp(1j * k * levels).sum(axis=1) for k in (1, 2))
        seen = np.stack([p1, np.abs(p1) ** 2, p2, p1**2])
        means.append(seen.mean(axis=1))
        errors.append(seen.std(axis=1) / np.sqrt(replicas))
    off = np.abs(2 * means[1] - means[0] - exact)  # without the bias of first order in the step
    allowed = 4 * np.hypot(errors[0], 2 * errors[1]) + 0.004
    assert (off < allowed).all()
    # power: rates of another beta, a fifth off, are seen
    wrong = first * np.exp(-(1 + 0.8 * beta) * end)
    assert abs(2 * means[1][0] - means[0][0] - wrong) > allowed[0]


def unitary_steps(n, end, steps, replicas, start):
    """Phases of U' = U exp(i H), <|H_ij|^2> = 2 h."""
    random, u = np.random.default_rng(6), np.tile(np.diag(np.exp(1j * start)), (replicas, 1, 1))
    for _ in range(steps):
        g = random.standard_normal((2, replicas, n, n))
        entries = (g[0] + 1j * g[1]) * np.sqrt(end / steps / 2)
        values, vectors = np.linalg.eigh(entries + entries.conj().mT)
        u = u @ (vectors * np.exp(1j * values)[:, None, :]) @ vectors.conj().mT
    return np.angle(np.linalg.eigvals(u))


def test_unitary_brownian_motion():
    expected = unitary_steps(3, 0.15, 60, 3000, START)
    found = angles(2.0, 0.15, 60, 3000)
    assert smallest_pvalue(spacings(found), spacings(expected)) > FALSE_ALARM
    real = stats.ks_2samp(np.cos(found).sum(axis=1), np.cos(expected).sum(axis=1)).pvalue
    assert real > FALSE_ALARM
    late = angles(2.0, 0.2, 60, 3000)  # power: a third later
    assert smallest_pvalue(spacings(late), spacings(expected)) < FALSE_ALARM


def heat_kernel(beta, start, end):
    """Cdf of the angle between two levels after a time, from its eigenfunctions.

    With u half of the angle the generator is (f'' + beta cot(u) f')/2, of Gegenbauer's polynomials
    C_k of cos u with index beta/2: rates k (k + beta)/2, weight sin(u)^beta.
    """
    grid = np.linspace(0, np.pi, 4001)
    weight, order = np.sin(grid) ** beta, np.arange(80)[:, None]
    functions = eval_gegenbauer(order, beta / 2, np.cos(grid))
    norms = integrate.trapezoid(weight * functions**2, grid, axis=1)[:, None]
    shares = eval_gegenbauer(order, beta / 2, np.cos(start / 2)) / norms
    density = weight * (shares * np.exp(-order * (order + beta) * end / 2) * functions).sum(axis=0)
    cdf = integrate.cumulative_trapezoid(density, grid, initial=0)
    assert cdf[-1] == pytest.approx(1, abs=1e-6)
    return lambda angle: np.interp(np.asarray(angle) / 2, grid, cdf)


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.5, 4.0])
def test_two_levels_follow_their_heat_kernel(beta):
    """At a time when it still remembers its start."""
    start, end = 1.5, 0.2
    levels = angles(beta, end, 80, 4096, start=[start, 0.0])
    apart = levels[:, 0] - levels[:, 1]
    assert stats.kstest(apart, heat_kernel(beta, start, end)).pvalue > FALSE_ALARM
    for wrong in (heat_kernel(beta, start, 1.3 * end), heat_kernel(1.4 * beta, start, end)):
        assert stats.kstest(apart, wrong).pvalue < FALSE_ALARM


@pytest.mark.parametrize("beta", [1.0, 2.0, 4.0])
def test_two_levels_at_rest_have_the_surmise_of_the_circle(beta):
    """sin^beta of half of the angle between them, in closed form: sin^2 is a beta variable."""
    levels = angles(beta, 3.0, 150, 4096, start=[1.5, 0.0])
    squares = np.sin((levels[:, 0] - levels[:, 1]) / 2) ** 2
    assert stats.kstest(squares, stats.beta((beta + 1) / 2, 0.5).cdf).pvalue > FALSE_ALARM
    wrong = stats.beta((1.3 * beta + 1) / 2, 0.5).cdf
    assert stats.kstest(squares, wrong).pvalue < FALSE_ALARM


@pytest.mark.parametrize("step", [1e-3, 0.3])
@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_levels_keep_their_order_through_whole_turns(beta, step):
    run = CircularProcess(beta).simulate(
        1e-6 * np.arange(6), step=step, steps=200, replicas=64, seed=1, progress=False
    )
    levels = run.levels.values
    assert not run.diverged.any()
    assert (np.diff(levels, axis=2) < 0).all()
    assert (levels[..., 0] - levels[..., -1] < 2 * np.pi).all()
    # repulsion is mutual: the sum of the angles is a Brownian motion, of variance 2 n t
    moved = levels.sum(axis=2)[:, -1] - levels.sum(axis=2)[:, 0]
    end = step * 200
    assert stats.kstest(moved / np.sqrt(12 * end), "norm").pvalue > FALSE_ALARM
    assert step < 0.1 or np.abs(moved / 6).max() > 2 * np.pi  # some did go round


@jax.jit
def turned(beta, step, start, z):
    return implicit_step(lambda y: 0 * y, beta, step, start, z, geometry=CIRCLE)


@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize("apart", [1e-9, 1e-3])
@pytest.mark.parametrize("step", [1e-5, 1.0])
def test_a_step_is_solved_from_any_start(n, apart, step):
    start, beta = apart * np.arange(n)[::-1].astype(float), 1.0
    z = start + np.sqrt(2 * step) * np.random.default_rng(1).standard_normal(n)
    with jax.enable_x64(True):
        y = np.array(turned(beta, step, start, z))

    def off(y):
        half = (y[:, None] - y) / 2 + np.eye(n)
        pushes = step * beta / 2 / np.tan(half) * (1 - np.eye(n))
        residual = y - z - pushes.sum(axis=1)
        return np.abs(residual) / (1e-8 * np.abs(pushes).sum(axis=1) + 1e-12 * (1 + np.abs(y)))

    assert (np.diff(y) < 0).all()
    assert y[0] - y[-1] < 2 * np.pi
    assert (off(y) < 1).all()
    y[-1] -= 1e-4
    assert (off(y) > 1).any()


def test_a_potential_on_the_circle():
    """One level in -k cos: von Mises, <cos> = I_1(k)/I_0(k); three, beta = 2: its determinant."""
    k = 1.5
    one = angles(2.0, 6.0, 300, 2048, start=[0.0], potential=lambda x: -k * jnp.cos(x))
    found, error = np.cos(one).mean(), np.cos(one).std() / np.sqrt(2048)
    assert abs(found - iv(1, k) / iv(0, k)) < 4 * error + 0.005
    assert abs(found - iv(1, 2 * k / 3) / iv(0, 2 * k / 3)) > 4 * error + 0.005  # power
    # D. J. Gross and E. Witten, Phys. Rev. D 21, 446 (1980): Toeplitz determinants of I_{i-j}(k)
    three = np.cos(angles(2.0, 3.0, 150, 2048, potential=lambda x: -k * jnp.cos(x))).sum(axis=1)
    error = three.std() / np.sqrt(2048)

    def logarithm(k):
        i = np.arange(3)
        return np.linalg.slogdet(iv(np.abs(i[:, None] - i), k))[1]

    exact = (logarithm(k + 1e-5) - logarithm(k - 1e-5)) / 2e-5
    assert abs(three.mean() - exact) < 4 * error + 0.005
    free = integrate.quad(np.cos, 0, 2 * np.pi)[0]
    assert abs(three.mean() - free) > 8 * error  # power: no potential


def test_a_replica_is_the_same_in_every_ensemble():
    few, many = (angles(2.0, 0.1, 4, replicas, seed=4) for replicas in (2, 270))
    np.testing.assert_array_equal(few, many[:2])


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (lambda: CircularProcess(0.5), r"beta = 0\.5.*collide"),
        (lambda: CircularProcess(2.0, 3.0), r"potential = 3\.0"),
        (lambda: angles(2.0, 1.0, 2, 1, start=[0.0, 7.0]), "within one turn"),
        (lambda: angles(2.0, 1.0, 2, 1, start=[0.0, 0.0]), "differ"),
        (lambda: angles(2.0, 1.0, 2, 1, potential=lambda x: x**2), "period 2 pi"),
        (lambda: angles(2.0, 1.0, 2, 1, potential=np.cos), r"jax\.numpy"),
    ],
)
def test_bad_arguments_are_named(act, named):
    with pytest.raises(InvalidInputError, match=named):
        act()


@pytest.mark.parametrize("turns", [0, 3])
def test_cotangents_to_rounding_of_angles(turns):
    """Down to gaps of 1e-9, and round the circle: tangents of each pair say so."""
    y = 2 * np.pi * turns + np.array([3.1, 1.5, 1.45, 1.4499, 0.2, 0.2 - 1e-9, 1e-7])
    with jax.enable_x64(True):
        found = half_cotangents(jnp.asarray(y))
    other = ~np.eye(len(y), dtype=bool)
    for pairs, angles_of_pairs in zip(found, (y[:, None] - y, y[:, None] + y), strict=True):
        exact = 0.5 / np.tan(angles_of_pairs[other] / 2)
        # an angle is known to a few parts in 1e16 of itself, which near 0 a cotangent shows
        rounding = 4e-16 * (2 * np.pi * turns + 3.2) * (exact**2 + 0.25)
        slack = 1e-13 * abs(exact) + (rounding if pairs is found[1] else 0) + 1e-15
        assert (abs(np.asarray(pairs)[other] - exact) <= slack).all()
        assert not np.diag(pairs).any()


@pytest.mark.parametrize(("number", "time"), [(0, 0.05), (3, 0.35)])
def test_a_potential_of_time_acts_with_its_value_in_the_middle_of_a_step(number, time):
    """V = t theta turns a single angle back by t dt; neither the noise nor other levels do."""
    with jax.enable_x64(True):
        step = _circular._Turn(lambda theta, t: t * theta)
        numbers = {"step": jnp.asarray(0.1), "beta": jnp.asarray(2.0)}
        turned = step(numbers, jnp.array([1.0]), jnp.zeros(1), jnp.asarray(number))
    np.testing.assert_allclose(turned, [1.0 - 0.1 * time], rtol=1e-12)
