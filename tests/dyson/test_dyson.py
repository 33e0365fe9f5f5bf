"""Dyson Brownian motion: exact moments and laws, measured orders, order of the levels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2

from compared_levels import FALSE_ALARM, smallest_pvalue
from sgdyson.dyson import EigenvalueProcess, MatrixProcess, WishartProcess
from sgdyson.dyson._eigenvalues import next_levels
from sgdyson.dyson._scenes import edge_from_one_point
from sgdyson.ensembles import GaussianEnsemble, Laguerre, Quadratic, Quartic, WishartEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.spectra import finite_step, repulsion


class TestMatrices:
    @pytest.mark.parametrize("beta", [1, 2, 4])
    def test_the_stationary_law_and_its_memory(self, beta):
        process = MatrixProcess(4, beta, 0.7, friction=0.5)
        run = process.simulate([0.0, 0.8, 50.0], replicas=4000, seed=1)
        levels = run.levels.values[:, :, ::-1]
        expected = GaussianEnsemble(4, beta, 0.7).eigenvalues(4000, 2)
        other = GaussianEnsemble(4, {1: 2, 2: 1, 4: 2}[beta], 0.7).eigenvalues(4000, 2)
        for time in range(3):
            assert smallest_pvalue(levels[:, time], expected) > FALSE_ALARM
            assert smallest_pvalue(levels[:, time], other) < FALSE_ALARM
        # the trace is an Ornstein-Uhlenbeck process: correlation exp(-0.5 dt)
        trace = levels.sum(axis=2)
        found = np.corrcoef(trace.T)
        assert found[0, 1] == pytest.approx(np.exp(-0.4), abs=4 * 0.6 / np.sqrt(4000))
        assert abs(found[0, 2]) < 4 / np.sqrt(4000)

    def test_any_division_of_time_gives_one_law(self):
        process = MatrixProcess(3, 1)
        once = process.simulate([0, 1.0], replicas=4000, seed=1, initial_levels=[2, 0, -2])
        often = process.simulate(
            np.linspace(0, 1, 21), replicas=4000, seed=2, initial_levels=[2, 0, -2]
        )
        assert smallest_pvalue(once.levels[:, -1].values, often.levels[:, -1].values) > FALSE_ALARM
        assert smallest_pvalue(once.levels[:, -1].values, often.levels[:, 10].values) < FALSE_ALARM

    @pytest.mark.parametrize("beta", [1, 2, 4])
    def test_noise_relaxes_to_its_levels(self, beta):
        run = WishartProcess(3, 5, beta, width=0.6).simulate(
            [0, 0.3, 9], replicas=4000, seed=3, initial_levels=[1, 1, 1]
        )
        trace = run.levels.values.sum(axis=2)
        assert trace[:, 0] == pytest.approx(3)
        exact = 3 * np.exp(-0.6) + 15 * 0.36 * (1 - np.exp(-0.6))
        error = trace[:, 1].std() / np.sqrt(4000)
        assert abs(trace[:, 1].mean() - exact) < 4 * error
        final = run.levels.values[:, 2, ::-1] / 0.36
        assert (
            smallest_pvalue(final, WishartEnsemble(3, 5, beta).eigenvalues(4000, 4)) > FALSE_ALARM
        )
        assert (
            smallest_pvalue(final, WishartEnsemble(3, 6, beta).eigenvalues(4000, 4)) < FALSE_ALARM
        )


@jax.jit
def harmonic_levels(beta, step, levels, normal):
    return next_levels(Quadratic(), beta, 1.0, step, levels, normal)


class TestEigenvalues:
    def test_stationary_law_is_the_gas_and_the_matrix_process(self):
        process = EigenvalueProcess(Quadratic(0.5), beta=2)
        # unit of time: 0.25, the square of the width; a step of 1/100 of it
        run = process.simulate(
            [0.1, 0.0, -0.1], step=0.0025, steps=300, record_every=300, replicas=2048, seed=1
        )
        found = run.levels.values[:, -1, ::-1]
        gas = GaussianEnsemble(3, 2, 0.5).eigenvalues(2048, 2)
        matrix = MatrixProcess(3, 2, 0.5).simulate([0, 1], replicas=2048, seed=3)
        assert smallest_pvalue(found, gas) > FALSE_ALARM
        assert smallest_pvalue(found, matrix.levels.values[:, -1, ::-1]) > FALSE_ALARM
        assert (
            smallest_pvalue(found, GaussianEnsemble(3, 1, 0.5).eigenvalues(2048, 2)) < FALSE_ALARM
        )

    def test_a_gas_of_positive_levels(self):
        # Laguerre's potential, beta = 2, m - n = 1; the upper levels relax in a time of 4
        run = EigenvalueProcess(Laguerre(1.0, 1.0), beta=2).simulate(
            [1, 4, 9], step=0.02, steps=1000, record_every=1000, replicas=512, seed=1
        )
        found = run.levels.values[:, -1, ::-1]
        assert smallest_pvalue(found, WishartEnsemble(3, 4, 2).eigenvalues(2048, 2)) > FALSE_ALARM
        assert smallest_pvalue(found, WishartEnsemble(3, 5, 2).eigenvalues(2048, 2)) < FALSE_ALARM

    def test_the_virial_of_a_quartic_gas(self):
        # E sum x V'(x) = n + beta n(n-1)/2, whatever V
        run = EigenvalueProcess(Quartic(0.25), beta=1).simulate(
            [2, 1, -1, -2], step=0.004, steps=1200, record_every=300, replicas=384, seed=2
        )
        virial = (run.levels.values[:, 1:] ** 4).sum(axis=2).mean(axis=1)
        error = virial.std() / np.sqrt(384)
        assert abs(virial.mean() - 10) < 4 * error + 0.1  # 1 % for the step, 0.4 % of the time
        assert abs(virial.mean() - 13) > 4 * error + 0.1

    @pytest.mark.parametrize("beta", [1.0, 2.0, 4.0])
    @pytest.mark.parametrize("step", [1e-3, pytest.param(0.1, marks=pytest.mark.slow), 10.0])
    def test_levels_never_cross(self, beta, step):
        run = EigenvalueProcess(Quadratic(), beta).simulate(
            np.linspace(0, 0.05, 6), step=step, steps=50, replicas=256, seed=1
        )
        assert not run.diverged.any()
        assert (np.diff(run.levels.values, axis=2) < 0).all()

    def test_weak_order(self):
        # E sum x^2 = a + (b - a) exp(-2 t), a = n + beta n(n-1)/2, V = x^2/2
        start, end = np.array([1.5, 0.0, -1.5]), 1.0
        exact = 6 + (4.5 - 6) * np.exp(-2 * end)
        biases, errors = [], []
        for steps in (4, 8, 16):
            run = EigenvalueProcess(Quadratic(), 1).simulate(
                start,
                step=end / steps,
                steps=steps,
                record_every=steps,
                replicas=40_000,
                seed=steps,
            )
            squares = (run.levels.values[:, -1] ** 2).sum(axis=1)
            biases.append(exact - squares.mean())
            errors.append(squares.std() / np.sqrt(len(squares)))
        for coarse, fine, error in zip(biases, biases[1:], errors[1:], strict=False):
            assert coarse > 10 * error
            # order one: half the step, half the bias, but for the order after it
            assert abs(fine / coarse - 0.5) < 4 * error / coarse * 1.2 + 0.1

    def test_strong_order(self):
        end, finest, paths = 0.5, 1024, 256
        noise = np.random.default_rng(5).standard_normal((paths, finest, 3))
        start = jnp.array([1.5, 0.0, -1.5])

        def final(steps: int) -> np.ndarray:
            summed = noise.reshape(paths, steps, finest // steps, 3).sum(2) / np.sqrt(
                finest / steps
            )

            def path(numbers):
                def one(levels, number):
                    return next_levels(Quadratic(), 4, 1.0, end / steps, levels, number), None

                return jax.lax.scan(one, start.astype(float), numbers)[0]

            with jax.enable_x64(True):
                return np.asarray(jax.jit(jax.vmap(path))(summed))

        with jax.enable_x64(True):
            start = jnp.array([1.5, 0.0, -1.5])
        reference = final(finest)
        steps = np.array([8, 16, 32, 64])
        error = [np.sqrt(((final(n) - reference) ** 2).mean()) for n in steps]
        slope = -np.polyfit(np.log(steps), np.log(error), 1)[0]
        assert 0.85 < slope < 1.25  # additive noise: order one where levels keep apart

    def test_a_replica_is_the_same_in_every_ensemble(self):
        process = EigenvalueProcess(Quadratic(), 1)
        few = process.simulate([1, 0], step=0.1, steps=5, replicas=3, seed=4)
        many = process.simulate([1, 0], step=0.1, steps=5, replicas=300, seed=4)
        np.testing.assert_array_equal(few.levels, many.levels[:3])
        other = process.simulate([1, 0], step=0.1, steps=5, replicas=3, seed=5)
        assert not np.array_equal(few.levels[:, 1:], other.levels[:, 1:])
        matrices = MatrixProcess(2).simulate([0, 1], replicas=5, seed=4)
        np.testing.assert_array_equal(
            matrices.levels[:2], MatrixProcess(2).simulate([0, 1], replicas=2, seed=4).levels
        )

    @pytest.mark.parametrize("levels", [2, 30, 200])
    @pytest.mark.parametrize("apart", [1e-9, 1e-2, 10.0])
    @pytest.mark.parametrize("step", [1e-5, 0.01, 10.0])
    def test_a_step_is_solved_from_any_start(self, levels, apart, step):
        """y = x + noise + h [beta sum 1/(y_i - y_j) - y_i], to rounding, in order."""
        beta, start = 2.0, apart * np.arange(levels, dtype=float)[::-1]
        noise = np.random.default_rng(1).standard_normal(levels)
        with jax.enable_x64(True):
            y = np.array(harmonic_levels(beta, step, start, noise))
        assert (np.diff(y) < 0).all()

        def off(y):
            """The residual in units of what a Newton step below 1e-9 of every gap leaves."""
            gaps = y[:, None] - y + np.diag(np.full(levels, np.inf))
            pushes = step * beta / gaps
            residual = (1 + step) * y - start - np.sqrt(2 * step) * noise - pushes.sum(axis=1)
            return np.abs(residual) / (1e-8 * np.abs(pushes).sum(axis=1) + 1e-12 * (1 + np.abs(y)))

        assert (off(y) < 1).all()
        middle = levels // 2
        y[middle] += 1e-6 * (y[middle - 1] - y[middle])  # power: off by a millionth of one gap
        assert (off(y) > 1).any()

    def test_many_levels_out_of_one_point(self):
        """E sum x^2 = (n + beta n(n-1)/2)(1 - exp(-2t)), at both times, of first order in the step.

        Twice the finer run less the coarser one has no bias of that order.
        """
        n, beta, times = 100, 2.0, np.array([0.2, 0.4])
        means, errors = [], []
        for steps in (100, 200):
            run = EigenvalueProcess(Quadratic(), beta).simulate(
                1e-6 * np.arange(n), step=0.4 / steps, steps=steps, record_every=steps // 2,
                replicas=32, seed=steps,
            )  # fmt: skip
            squares = (run.levels.values[:, 1:] ** 2).sum(axis=2)
            means.append(squares.mean(axis=0))
            errors.append(squares.std(axis=0) / np.sqrt(32))
        exact = (n + beta * n * (n - 1) / 2) * -np.expm1(-2 * times)
        allowed = 4 * np.hypot(errors[0], 2 * errors[1])
        assert (np.abs(2 * means[1] - means[0] - exact) < allowed + 0.003 * exact).all()
        assert (np.abs(means[0] - exact) > allowed).any()  # the bias itself is seen
        # Tracy and Widom: the mean of the largest is 0.886 n^(-2/3) of the radius below the edge
        largest = run.levels.values[:, 1:, 0].mean(axis=0) / edge_from_one_point(times, n, beta)
        assert np.abs(largest - (1 - 0.886 * n ** (-2 / 3))).max() < 0.02

    @pytest.mark.usefixtures("compiled_as_written")
    def test_programs_are_kept_for_other_numbers_and_no_function_of_ones_own(self):
        """Step, beta and noise are arguments; what a function reads may change between two runs."""
        how = {"step": 0.1, "steps": 5, "replicas": 3, "seed": 4, "progress": False}
        own = {"stiffness": 1.0}
        process = EigenvalueProcess(lambda x: own["stiffness"] * x**2 / 2, 2.0)
        soft = process.simulate([1, 0], **how).levels
        own["stiffness"] = 3.0
        stiff = process.simulate([1, 0], **how).levels
        for levels, width in ((soft, 1.0), (stiff, 3**-0.5)):
            ours = EigenvalueProcess(Quadratic(width), 2.0).simulate([1, 0], **how).levels
            np.testing.assert_allclose(levels, ours, rtol=1e-12)
        for change in ({"beta": 1.0}, {"noise": 0.5}):
            process = EigenvalueProcess(Quadratic(), **change)
            ours = process.simulate([1, 0], **how).levels
            alone = EigenvalueProcess(lambda x: x**2 / 2, **change).simulate([1, 0], **how).levels
            np.testing.assert_allclose(ours, alone, rtol=1e-12)
            late = process.simulate([1, 0], **how | {"step": 0.2}).levels
            assert (np.abs(late - ours)[:, 1:] > 1e-6).all()

    def test_a_replica_of_many_levels_is_the_same_in_every_ensemble(self):
        process, start = EigenvalueProcess(Quadratic(), 1), np.linspace(-1, 1, 70)
        how = {"step": 0.01, "steps": 4, "seed": 4}
        few = process.simulate(start, replicas=1, **how)
        many = process.simulate(start, replicas=3, **how)
        np.testing.assert_array_equal(few.levels, many.levels[:1])
        rare = process.simulate(start, replicas=1, record_every=4, **how)
        np.testing.assert_array_equal(rare.levels, few.levels[:, ::4])

    @pytest.mark.usefixtures("compiled_as_written")
    def test_settings_of_the_user_change_no_number(self):
        """Nor do they stop at the NaN of a step without solution."""
        process = EigenvalueProcess(Quadratic(), 1)
        how = {"step": 0.1, "steps": 3, "replicas": 2, "seed": 4}
        plain = process.simulate([1, 0], **how)
        with jax.debug_nans(True), jax.default_prng_impl("rbg"), jax.threefry_partitionable(False):
            np.testing.assert_array_equal(process.simulate([1, 0], **how).levels, plain.levels)
            lost = EigenvalueProcess(Quartic(0.0, -100.0), 1).simulate([1, -1], **how)
        assert lost.diverged.all()

    def test_a_step_without_solution_is_flagged(self):
        # V = -50 x^2: not convex, the step too long
        run = EigenvalueProcess(Quartic(0.0, -100.0), 1).simulate(
            [1, -1], step=0.1, steps=3, replicas=4, seed=0
        )
        assert run.diverged.all()


def goe_step(**changes):
    values = {"step": 0.1, "steps": 2, "replicas": 1, "seed": 0} | changes
    return EigenvalueProcess(Quadratic()).simulate(values.pop("start", [1, 0]), **values)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: EigenvalueProcess(Quadratic(), beta=0.5), r"beta = 0\.5.*collide"),
        (lambda: EigenvalueProcess(3.0), r"potential = 3\.0"),
        (lambda: goe_step(start=[1, 1]), "differ"),
        (lambda: goe_step(start=[1, np.nan]), "finite"),
        (lambda: goe_step(step=0.0), r"step = 0\.0"),
        (lambda: goe_step(record_every=3), "record_every = 3"),
        (lambda: goe_step(replicas=0), "replicas = 0"),
        (lambda: MatrixProcess(2, beta=3), "beta = 3"),
        (lambda: MatrixProcess(2, friction=-1.0), r"friction = -1\.0"),
        (lambda: MatrixProcess(2).simulate([1, 0], replicas=1, seed=0), "rising"),
        (lambda: MatrixProcess(2, width="a"), "width = 'a'"),
        (lambda: WishartProcess(3, 2), "m = 2"),
        (lambda: WishartProcess(2, 2**31 - 1).simulate(range(9), replicas=1, seed=0), "memory"),
    ],
)
def test_bad_arguments_are_named(make, named):
    with pytest.raises(InvalidInputError, match=named):
        make()


@pytest.fixture(scope="module")
def spacing():
    run = EigenvalueProcess(Quadratic(), 1).simulate(
        [-1.0, 1.0], step=0.002, steps=2000, record_every=5, replicas=512, seed=3,
        progress=False,
    )  # fmt: skip
    levels = run.levels.values[:, 100:]
    return levels[..., 0] - levels[..., 1]


class TestRepulsion:
    """The steps of a simulated pair show the force that went in: 2/S - S and 4 per unit time."""

    def test_drift_and_diffusion_are_those_of_dyson(self, spacing):
        """dx = (1/S - x) dt + sqrt 2 dB for each level: g^2 = 1, gamma = 1."""
        force = repulsion(spacing, np.linspace(0.3, 4.0, 16), interval=0.01)
        drift, diffusion = finite_step(force, 1.0, 1.0)
        assert chi2.sf(np.sum(((force.drift - drift) / force.drift_error) ** 2), 15) > 1e-3
        pull = (force.diffusion - diffusion) / force.diffusion_error
        assert chi2.sf(np.sum(pull**2), 15) > 1e-3

    def test_no_other_strength_would_pass(self, spacing):
        """Power: a force a third weaker is rejected by the same test."""
        force = repulsion(spacing, np.linspace(0.3, 4.0, 16), interval=0.01)
        drift, _ = finite_step(force, 0.67, 1.0)
        assert chi2.sf(np.sum(((force.drift - drift) / force.drift_error) ** 2), 15) < 1e-6
