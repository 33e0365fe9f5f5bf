"""The Dyson index of models whose noise is known, and of a perceptron, through the tracker."""

import numpy as np
import pytest

from sgdyson import GaussianRBM, TeacherStudent, simulate
from sgdyson.tracking import Burst, Run, SpectralTracker, Tracker, dyson_index, dyson_test, open_run


def tracked(model, path, rate, batch, updates, optimizer=None):
    """One replica in its stationary state, every update through the tracker."""
    run = simulate(
        model, learning_rate=rate, batch_size=batch, replicas=1, updates=updates, record_every=1,
        record_from=round(40 / rate), seed=3, record_weights=True, progress=False,
        optimizer=optimizer,
    )  # fmt: skip
    with Tracker(path, every=1, dynamics=True) as tracker:
        for step, weights in enumerate(run["weights"].values[0]):
            tracker.update(step, {"w": weights})
    return open_run(path)


def pair(run, i):
    """Index of the levels i and i + 1 alone."""
    steps = Run(run).level_steps("w")[1:]
    chosen = np.zeros((steps.shape[1], 2), bool)
    chosen[i, 0] = True
    return dyson_index(steps.reshape(-1, 8, *steps.shape[1:]), pairs=chosen).index


class TestKnown:
    def test_student(self, tmp_path):
        """At rest its gradient is the label's noise times the input: the same for all entries."""
        model = TeacherStudent((3.0, 3.0, 3.0, 3.0), label_noise=2.0)
        found = dyson_test(tracked(model, tmp_path / "r", 0.02, 16, 1600), "w")
        assert abs(found.index.pull(1)) < 3.5
        assert found.verdict == "Dyson Brownian motion"

    def test_rbm(self, tmp_path):
        r"""Noise dW = alpha W zeta, Var zeta_ij = (1 + delta_ij) p_i p_j/|B|, level by level."""
        model = GaussianRBM.scalar_field(5, mass=1.0, rbm_mass=3.0, sampler="independent")
        run = tracked(model, tmp_path / "r", 0.02, 64, 2400)
        xi = Run(run).values("w").mean(axis=0)
        p = 1 / (9.0 - xi**2)
        for i in range(len(xi) - 1):
            a, b = xi[i] * p[i], xi[i + 1] * p[i + 1]
            mixed = ((xi[i] + xi[i + 1]) / 2) ** 2 * p[i] * p[i + 1]
            assert abs(pair(run, i).pull(mixed / ((a**2 + b**2) / 2))) < 4


torch = pytest.importorskip("torch")


@pytest.mark.parametrize(("name", "rate"), [("SGD", 0.1), ("momentum", 0.02), ("AdamW", 1e-3)])
def test_digits(tmp_path, name, rate):
    """Levels of a perceptron repel under every optimiser, while it learns."""
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    torch.set_num_threads(1)  # several would wait for each other beside other tests
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10))
    kind = torch.optim.AdamW if name == "AdamW" else torch.optim.SGD
    more = {"momentum": 0.9} if name == "momentum" else {}
    optimizer = kind(model.parameters(), rate, **more)
    with SpectralTracker(model, tmp_path / "r", Burst(8, 30), dynamics=True) as tracker:
        for _ in range(600):
            chosen = torch.randint(len(x), (32,))
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            tracker.step()
    found = dyson_test(open_run(tmp_path / "r"))
    assert found.power > 0.99
    assert found.pvalue_zero < 1e-6
    assert 0.8 < found.index.value < 1.4
    assert set(found.matrices) == {"0.weight", "2.weight"}
