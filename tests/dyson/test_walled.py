"""Levels between walls: exact moments, matrices, ensembles, and walls that are never reached."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.dyson import JacobiProcess, LaguerreProcess, WishartProcess
from sgdyson.ensembles import JacobiEnsemble, WishartEnsemble
from sgdyson.errors import InvalidInputError


def last(process, start, end, steps, replicas, seed=1):
    run = process.simulate(
        start, step=end / steps, steps=steps, record_every=steps, replicas=replicas, seed=seed,
        progress=False,
    )  # fmt: skip
    assert not run.diverged.any()
    return run.levels.values[:, -1]


def without_bias(process, start, end, replicas, seen):
    """Means and errors at two steps, the bias of first order taken away."""
    values = [seen(last(process, start, end, n, replicas, seed=n)) for n in (16, 32)]
    errors = [x.std(axis=0) / np.sqrt(replicas) for x in values]
    return 2 * values[1].mean(axis=0) - values[0].mean(axis=0), np.hypot(errors[0], 2 * errors[1])


class TestJacobi:
    @pytest.mark.parametrize(("m1", "m2", "beta"), [(4, 5, 1.0), (3, 4, 2.0), (5, 3, 4.0)])
    def test_it_comes_to_rest_in_the_ensemble(self, m1, m2, beta):
        found = last(JacobiProcess(m1, m2, beta), [0.2, 0.5, 0.6], 1.5 / beta, 100, 512)[:, ::-1]
        gas = JacobiEnsemble(3, m1, m2, beta).eigenvalues(4000, 2)
        assert smallest_pvalue(found, gas) > FALSE_ALARM
        other = JacobiEnsemble(3, m2 + 1, m1, beta).eigenvalues(4000, 2)
        assert smallest_pvalue(found, other) < FALSE_ALARM

    def test_moments(self):
        """The generator closes on 1, p_1, p_2 and p_1^2, p_k = sum x^k:

        L p_1 = b (n m1 - m p_1)/2, L p_1^2 = b p_1 (n m1 - m p_1) + 2 (p_1 - p_2) and
        L p_2 = 2 (p_1 - p_2) + b [m1 p_1 - m p_2 + (n - 1) p_1 - p_1^2 + p_2], m = m1 + m2.
        """
        n, m1, m2, b, end, start = 3, 3.5, 4.0, 2.5, 0.1, np.array([0.95, 0.9, 0.8])
        m = m1 + m2
        generator = np.array(
            [
                [0, 0, 0, 0],
                [b * n * m1 / 2, -b * m / 2, 0, 0],
                [0, 2 + b * (m1 + n - 1), -2 - b * (m - 1), -b],
                [0, 2 + b * n * m1, -2, -b * m],
            ]
        )
        first = np.array([1, start.sum(), start @ start, start.sum() ** 2])
        exact = (expm(end * generator) @ first)[1:]

        def seen(x):
            return np.stack([x.sum(axis=1), (x**2).sum(axis=1), x.sum(axis=1) ** 2], axis=1)

        found, errors = without_bias(JacobiProcess(m1, m2, b), start, end, 4_000, seen)
        assert (np.abs(found - exact) < 4 * errors + 0.002 * exact).all()
        weaker = (expm(0.9 * end * generator) @ first)[1:]  # power: a tenth slower
        assert (np.abs(found - weaker) > 4 * errors + 0.002 * exact).any()

    def test_a_corner_of_a_unitary_matrix(self):
        """U' = U exp(i H) with <|H_ij|^2> = h: in half the time of the circular process."""
        n, m1, size, end, steps, replicas = 2, 3, 6, 0.1, 40, 1500
        start = np.array([0.8, 0.3])
        first = np.eye(size, dtype=complex)
        for i, x in enumerate(start):
            pair = np.ix_([i, m1 + i], [i, m1 + i])
            first[pair] = [[np.sqrt(x), np.sqrt(1 - x)], [-np.sqrt(1 - x), np.sqrt(x)]]
        u, random = np.tile(first, (replicas, 1, 1)), np.random.default_rng(7)
        for _ in range(steps):
            g = random.standard_normal((2, replicas, size, size)) * np.sqrt(end / steps) / 2
            h = g[0] + 1j * g[1]
            values, vectors = np.linalg.eigh(h + h.conj().mT)
            u = u @ (vectors * np.exp(1j * values)[:, None, :]) @ vectors.conj().mT
        expected = np.linalg.svd(u[:, :n, :m1], compute_uv=False) ** 2
        found = last(JacobiProcess(m1, size - m1, 2.0), start, end, 60, 1500)
        assert smallest_pvalue(found, expected) > FALSE_ALARM
        wrong = last(JacobiProcess(m1, size - m1 - 1, 2.0), start, end, 60, 1500)
        assert smallest_pvalue(wrong, expected) < FALSE_ALARM


class TestLaguerre:
    @pytest.mark.parametrize("beta", [1, 4])
    def test_it_moves_as_noise_does(self, beta):
        start, end = [1.0, 0.6, 0.1], 0.3
        exact = WishartProcess(3, 5, beta, 0.6, 0.8).simulate(
            [0, end], replicas=1500, seed=3, initial_levels=start
        )
        found = last(LaguerreProcess(5, beta, 0.6, 0.8), start, end, 80, 1500)
        assert smallest_pvalue(found, exact.levels.values[:, -1]) > FALSE_ALARM
        wrong = last(LaguerreProcess(6, beta, 0.6, 0.8), start, end, 80, 1500)
        assert smallest_pvalue(wrong, exact.levels.values[:, -1]) < FALSE_ALARM

    def test_it_comes_to_rest_in_the_ensemble(self):
        found = last(LaguerreProcess(4, 2.5, 0.5), [1.0, 0.6, 0.1], 2.5, 120, 512)[:, ::-1]
        gas = 0.25 * WishartEnsemble(3, 4, 2.5).eigenvalues(4000, 2)
        assert smallest_pvalue(found, gas) > FALSE_ALARM
        other = 0.25 * WishartEnsemble(3, 4, 1.0).eigenvalues(4000, 2)
        assert smallest_pvalue(found, other) < FALSE_ALARM

    def test_the_trace(self):
        """E sum x comes to n m sigma^2 at the rate 2 gamma, for every beta and real m."""
        start, process = [1.0, 0.6, 0.1], LaguerreProcess(4.5, 3.0, 0.6, 0.8)
        decay, rest = np.exp(-1.6 * 0.3), 3 * 4.5 * 0.36
        exact = 1.7 * decay + rest * (1 - decay)
        found, error = without_bias(process, start, 0.3, 6_000, lambda x: x.sum(axis=1))
        assert abs(found - exact) < 4 * error + 0.002 * exact
        assert abs(found - 1.05 * exact) > 4 * error + 0.002 * exact


ENDS = {
    "jacobi, low": (JacobiProcess(6, 6, 2.0), 1e-9 * np.arange(1, 7)),
    "jacobi, high": (JacobiProcess(7, 7, 1.0), 1 - 1e-6 * np.arange(1, 7)),
    "jacobi, strong": (JacobiProcess(60, 6, 4.0), np.linspace(0.1, 0.11, 6)),
    "laguerre, low": (LaguerreProcess(7, 1.0), 1e-12 * np.arange(1, 7)),
    "laguerre, point": (LaguerreProcess(6, 2.0), 5 + 1e-9 * np.arange(6)),
}


@pytest.mark.parametrize("step", [1e-5, pytest.param(1e-2, marks=pytest.mark.slow), 3.0])
@pytest.mark.parametrize(("process", "start"), ENDS.values(), ids=ENDS)
def test_walls_and_neighbours_are_never_reached(process, start, step):
    run = process.simulate(start, step=step, steps=30, replicas=64, seed=1, progress=False)
    levels = run.levels.values
    assert not run.diverged.any()
    assert (np.diff(levels, axis=2) < 0).all()
    assert (levels > 0).all()
    if isinstance(process, JacobiProcess):
        assert (levels < 1).all()


@pytest.mark.parametrize(("process", "start"), ENDS.values(), ids=ENDS)
def test_a_step_is_solved(process, start):
    """y = z + h [force of levels and images - V'(y)], to rounding."""
    n, step = len(start), 0.01
    stepper, numbers = process._walls(n)
    noise, numbers = numbers["noise"], {"beta": process.beta, "step": step, **numbers}
    first = process._coordinates(np.sort(start)[::-1])
    normal = np.random.default_rng(1).standard_normal(n)
    z = first + np.sqrt(2 * step) * noise * normal
    with jax.enable_x64(True):
        y = np.array(jax.jit(stepper)(numbers, first, normal, 0))
        wall = np.asarray(
            jax.grad(lambda y: stepper.potential(y, numbers).sum())(jnp.asarray(y))
        )  # fmt: skip

    def push(d):
        return 1 / d if isinstance(process, LaguerreProcess) else 0.5 / np.tan(d / 2)

    def off(y):
        off_diagonal = ~np.eye(n, dtype=bool)
        near = np.where(off_diagonal, push(y[:, None] - y + 5 * np.eye(n)), 0.0)
        image = np.where(off_diagonal, push(y[:, None] + y), 0.0)
        unit = step * process.beta * noise**2
        residual = y - z + step * wall - unit * (near + image).sum(axis=1)
        size = unit * (np.abs(near) + np.abs(image)).sum(axis=1) + step * np.abs(wall)
        return np.abs(residual) / (1e-8 * size + 1e-12 * (1 + np.abs(y)))

    assert (off(y) < 1).all()
    y[2] += 1e-4 * (y[1] - y[2])
    assert (off(y) > 1).any()


def test_a_replica_is_the_same_in_every_ensemble():
    process = JacobiProcess(3, 3, 2.0)
    few, many = (last(process, [0.3, 0.6], 0.1, 4, n, seed=4) for n in (2, 270))
    np.testing.assert_array_equal(few, many[:2])


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (lambda: JacobiProcess(3, 3, 0.5), r"beta = 0\.5.*collide"),
        (lambda: JacobiProcess(0, 3), "m1 = 0 must be a positive"),
        (lambda: last(JacobiProcess(3, 4, 1.0), [0.1, 0.2, 0.3], 1, 2, 1), "m1 = 3 .* 4 for 3"),
        (lambda: last(JacobiProcess(4, 3, 1.0), [0.1, 0.2, 0.3], 1, 2, 1), "m2 = 3 .* 4 for 3"),
        (lambda: last(JacobiProcess(3, 3, 2.0), [0.0, 0.5], 1, 2, 1), "between 0 and 1"),
        (lambda: last(JacobiProcess(3, 3, 2.0), [0.1, 1.5], 1, 2, 1), "between 0 and 1"),
        (lambda: last(JacobiProcess(3, 3, 2.0), [0.1, 0.1], 1, 2, 1), "differ"),
        (lambda: LaguerreProcess(3, width=-1.0), r"width = -1\.0"),
        (
            lambda: last(LaguerreProcess(2, 1.0), [1, 2], 1, 2, 1),
            "m = 2 .* 3 for 2 .*WishartProcess",
        ),
        (lambda: last(LaguerreProcess(3, 1.0), [-1, 2], 1, 2, 1), "positive"),
    ],
)
def test_bad_arguments_are_named(act, named):
    with pytest.raises(InvalidInputError, match=named):
        act()
