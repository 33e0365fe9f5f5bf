"""The analysis, on data whose law is known without SGD."""

import dataclasses
import json
import math

import numpy as np
import pytest
import xarray as xr

from sgdyson import GaussianRBM, simulate
from sgdyson.analysis import Check, measure, measure_force, scaling, stationary_levels
from sgdyson.errors import InvalidInputError
from sgdyson.optimizers import (
    OPTIMIZERS,
    SGD,
    HeavyBall,
    optimizer_of,
    optimizer_settings,
)
from sgdyson.stats import Estimate

MODEL = GaussianRBM.scalar_field(6, 6, sampler="independent")


def goe_run(learning_rate: float, batch_size: int, stretch: float = 1.0, seed: int = 0):
    """A data set whose multiplets are exact Coulomb gases of the leading widths and means."""
    prediction = MODEL.predict(learning_rate, batch_size).leading
    rng = np.random.default_rng(seed)
    replicas, times = 400, 20
    levels = np.repeat((prediction.levels + prediction.mean_shift)[None, None], replicas, 0)
    levels = np.repeat(levels, times, 1)
    for first, size in ((0, 1), (1, 2), (3, 2), (5, 1)):
        noise = rng.normal(size=(replicas, times, size, size)) * prediction.width[first] * stretch
        noise = (noise + noise.swapaxes(2, 3)) / 2
        found = np.linalg.eigvalsh(noise + np.eye(size) * levels[0, 0, first])
        levels[:, :, first : first + size] = found[:, :, ::-1]
    return xr.Dataset(
        {
            "levels": (("replica", "time", "level"), levels),
            "diverged": ("replica", np.zeros(replicas, bool)),
        },
        coords={"time": np.arange(times)},
        attrs={"learning_rate": learning_rate, "batch_size": batch_size, "optimizer": "sgd"},
    )


def test_a_run_is_measured_within_its_errors():
    found = measure("known", goe_run(0.05, 64), MODEL, burn_in=0)
    assert [len(part.multiplet.indices) for part in found.multiplets] == [1, 2, 2, 1]
    leading = found.prediction.leading
    for part in found.multiplets:
        first = part.indices[0]
        assert abs(part.fit.width.pull(leading.width[first])) < 4
        assert abs(part.mean.pull((leading.levels + leading.mean_shift)[first])) < 4
        assert part.predicted_width == found.prediction.width[first]
        assert part.predicted_mean == pytest.approx(
            found.prediction.mean_level[[*part.indices]].mean()
        )
    for part in found.pairs:
        assert part.predicted_spacing == found.prediction.mean_spacing[part.indices[0]]
        assert abs(part.pair.mean.pull(part.leading_spacing)) < 4
        assert abs(part.pair.second_moment.pull(4 / math.pi)) < 4
        assert part.pair.wigner.pvalue > 1e-3
        assert part.pair.mean.effective_size == pytest.approx(8000, rel=0.3)
    wider = measure("wider", goe_run(0.05, 64, stretch=1.1), MODEL, burn_in=0)
    for part in wider.pairs:
        assert abs(part.pair.mean.pull(part.leading_spacing)) > 4


def test_the_scaling_rule_has_the_slope_of_theory():
    settings = [(0.1, 8), (0.1, 32), (0.05, 32), (0.02, 64)]
    runs = [measure(str(s), goe_run(*s, seed=n), MODEL, 0) for n, s in enumerate(settings)]
    found = scaling(runs)
    assert abs(found.line.slope.pull(math.sqrt(2 * math.pi))) < 4
    assert len(found.variable) == 8
    assert len(found.limit) == 2
    for line in found.limit:
        assert abs(line.intercept.pull(math.sqrt(2 * math.pi))) < 4
    # of a batch half as large as theory is told, sigma^2 would be twice as large
    wrong = scaling(
        [measure(str(s), goe_run(*s, stretch=math.sqrt(2)), MODEL, 0) for s in settings]
    )
    assert abs(wrong.line.slope.pull(math.sqrt(2 * math.pi))) > 10


@pytest.mark.parametrize(("batch_size", "fits"), [(4, True), (64, False)])
def test_what_theory_neglects_is_no_misfit_of_the_slope(batch_size, fits):
    """Two runs off by 5 %, up and down: less than the second order at |B| = 4, far more at 64."""
    settings = [(0.02, 64, 1.0), (0.05, 64, 1.0), (0.2, batch_size, 1.05), (0.19, batch_size, 0.95)]
    runs = [
        measure(str(n), goe_run(rate, size, stretch, seed=n), MODEL, 0)
        for n, (rate, size, stretch) in enumerate(settings)
    ]
    for line in scaling(runs).limit:
        assert (line.pvalue > 1e-3) is fits


def test_the_force_of_an_exact_matrix_process():
    # M' = c M + noise, a GOE matrix at every step: gamma = -ln c, g^2 = gamma sigma^2
    rng = np.random.default_rng(3)
    gamma, sigma = 0.002, 1.0
    decay, kick = math.exp(-gamma), math.sqrt(1 - math.exp(-2 * gamma))

    def goe():
        return rng.normal(size=(2, 4000)) * sigma / math.sqrt(2)  # (a - d)/2 and off the diagonal

    state, spacing = goe(), []
    for _ in range(300):
        spacing.append(2 * np.hypot(*state))
        state = decay * state + kick * goe()
    found = measure_force(np.transpose(spacing), 1.0, gamma * sigma**2, gamma, 0.0)
    assert abs(found.measured_level_diffusion.pull(gamma * sigma**2)) < 4
    assert abs(found.measured_diffusion.pull(4 * gamma * sigma**2)) < 4
    assert (
        abs(found.measured_level_diffusion.value) > 4 * found.measured_level_diffusion.error
    )  # there is a repulsion
    assert abs(found.measured_diffusion.pull(4.4 * gamma * sigma**2)) > 4


def test_tolerances_follow_from_errors():
    measured = Estimate(1.05, 0.01, 100.0)
    assert not Check("a", "f", "q", {}, measured, 1.0).passed
    assert Check("a", "f", "q", {}, measured, 1.0, theory_error=0.02).passed
    found = Check("a", "f", "q", {}, measured, 0.0).to_dict()
    assert found["ratio"] is None
    assert found["effective_samples"] == 100.0


def test_too_little_is_refused():
    with pytest.raises(InvalidInputError, match="0 records after 100"):
        stationary_levels(goe_run(0.05, 64), burn_in=100)


def test_a_run_is_held_against_the_prediction_of_its_own_optimiser():
    """Under momentum 0.9 the squared width is ten times that of plain SGD at the same rate."""
    optimizer = HeavyBall(0.9)
    values, vectors = np.linalg.eigh(9.0 * np.eye(6) - MODEL.target_kernel)
    rest = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T  # begins where it ends
    model = GaussianRBM(
        MODEL.target_kernel, rbm_mass=3.0, sampler="independent", initial_weights=rest
    )
    run = simulate(
        model, learning_rate=0.005, batch_size=64, replicas=64, updates=1500, record_every=50,
        record_from=600, seed=4, optimizer=optimizer, progress=False,
    )  # fmt: skip
    found = measure("momentum", run, model, burn_in=0)
    assert found.prediction.width == pytest.approx(model.predict(0.005, 64, optimizer).width)
    for part in found.pairs:
        mean, plain = part.pair.mean, model.predict(0.005, 64).mean_spacing
        allowed = 4 * mean.error + part.next_order * part.predicted_spacing
        assert abs(mean.value - part.predicted_spacing) < allowed
        assert abs(mean.value - plain[part.multiplet.indices[0]]) > allowed


def test_an_optimiser_that_is_not_known_is_refused_or_given():
    run = goe_run(0.05, 64)
    run.attrs["optimizer"] = "optax.lion"
    with pytest.raises(InvalidInputError, match=r"optax\.lion"):
        measure("unknown", run, MODEL, 0)
    assert measure("told", run, MODEL, 0, SGD()).pairs


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_survives_as_settings(name):
    kind = OPTIMIZERS[name]
    numbers = {part.name: part.default * 0.75 for part in dataclasses.fields(kind)}
    optimizer = kind(**numbers)
    settings = json.loads(json.dumps(optimizer_settings(optimizer)))
    assert optimizer_of(settings) == optimizer
    assert optimizer_of(optimizer_settings(None)) == SGD()
