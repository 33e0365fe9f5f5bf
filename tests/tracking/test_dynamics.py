"""Noise, drift, diffusion and repulsion of a run whose law is known."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from sgdyson.cli import app
from sgdyson.errors import InvalidInputError
from sgdyson.tracking import (
    Cadence,
    Tracker,
    advise,
    coulomb_repulsion,
    matrix_dynamics,
    matrix_noise,
    noise_scale,
    open_run,
    write_run_report,
)

FRICTION, NOISE = 0.004, 0.01
NEGLECTED = 1 / 36  # relative, see matrix_dynamics


def ornstein_uhlenbeck(shape, updates, seed=0):
    """W' = (1 - gamma) W + g noise, from its stationary state: every entry is independent."""
    random = np.random.default_rng(seed)
    w = random.normal(scale=NOISE / np.sqrt(2 * FRICTION - FRICTION**2), size=shape)
    for _ in range(updates):
        yield w
        w = (1 - FRICTION) * w + NOISE * random.standard_normal(shape)


def a_run(weights, interval=1):
    s = np.linalg.svd(weights, compute_uv=False)
    shape = list(weights.shape[1:])
    return xr.Dataset(
        {"s_w": (("time", "l"), s, {"name": "w", "shape": shape})},
        coords={"time": interval * np.arange(len(s))},
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    weights = np.stack(list(ornstein_uhlenbeck((12, 6), 60_000)))
    s = np.linalg.svd(weights, compute_uv=False)
    apart = weights[:, 0] + 1.5 * np.arange(6, 0, -1)
    independent = -np.sort(-weights[:, 0] - 1 - 0.08 * np.arange(6), axis=1)
    variables = {
        "s_w": (("time", "l"), s, {"name": "w", "shape": [12, 6]}),
        "s_free": (("time", "l"), independent, {"name": "free", "shape": [6, 6]}),
        "s_apart": (("time", "l"), apart, {"name": "apart", "shape": [6, 6]}),
        "learning_rate": ("time", np.full(len(s), 0.1)),
        "batch_size": ("time", np.full(len(s), 8.0)),
    }
    return xr.Dataset(variables, coords={"time": np.arange(len(s))})


class TestDynamics:
    def test_the_repulsion_is_that_of_the_diffusion(self, run):
        found = matrix_dynamics(run, "w", 0)
        allowed = 4 * found.diffusion.error + NEGLECTED * NOISE**2
        assert abs(found.diffusion.value - NOISE**2) < allowed
        assert abs(found.ratio.value - 1) < 4 * found.ratio.error + NEGLECTED
        assert found.ratio.error < 0.12
        assert abs(found.friction.pull(FRICTION)) < 4
        assert found.friction.error < 0.3 * FRICTION

    def test_levels_that_do_not_repel_are_told_apart(self, run):
        ratio = matrix_dynamics(run, "free", 0).ratio
        assert abs(ratio.pull(0.0)) < 4
        assert ratio.pull(1.0) < -5

    def test_the_width_of_a_single_direction(self, run):
        # levels far apart fluctuate like the entries of W, with g/sqrt(2 gamma)
        found = matrix_dynamics(run, "apart", 0)
        stationary = NOISE / np.sqrt(2 * FRICTION - FRICTION**2)
        assert abs(found.width[0].pull(stationary)) < 4
        assert abs(found.steady_width.pull(stationary)) < 4
        assert found.steady_width.error < 0.2 * stationary

    def test_the_force_by_hand(self):
        s = np.array([3.0, 1.0])
        force = coulomb_repulsion(s, 2)
        np.testing.assert_allclose(force, [1 / 3 + 3 / 8, 1 - 1 / 8])

    def test_repulsion_is_the_change_of_the_mean_under_noise(self):
        """E of a singular value of W + noise: second-order perturbation theory, by direct draws."""
        random = np.random.default_rng(1)
        w = np.zeros((5, 3))
        w[[0, 1, 2], [0, 1, 2]] = s = np.array([3.0, 2.0, 1.2])
        kick = 0.05 * random.standard_normal((200_000, 5, 3))
        both = np.concatenate([w + kick, w - kick])  # opposite kicks cancel the first order
        moved = np.linalg.svd(both, compute_uv=False).reshape(2, -1, 3).mean(axis=0) - s
        error = moved.std(axis=0) / np.sqrt(len(moved))
        expected = 0.05**2 * coulomb_repulsion(s, 2)
        assert np.all(np.abs(moved.mean(axis=0) - expected) < 4 * error + 0.02 * expected)

    def test_noise_from_one_side_alone(self):
        """A level without noise in its row repels others half as much: direct draws, as above."""
        random = np.random.default_rng(2)
        live, null = np.array([[3.0, 2.0, 1.2]]), np.array([[1.7]])
        w = np.zeros((6, 4))
        w[[0, 1, 2, 3], [0, 1, 2, 3]] = *live[0], *null[0]
        kick = 0.03 * random.standard_normal((200_000, 6, 4))
        kick[:, 3] = 0.0
        both = np.concatenate([w + kick, w - kick])
        moved = np.linalg.svd(both, compute_uv=False).reshape(2, -1, 4).mean(axis=0)
        moved = moved[:, [0, 1, 3]] - live
        error = moved.std(axis=0) / np.sqrt(len(moved))
        levels = np.sort(np.concatenate([live, null], axis=1))[:, ::-1]
        of_three = np.array([1.0, 1.0, 0.0, 1.0])
        expected = 0.03**2 * coulomb_repulsion(levels, 2, of_three)[0, [0, 1, 3]]
        assert np.all(np.abs(moved.mean(axis=0) - expected) < 4 * error + 0.03 * np.abs(expected))
        whole = 0.03**2 * coulomb_repulsion(levels, 2)[0, [0, 1, 3]]
        assert np.abs((moved.mean(axis=0) - whole) / error).max() > 10

    @pytest.mark.parametrize("place", [1e-12, 1e-6, 1e-3])
    def test_a_level_that_does_not_diffuse_owns_nothing(self, place):
        """As of a softmax, blind to the sum of its rows, which weight decay alone moves."""
        blind = np.ones(6) / 6**0.5
        noise = np.stack(list(ornstein_uhlenbeck((6, 12), 20_000)))
        live = noise - blind[:, None] * (blind @ noise)[:, None, :]
        still = place * (1 - 1e-5) ** np.arange(len(live))
        direction = np.outer(blind, np.eye(12)[0])
        found = matrix_dynamics(a_run(live + still[:, None, None] * direction), "w", 0)
        assert len(found.null) == 1
        allowed = 4 * found.diffusion.error + NEGLECTED * NOISE**2
        assert abs(found.diffusion.value - NOISE**2) < allowed
        assert abs(found.ratio.value - 1) < 4 * found.ratio.error + NEGLECTED
        assert found.ratio.error < 0.25
        assert found.used + found.near_zero + found.near_neighbour == pytest.approx(5 / 6)

    def test_the_wall_at_zero_is_left_out(self):
        found = matrix_dynamics(a_run(np.stack(list(ornstein_uhlenbeck((6, 6), 20_000)))), "w", 0)
        assert found.near_zero > 0.05
        assert abs(found.ratio.value - 1) < 4 * found.ratio.error + NEGLECTED
        assert found.ratio.error < 0.25
        allowed = 4 * found.diffusion.error + NEGLECTED * NOISE**2
        assert abs(found.diffusion.value - NOISE**2) < allowed

    def test_steps_with_a_memory_are_no_diffusion(self):
        random = np.random.default_rng(0)
        w, v, weights = 0.3 * random.standard_normal((6, 12)), 0.0, []
        for _ in range(12_000):
            v = 0.9 * v + 1e-4 * random.standard_normal((6, 12))
            w = w + v
            weights.append(w)
        with pytest.raises(InvalidInputError, match=r"correlated by 0\.\d.*momentum"):
            matrix_dynamics(a_run(np.stack(weights)), "w", 0)
        found = matrix_dynamics(a_run(np.stack(weights)[::100], 100), "w", 0)  # long intervals go
        assert abs(found.diffusion.value / 1e-6 - 1) < 0.25

    def test_a_rate_that_varied_is_no_steady_state(self, run):
        changing = run.assign(learning_rate=("time", np.linspace(0.1, 0, run.sizes["time"])))
        with pytest.raises(InvalidInputError, match=r"rate of w varied from 0 to 0\.1"):
            matrix_dynamics(changing, "w", 0)

    def test_advice_ends_where_steps_are_coarse(self, run):
        advice = advise(run)
        gamma = advice.friction.value
        assert [p.learning_rate / p.batch_size for p in advice.pairs] == pytest.approx(
            [0.1 / 8] * len(advice.pairs)
        )
        by_batch = {p.batch_size: p.width for p in advice.pairs}
        assert by_batch[8].value == 1
        exact = np.sqrt((1 - gamma / 2) / (1 - 16 * gamma / 2))
        assert by_batch[128].value == pytest.approx(exact)
        factor = advice.largest_rate.value / 0.1
        assert (1 - gamma / 2) / (1 - factor * gamma / 2) == pytest.approx(1.05**2)
        assert "is kept by" in str(advice)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda run: matrix_dynamics(run, "v"), "not among the matrices: w, free, apart"),
            (lambda run: matrix_dynamics(run, "w", 59_990), "at least 100"),
            (lambda run: matrix_dynamics(run.isel(time=[*range(200), 300]), "w", 0), "unequal"),
            (
                lambda run: matrix_dynamics(run.isel(time=slice(0, None, 200)), "w", 0),
                "200 updates apart",
            ),
            (lambda run: advise(run.drop_vars("batch_size")), "give the tracker"),
            (lambda run: matrix_noise(run, "w"), "no gradients"),
        ],
    )
    def test_bad_input(self, run, change, message):
        with pytest.raises(InvalidInputError, match=message):
            change(run)


def test_the_noise_of_a_linear_model_in_closed_form(tmp_path):
    """y = T x + e, x ~ N(0, 1): at W the gradient D x x^T - e x^T, D = W - T, has
    tr Sigma = |D|^2 (n + 1) + m n eps^2 and |G|^2 = |D|^2.
    """
    m, n, eps, samples, parts = 4, 6, 0.5, 3, 5
    random = np.random.default_rng(2)
    offset = 0.1 * random.standard_normal((m, n))
    with Tracker(
        tmp_path / "run.zarr", every=1, learning_rate=0.1, batch_size=samples * parts
    ) as tracker:
        for step in range(1500):
            x = random.standard_normal((parts, samples, n))
            residual = x @ offset.T - eps * random.standard_normal((parts, samples, m))
            gradients = np.einsum("psm,psn->pmn", residual, x) / samples
            tracker.update(
                step, {"w": offset}, micro_gradients={"w": gradients}, micro_batch=samples
            )
        assert tracker.advice().noise_scale is not None
    found = matrix_noise(open_run(tmp_path / "run.zarr"), "w")
    signal = np.sum(offset**2)
    strength = signal * (n + 1) + m * n * eps**2
    assert abs(found.strength.pull(strength)) < 4
    assert found.strength.error < 0.02 * strength
    assert abs(found.signal.pull(signal)) < 4
    assert abs(found.scale.pull(strength / signal)) < 4
    assert abs(found.strength.pull(m * n * eps**2)) > 5  # inputs alone make noise too
    expected = 0.1**2 / (samples * parts) * strength / (m * n)
    assert abs(found.diffusion.pull(expected)) < 4
    assert found.ratio == pytest.approx(0.1 / (samples * parts))


def test_an_adaptive_cadence():
    cadence, due = Cadence("adaptive"), []
    for step in range(200):
        if cadence.due(step):
            due.append(step)
            cadence.recorded(step, 0.001 if step < 100 else 0.5)
    assert due[:6] == [0, 2, 6, 14, 30, 62]
    assert np.all(np.diff(due[7:]) <= np.diff(due[6:-1]))
    assert due[-1] - due[-2] == 1


def test_the_page_of_a_run(tmp_path):
    random = np.random.default_rng(0)
    with Tracker(tmp_path / "run.zarr", every=1, learning_rate=0.1, batch_size=4) as tracker:
        for step in range(5):
            gradients = random.standard_normal((2, 80, 70))
            tracker.update(
                step, {"a </script>": random.standard_normal((80, 70)), "b": np.ones(3)},
                micro_gradients={"a </script>": gradients}, micro_batch=2,
            )  # fmt: skip
    page = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["report", str(tmp_path / "run.zarr"), "--out", str(page)])
    assert result.exit_code == 0
    text = page.read_text()
    data = json.loads(re.search(r'id="matrices">(.*?)</script>', text, re.DOTALL)[1])
    assert data[0]["name"] == "a </script>"
    assert [record["step"] for record in data[0]["records"]] == [0, 1, 2, 3, 4]
    assert len(data[0]["noise"]) == 5
    curve, unit, mass = data[0]["records"][-1]["law"]
    x, density = np.array(data[0]["curves"][curve])
    assert np.trapezoid(density, x) * mass == pytest.approx(1, abs=0.02)
    assert unit == pytest.approx(80**0.5, rel=0.05)  # sigma sqrt(M), of normal entries
    assert sum(data[0]["records"][-1]["counts"]) == 70
    assert "<dt>a vector</dt><dd>b</dd>" in text


def the_data_of(page):
    return json.loads(re.search(r'id="matrices">(.*?)</script>', page, re.DOTALL)[1])


def test_one_bad_matrix_hides_no_good_one(tmp_path, monkeypatch):
    from sgdyson.tracking import page as _page

    random = np.random.default_rng(0)
    arrays = {name: random.standard_normal((30, 20)) for name in ("good", "lost", "odd", "tail")}
    with Tracker(tmp_path / "run.zarr", every=1, learning_rate=0.1, batch_size=4) as tracker:
        for step in range(3):
            gradients = {
                name: 1 + random.standard_normal((2, 30, 20)) for name in arrays if name != "odd"
            }
            if step:
                del gradients["tail"]  # measured once only
            tracker.update(step, arrays, micro_gradients=gradients, micro_batch=2)
    run = open_run(tmp_path / "run.zarr")
    run["s_lost"][:] = np.nan
    measure = _page.measure_values

    def measured(name, *rest):
        if name == "odd":
            raise np.linalg.LinAlgError("did not converge")
        return measure(name, *rest)

    def no_tail(levels, draws):
        raise InvalidInputError("no tail is to be had.")

    monkeypatch.setattr(_page, "measure_values", measured)
    monkeypatch.setattr("sgdyson.spectra._measured_values.fit_tail", no_tail)
    write_run_report(tmp_path / "page.html", run, "run")
    page = (tmp_path / "page.html").read_text()
    assert [matrix["name"] for matrix in the_data_of(page)] == ["good", "tail"]
    for reason, name in [("no record without NaN or infinity", "lost"),
                         ("LinAlgError: did not converge", "odd"),
                         ("no tail: no tail is to be had", "good, tail")]:  # fmt: skip
        assert f"<dt>{reason}</dt><dd>{name}</dd>" in page
    assert advise(run).noise_scale is not None  # of those that were measured throughout
    run["s_good"][:] = run["s_tail"][:] = np.nan
    with pytest.raises(InvalidInputError, match=r"to show: no record .* good, lost|good, lost"):
        write_run_report(tmp_path / "none.html", run, "run")


def test_the_page_names_the_optimiser_and_its_rule(tmp_path):
    for optimizer, text in (
        ("AdamW", "Under AdamW, alpha/sqrt|B| ="),
        ("Lion", "is Lion: no rule"),
    ):
        out = tmp_path / f"{optimizer}.zarr"
        with Tracker(out, every=1, learning_rate=0.1, batch_size=4, optimizer=optimizer) as tracker:
            for step in range(3):
                tracker.update(step, {"w": np.random.default_rng(step).normal(size=(9, 8))})
        write_run_report(tmp_path / "page.html", open_run(out), "run")
        assert text in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("small", "big", "message"),
    [([1.0, np.nan], [1.0, 1.0], "1 of 2 steps"), ([1.0, np.inf], [1.0, 1.0], "not finite"),
     ([1.0, 1.0], [1.0, -1.0], "negative"), ([1.0, 1.1], [2.0, 2.1], "give the small batches"),
     ([0.0, 0.0], [0.0, 0.0], "all noise")],
)  # fmt: skip
def test_noise_scales_that_are_none(small, big, message):
    with pytest.raises(InvalidInputError, match=message):
        noise_scale(small, big, 1, 4)


def test_no_noise_at_all_is_a_scale_of_zero():
    assert noise_scale(np.ones(10), np.ones(10), 1, 4).value == 0


def test_the_page_of_checkpoints(tmp_path):
    for step in (10, 20):
        np.savez(tmp_path / f"step{step}.npz", w=np.random.default_rng(step).normal(size=(9, 8)))
    page = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["spectrum", str(tmp_path), "--html", str(page)])
    assert result.exit_code == 0, result.stderr
    data = json.loads(re.search(r'id="matrices">(.*?)</script>', page.read_text(), re.DOTALL)[1])
    assert [record["step"] for record in data[0]["records"]] == [10, 20]
