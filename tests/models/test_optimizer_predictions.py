"""Stationary levels under other optimisers than plain SGD, in both models of the paper.

Each check allows four standard errors (false-alarm rate 6e-5) and the order that theory neglects.
"""

import numpy as np
import pytest

from sgdyson import GaussianRBM, TeacherStudent, simulate
from sgdyson.errors import NoPredictionError
from sgdyson.models import Model
from sgdyson.optimizers import SGD, Adam, HeavyBall, Muon, Nesterov, Optimizer
from sgdyson.spectra import multiplets, spacings
from sgdyson.stats import Estimate, mean_over_replicas

KERNEL = GaussianRBM.scalar_field(4, mass=1.0, rbm_mass=2.5).target_kernel


def mean_spacing(
    model: Model, optimizer: Optimizer, rate: float, *, batch: int, apart: int, replicas: int = 512
) -> tuple[Estimate, Estimate]:
    """<S> of the first pair, and the mean of its levels; a burn-in of four records' distance."""
    run = simulate(
        model, learning_rate=rate, batch_size=batch, replicas=replicas, updates=5 * apart,
        record_every=apart, record_from=4 * apart, seed=5, optimizer=optimizer, progress=False,
    )  # fmt: skip
    assert not run.diverged.any()
    levels = run.levels.values
    pair = next(g for g in multiplets(model.predict(rate, batch, optimizer).levels) if g.is_pair)
    own = levels[..., list(pair.indices)].mean(axis=2)
    return mean_over_replicas(spacings(levels, pair)), mean_over_replicas(own)


@pytest.mark.parametrize(
    ("optimizer", "rate", "apart"),
    [(SGD(0.3), 0.1, 50), (HeavyBall(0.8), 0.04, 30), (Nesterov(0.8, 0.1), 0.04, 30),
     (Adam(0.9, 0.99), 0.002, 800)],
)  # fmt: skip
def test_spacing_of_a_student(optimizer, rate, apart):
    model = TeacherStudent((2.0, 2.0), initial_width=0.3)
    spacing, _ = mean_spacing(model, optimizer, rate, batch=64, apart=apart, replicas=2048)
    theory = model.predict(rate, 64, optimizer)
    allowed = 4 * spacing.error + theory.next_order[0] * theory.mean_spacing[0]
    assert abs(spacing.value - theory.mean_spacing[0]) < allowed
    # taken for plain descent, or its noise for that of matrices without a preferred direction
    plain = model.predict(rate, 64).mean_spacing[0]
    isotropic = np.sqrt(np.pi) * theory.leading.width[0]
    wrong = isotropic if isinstance(optimizer, Adam) else plain
    assert abs(spacing.value - wrong) > allowed


def at_the_fixed_point(decay: float, sampler: str) -> GaussianRBM:
    modes, vectors = np.linalg.eigh(KERNEL)
    levels = np.maximum(2.5**2 - 1 / (1 / modes - decay), 0.01)
    return GaussianRBM(KERNEL, rbm_mass=2.5, sampler=sampler, gibbs_sweeps=1,
                       initial_weights=np.sqrt(levels)[:, None] * vectors.T)  # fmt: skip


@pytest.mark.parametrize(
    ("optimizer", "sampler"),
    [(SGD(0.05), "independent"), (HeavyBall(0.8, 0.05), "collapsed")],
)
def test_levels_of_an_rbm(optimizer, sampler):
    beta = getattr(optimizer, "momentum", 0.0)
    rate, batch = 0.02 * (1 - beta), 256
    model = at_the_fixed_point(0.05, sampler)
    theory = model.predict(rate, batch, optimizer)
    apart = round(2 * float(theory.relaxation_time[1]))
    spacing, mean = mean_spacing(model, optimizer, rate, batch=batch, apart=apart)
    allowed = 4 * spacing.error + theory.next_order[1] * theory.mean_spacing[1]
    assert abs(spacing.value - theory.mean_spacing[1]) < allowed
    level = (theory.levels + theory.mean_shift)[1]
    assert abs(mean.value - level) < 4 * mean.error + theory.next_order[1] * theory.mean_shift[1]
    without_decay = model.predict(rate, batch, HeavyBall(beta))
    assert abs(mean.value - without_decay.levels[1]) > 100 * mean.error
    if beta:
        plain = model.predict(rate, batch, SGD(0.05))
        assert abs(spacing.value - plain.mean_spacing[1]) > allowed


def test_weight_decay_of_an_rbm_is_another_target():
    # the gradient W (1/K_phi - C) - lambda W is that of the target with 1/K_phi - lambda
    other = np.linalg.inv(np.linalg.inv(KERNEL) - 0.1 * np.eye(4))
    same = GaussianRBM(other, rbm_mass=2.5).predict(0.01, 64)
    found = GaussianRBM(KERNEL, rbm_mass=2.5).predict(0.01, 64, SGD(0.1))
    learnt = found.learnt
    np.testing.assert_array_equal(learnt, same.learnt)
    for name in ("levels", "width", "mean_shift", "relaxation_time"):
        np.testing.assert_allclose(getattr(found, name)[learnt], getattr(same, name)[learnt],
                                   rtol=1e-6)  # fmt: skip


def test_momentum_scales_the_rate():
    for model in (GaussianRBM(KERNEL, rbm_mass=2.5), TeacherStudent((2.0, 1.0))):
        plain, heavy = model.predict(1e-5, 64), model.predict(1e-6, 64, HeavyBall(0.9))
        np.testing.assert_allclose(heavy.width, plain.width, rtol=1e-4)
        np.testing.assert_allclose(heavy.relaxation_time, plain.relaxation_time, rtol=1e-4)
        np.testing.assert_allclose(heavy.learning_curve(np.full(len(plain.levels), 0.5), [200_000]),
                                   plain.learning_curve(np.full(len(plain.levels), 0.5), [200_000]),
                                   rtol=1e-4)  # fmt: skip


def test_what_is_not_known_is_refused():
    with pytest.raises(NoPredictionError, match="Muon"):
        TeacherStudent((2.0, 2.0)).predict(0.1, 16, Muon())
    with pytest.raises(NoPredictionError, match="Adam"):
        GaussianRBM(KERNEL, rbm_mass=2.5).predict(0.1, 16, Adam())
    with pytest.raises(NoPredictionError, match="noise"):
        TeacherStudent((2.0, 2.0), label_noise=0.0).predict(0.1, 16, Adam())
