"""Potentials that are refused, in a sentence and before anything is compiled."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson.dyson import EigenvalueProcess, _ensemble
from sgdyson.ensembles import Laguerre, Quadratic
from sgdyson.errors import InvalidInputError

UNTRACED = "must be written with jax.numpy"


def run(potential, start=(1.0, -1.0)):
    return EigenvalueProcess(potential).simulate(
        start, step=0.1, steps=1, replicas=1, seed=0, progress=False
    )


REFUSED = {
    "numpy": (lambda x: np.asarray(x) ** 2 / 2, UNTRACED),
    "a function of numpy": (lambda x: np.sin(x), UNTRACED),
    "numpy.where": (lambda x: np.where(x > 0, x, 0), UNTRACED),
    "numpy.linalg": (lambda x: np.linalg.norm(x) * x, UNTRACED),
    "math of each": (lambda x: jnp.array([math.sin(y) for y in x]), UNTRACED),
    "math": (lambda x: math.sin(x), r"failed on an array of 2 levels \(TypeError.*jax.numpy"),
    "floats": (lambda x: np.array([float(y) for y in x]), UNTRACED),
    "if": (lambda x: x if x[0] > 0 else -x, "without `if`"),
    "a mask": (lambda x: x[x > 0], UNTRACED),
    "a callback": (
        lambda x: jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x),
        "two derivatives",
    ),
    "a mistake": (lambda x: x.no_such_thing, "failed on an array of 2 levels .*AttributeError"),
    "more arguments": (lambda x, a, b: x, "failed on an array of 2 levels .*TypeError"),
    "widths of others": (Quadratic((1.0, 2.0, 3.0)), r"Quadratic\(.*failed on an array of 2"),
    "one number": (lambda x: x.sum(), r"levels' shape \(2,\), not \(\)"),
    "two rows": (lambda x: jnp.stack([x, x]), r"levels' shape \(2,\), not \(2, 2\)"),
    "nothing": (lambda x: None, "levels' shape .*not None"),
    "complex": (lambda x: x * 1j, "float64.*not complex128"),
    "whole": (lambda x: jnp.zeros(len(x), int), "float64.*not int64"),
    "single": (lambda x: x.astype(jnp.float32), "float64.*not float32"),
    "not a number": (lambda x: jnp.sqrt(x), r"not finite at initial_levels = \[-1\.0\]"),
    "beyond a wall": (Laguerre(), r"not finite at initial_levels = \[-1\.0\]"),
    "all levels": (lambda x: x**2 * x.sum() ** 2, "each level alone"),
    "the mean": (lambda x: (x - x.mean()) ** 2, "each level alone"),
    "neighbours": (lambda x: x * jnp.roll(x, 1), "each level alone"),
}


@pytest.mark.parametrize(("potential", "reason"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_before_anything_is_compiled(monkeypatch, potential, reason):
    def compiled(*_):
        raise AssertionError("compiled")

    monkeypatch.setattr(_ensemble, "_Run", compiled)
    with pytest.raises(InvalidInputError, match=reason) as caught:
        run(potential)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "potential",
    [
        lambda x: x**2 * np.float64(0.5),
        lambda x: np.array([1.0, 2.0]) * x**2,
        lambda x: jnp.where(x > 0, x**2, x**2 / 2),
        lambda x: 0 * x,
        lambda x: abs(x),
    ],
    ids=["a number of numpy", "an array of numpy", "where", "none", "a kink"],
)
def test_what_jax_can_trace_runs(potential):
    assert not run(potential).diverged.any()


def test_levels_that_reach_infinity_are_told():
    """-x^4 confines nothing: dx = 4 x^3 dt comes to infinity within 1/(8 x^2)."""
    lost = EigenvalueProcess(lambda x: -(x**4)).simulate(
        [3.0, -3.0], step=0.001, steps=100, replicas=4, seed=0, progress=False
    )
    assert lost.diverged.all()


def test_a_potential_that_becomes_nan_is_no_solution():
    """Its slope may still be a number, 0: levels went on without it."""
    process = EigenvalueProcess(lambda x, t: jnp.where(t > 0.05, jnp.nan, x**2), 1.0)
    run = process.simulate(
        [1.0, 0.0, -1.0], step=0.01, steps=8, record_every=4, replicas=1, seed=0, progress=False
    )
    assert np.isfinite(run.levels.values[0, 1]).all()
    assert run.diverged.all()


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ([], r"\[\] must be 1 finite"), (["a"], "must be real numbers"), ([1j, 0], "must be real"),
        ([0, 1e-300], "are 1e-300 apart; begin 1e-140 apart"), ([[1, 2], [3, 4]], "4 finite"),
    ],
)  # fmt: skip
def test_levels_that_are_no_start(levels, reason):
    with pytest.raises(InvalidInputError, match=reason):
        EigenvalueProcess(Quadratic()).simulate(levels, step=0.01, steps=1, replicas=1, seed=0)


def test_the_closest_start_spreads_as_a_point():
    r"""One implicit step h from a point: $(1 + h) s = \sqrt{4 h}\, \xi + 2 h \beta/s$."""
    h = 0.01
    run = EigenvalueProcess(Quadratic(), 2.0).simulate(
        [0, 2e-140], step=h, steps=1, replicas=4000, seed=0, progress=False
    )
    gaps = -np.diff(run.levels.values[:, -1])
    xi, weights = np.polynomial.hermite_e.hermegauss(80)

    def mean(beta):  # of the positive root; the noise itself has the mean 0
        roots = np.sqrt(4 * h * xi**2 + 8 * h * beta * (1 + h))
        return (roots @ weights) / weights.sum() / (2 * (1 + h))

    allowed = 4 * gaps.std() / np.sqrt(len(gaps))
    assert abs(gaps.mean() - mean(2.0)) < allowed
    assert abs(gaps.mean() - mean(1.8)) > allowed
