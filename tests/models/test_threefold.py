"""Real, complex and quaternion weights: moments, spacings and means, each told from the other two.

Numbers are held to four of their errors, one false alarm in 16 000 each; p-values to 1e-3.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import GaussianRBM, TeacherStudent, simulate
from sgdyson.analysis import measure
from sgdyson.ensembles import GaussianEnsemble
from sgdyson.errors import InvalidInputError, NoPredictionError
from sgdyson.models import LevelLaw, Model, scalar_field_kernel
from sgdyson.models._bartlett import wishart_factor
from sgdyson.models._numbers import Numbers, dagger
from sgdyson.models._teacher_prediction import _unit_moments
from sgdyson.optimizers import Adam, HeavyBall
from sgdyson.spectra import levels_of_gram, levels_of_weights
from sgdyson.stats import ks_test, wigner_ks_test

BETAS = (1, 2, 4)
RATE, BATCH = 0.5, 8  # far from small steps


def components(weights: np.ndarray, beta: int) -> np.ndarray:
    """Real components of the entries of the complex form, (..., component, row, column)."""
    n = weights.shape[-1] // (2 if beta == 4 else 1)
    first, second = weights[..., :n, :n], weights[..., :n, n:]
    parts = {1: [first], 2: [first.real, first.imag],
             4: [first.real, first.imag, second.real, second.imag]}  # fmt: skip
    return np.stack(parts[beta], axis=-3)


@pytest.fixture(scope="module")
def student():
    """Fluctuations of a student far from small steps, by beta: (replica, time, component, 2, 2)."""
    found = {}
    for beta in BETAS:
        model = TeacherStudent((2.0, 2.0), beta=beta)
        run = simulate(model, learning_rate=RATE, batch_size=BATCH, replicas=1024, updates=80,
                       record_from=40, record_every=8, seed=1, record_weights=True,
                       progress=False)  # fmt: skip
        delta = components(run.weights.values[:, 1:], beta)
        delta[..., 0, :, :] -= 2 * np.eye(2)
        found[beta] = run, delta * (BATCH / RATE) ** 0.5 / model.label_noise
    return found


def moments(delta: np.ndarray) -> np.ndarray:
    """Of each replica: |d_ij|^2, d_ij d_ji, the two of the diagonal, its mean product."""
    square = (delta**2).sum(axis=-3)
    sign = np.where(np.arange(delta.shape[-3]) == 0, 1.0, -1.0)
    mirrored = (delta[..., 0, 1] * delta[..., 1, 0]) @ sign
    real = delta[..., 0, :, :]
    imaginary = (delta[..., 1:, :, :] ** 2).sum(axis=-3)
    each = [(square[..., 0, 1] + square[..., 1, 0]) / 2, mirrored,
            (real[..., 0, 0] ** 2 + real[..., 1, 1] ** 2) / 2,
            (imaginary[..., 0, 0] + imaginary[..., 1, 1]) / 2,
            real[..., 0, 0] * real[..., 1, 1]]  # fmt: skip
    return np.stack([part.mean(axis=1) for part in each], axis=1)


@pytest.mark.parametrize("beta", BETAS)
def test_second_moments_of_a_student_are_exact(student, beta):
    found = moments(student[beta][1])
    mean, error = found.mean(axis=0), found.std(axis=0) / len(found) ** 0.5

    def off(of: int) -> np.ndarray:
        unit = _unit_moments(None, RATE, 2, BATCH, of)
        theory = [unit.entry, unit.mirrored, unit.real, unit.imaginary, unit.common]
        scale = BATCH / RATE
        return (mean - scale * np.array(theory)) / np.maximum(error, 1e-9)

    assert (np.abs(off(beta)) < 4).all(), off(beta)
    for other in BETAS:
        assert other == beta or (np.abs(off(other)) > 4).any()


@pytest.mark.parametrize("beta", BETAS)
def test_spacings_repel_as_their_beta_and_as_no_other(student, beta):
    run, _ = student[beta]
    model = TeacherStudent((2.0, 2.0), beta=beta)
    (part,) = measure("run", run, model, burn_in=8).multiplets
    assert abs(part.pair.mean.value - part.predicted_spacing) < (
        4 * part.pair.mean.error + part.theory_errors.spacing
    )
    # one record of each replica: independent samples
    pvalues = {b: wigner_ks_test(part.pair.spacing[:, -1], b).pvalue for b in BETAS}
    assert pvalues.pop(beta) > 1e-3
    assert max(pvalues.values()) < 1e-3
    second = part.pair.second_moment
    kurtosis = part.next_order / 4  # of the weights, which the surmise knows nothing of
    assert abs(second.value - part.pair.surmise.var() - 1) < 4 * second.error + kurtosis
    upper = run.levels.values[:, -1, 0]
    for other in BETAS:
        theory = TeacherStudent((2.0, 2.0), beta=other).predict(RATE, BATCH)
        law = LevelLaw(theory.sample_levels(2**14)[:, :1], other)
        assert (ks_test(upper, law.cdf).pvalue > 1e-3) is (other == beta)


@pytest.mark.parametrize("beta", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_an_rbm_of_complex_and_quaternion_weights(beta):
    """Spacing, single widths and means, the chain's memory and mean shifts among them."""
    modes, vectors = np.linalg.eigh(scalar_field_kernel(4, 1.5))
    learnt = np.sqrt(9 - modes)[:, None] * vectors.T
    model = GaussianRBM.scalar_field(4, mass=1.5, beta=beta, gibbs_sweeps=2,
                                     initial_weights=learnt)  # fmt: skip
    run = simulate(model, learning_rate=0.1, batch_size=24, replicas=192, updates=1500,
                   record_from=250, record_every=50, seed=2, progress=False)  # fmt: skip
    found = measure("run", run, model, burn_in=50)

    def off(theory) -> np.ndarray:
        values = []
        for part in found.multiplets:
            first = part.indices[0]
            predicted = theory.levels[first] + theory.mean_shift[first]
            values.append((part.mean.value - predicted) / (4 * part.mean.error + 0.002))
            measured = part.pair.mean if part.pair else part.width
            predicted = theory.mean_spacing[first] if part.pair else theory.width[first]
            values.append((measured.value - predicted) / (4 * measured.error + 0.03 * predicted))
        return np.abs(values)

    assert (off(found.prediction) < 1).all(), off(found.prediction)
    others = [GaussianRBM.scalar_field(4, mass=1.5, beta=b, gibbs_sweeps=2) for b in BETAS]
    for other in others:
        wrong = off(other.predict(0.1, 24))
        assert other.beta == beta or (wrong > 1).sum() >= 2, wrong


def test_a_quaternion_is_a_pair_of_complex_numbers():
    """Products stay quaternions, roots are those of quaternions, each level comes twice."""
    numbers = Numbers(4)

    def calculated(first, second, keys):
        a, b = (numbers.normals(key, (3, 3)) for key in (first, second))
        product, gram = a @ b, a @ dagger(a)
        root = numbers.cholesky(gram)
        wishart = jax.vmap(lambda key: wishart_factor(key, 3, 5, 4))(keys)
        exact = [numbers.exact(m) for m in (product, root)]
        return product, gram, root, root @ dagger(root), exact, wishart @ wishart.conj().mT

    with jax.enable_x64(True):
        keys = [jax.random.key(k) for k in (0, 1)]
        product, gram, root, back, again, wishart = jax.tree.map(
            np.asarray, jax.jit(calculated)(*keys, jax.random.split(jax.random.key(2), 4000))
        )
    average = wishart.mean(axis=0)
    np.testing.assert_allclose(again[0], product, atol=1e-12)
    np.testing.assert_allclose(again[1], root, atol=1e-12)
    np.testing.assert_allclose(back, gram, atol=1e-12)
    levels = np.linalg.svd(product, compute_uv=False)
    np.testing.assert_allclose(levels[::2], levels[1::2], rtol=1e-12)
    np.testing.assert_allclose(numbers.levels(np.asarray(product)), levels[::2] ** 2, rtol=1e-9)
    assert np.abs(average - 5 * np.eye(6)).max() < 5 * (5 / 4000) ** 0.5
    assert np.abs(average - 5.3 * np.eye(6)).max() > 5 * (5 / 4000) ** 0.5


@pytest.mark.parametrize("beta", [2, 4])
def test_weights_of_quaternions_stay_quaternions(student, beta):
    weights = student[4][0].weights.values
    n = weights.shape[-1] // 2
    np.testing.assert_array_equal(weights[..., n:, n:], weights[..., :n, :n].conj())
    np.testing.assert_array_equal(weights[..., n:, :n], -weights[..., :n, n:].conj())
    assert np.abs(student[2][0].weights.values.imag).max() > 0.01
    # the law of matrices that a prediction draws: each level once, and as many as there are modes
    model = TeacherStudent((2.0, -2.0, 1.0), beta=beta)
    assert model.predict(0.1, 8).sample_levels(512).shape == (512, 3)
    assert model.predict(0.1, 8, HeavyBall(0.5)).mean_level.shape == (3,)


@pytest.mark.parametrize("beta", [2, 4])
def test_drawn_moments_are_those_that_go_in(beta):
    theory = TeacherStudent((2.0, 2.0), label_noise=1.0, beta=beta).predict(RATE, BATCH)
    weights = theory._matrix.apply(lambda w: w, 2**14, 0)
    delta = components(weights, beta)[:, None]
    delta[:, :, 0] -= 2 * np.eye(2)
    unit = _unit_moments(None, RATE, 2, BATCH, beta)
    expected = [unit.entry, unit.mirrored, unit.real, unit.imaginary, unit.common]
    np.testing.assert_allclose(moments(delta).mean(axis=0), expected, rtol=0.02, atol=0.01)


@pytest.mark.parametrize("n_hidden", [3, 2])
def test_the_mean_of_a_complex_gram_matrix_is_that_of_the_theory(n_hidden):
    theory = GaussianRBM(np.diag([1.0, 2.0, 3.0]), rbm_mass=2.5, n_hidden=n_hidden, beta=2,
                         sampler="independent").predict(0.02, 16)  # fmt: skip
    gram = theory._matrix.apply(lambda w: w.conj().mT @ w, 2**14, 0)
    leading, learnt = theory.leading, slice(0, n_hidden)
    np.testing.assert_allclose(
        gram.mean(axis=0).diagonal().real[learnt], (leading.levels + leading.drift_shift)[learnt],
        rtol=1e-3,
    )  # fmt: skip
    spread = (np.abs(gram - gram.mean(axis=0)) ** 2).mean(axis=0)[learnt]
    np.testing.assert_allclose(spread, leading.covariance[learnt], rtol=0.05)


def test_complex_weights_of_a_loss_of_ones_own_descend():
    """|W - T|^2 with a complex T: the wrong conjugate would never get there."""
    target = np.array([[2.0 + 1.0j, 0.5j], [-0.5j, 1.0 - 0.3j]])

    def loss(weights, batch):
        return jnp.sum(jnp.abs(weights["w"] - target) ** 2) * batch.mean()

    model = Model.from_loss(
        loss, lambda key: {"w": jax.random.normal(key, (2, 2), complex)}, np.ones(4)
    )
    assert model.beta == 2
    run = simulate(model, learning_rate=0.1, batch_size=2, replicas=2, updates=100,
                   record_every=100, seed=0, record_weights=True, progress=False)  # fmt: skip
    np.testing.assert_allclose(run.weights_w.values[:, -1], [target, target], atol=1e-6)
    expected = np.linalg.svd(target, compute_uv=False)
    np.testing.assert_allclose(run.levels.values[:, -1], [expected, expected], rtol=1e-6)
    with jax.enable_x64(True):
        wrong = jax.grad(loss)({"w": jnp.zeros((2, 2), complex)}, jnp.ones(2))["w"]
        right, _ = model.gradient(jax.random.key(0), {"w": jnp.zeros((2, 2), complex)}, (), 2)
    np.testing.assert_allclose(right["w"], -2 * target)
    assert np.abs(np.asarray(wrong) + 2 * target).max() > 1


def test_levels_of_complex_matrices():
    w = GaussianEnsemble(3, 2).matrices(5, 0) @ GaussianEnsemble(3, 2).matrices(5, 1)[..., :2]
    expected = np.linalg.eigvalsh(w.conj().mT @ w)[:, ::-1]
    np.testing.assert_allclose(levels_of_weights(w), expected, rtol=1e-9)
    np.testing.assert_allclose(levels_of_gram(w), expected, rtol=1e-9)
    assert np.abs(levels_of_gram(w.real) / expected - 1).max() > 0.1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: TeacherStudent((2.0, 2.0), beta=3), "beta = 3"),
        (lambda: GaussianRBM.scalar_field(4, beta=0), "beta = 0"),
        (lambda: GaussianRBM(np.eye(2) + 0j, rbm_mass=2.0, beta=4), "complex"),
        (lambda: TeacherStudent(np.eye(2) + 0j), "beta = 2"),
        (lambda: TeacherStudent((2.0, 2.0), beta=2).predict(0.1, 4, Adam()), "real weights"),
        (lambda: GaussianRBM.scalar_field(4, beta=2).predict(0.1, 16).at_order(2), "beta = 2"),
        (lambda: TeacherStudent((2.0, 2.0), beta=2, data="quenched", shared_inputs=True)
         .predict_quenched(0.1, 16), "real weights"),
        (lambda: wigner_ks_test(np.ones(50), beta=3), "beta = 3"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(call, named):
    with pytest.raises((InvalidInputError, NoPredictionError), match=named):
        call()
