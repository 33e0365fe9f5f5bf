"""Dyson index on the page and in the table of a run."""

import csv
import io
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson.tracking import (
    Burst,
    SpectralTracker,
    Tracker,
    open_run,
    report_rows,
    write_run_report,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.zarr"
    random = np.random.default_rng(4)
    w = start = 0.07 * random.standard_normal((20, 12))
    with Tracker(path, every=Burst(8, 25), dynamics=True) as tracker:
        for step in range(400):
            tracker.update(step, {"w": w, "frozen": start, "late": np.eye(3) if step else 0 * w})
            w = 0.99 * w + 0.01 * random.standard_normal(w.shape)
    return path


def test_rows(store):
    moving, frozen, *_ = report_rows(open_run(store))
    assert moving["dyson_verdict"] == "Dyson Brownian motion"
    assert abs(moving["dyson_index"] - 1) < 4 * moving["dyson_index_error"]
    assert moving["dyson_p_one"] > 0.01 > moving["dyson_p_zero"]
    assert frozen["dyson_index"] is None
    assert frozen["dyson_verdict"].startswith("not measured: frozen is at rest")


def test_page(store, tmp_path):
    write_run_report(tmp_path / "page.html", open_run(store), "A run")
    page = (tmp_path / "page.html").read_text()
    assert "Dyson index" in page
    assert "<td>Dyson Brownian motion</td>" in page


def test_command(store, tmp_path, monkeypatch):
    from sgdyson.cli import app

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["report", str(store), "--csv", "-"])
    assert done.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows[0]["dyson_verdict"] == "Dyson Brownian motion"
    done = CliRunner().invoke(app, ["report", str(store), "--json", "r.json", "--out", "p.html"])
    assert done.exit_code == 0
    assert json.loads((tmp_path / "r.json").read_text())[0]["name"] == "w"
    assert (tmp_path / "p.html").exists()


torch = pytest.importorskip("torch")


class TestPyTorch:
    """Single updates are those of the weights, whatever made them."""

    @staticmethod
    def trained(path, how, every):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 5))
        optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
        watched = torch.compile(model, backend="eager") if how == "compiled" else model
        scaler = torch.amp.GradScaler("cpu", enabled=how == "scaled", init_scale=1024.0)
        history = []
        with SpectralTracker(watched, path, every, dynamics=True, optimizer=optimizer) as tracker:
            for _ in range(24):
                history.append(model[0].weight.detach().double().numpy().copy())
                optimizer.zero_grad()
                for _ in range(2):
                    x = torch.randn(16, 8)
                    scaler.scale((watched(x) - x[:, :5].tanh()).square().mean() / 2).backward()
                scaler.unscale_(optimizer) if how == "scaled" else None
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
                scaler.step(optimizer)
                scaler.update()
                tracker.step()
            history.append(model[0].weight.detach().double().numpy().copy())
        return open_run(path), history

    @pytest.mark.parametrize("how", ["plain", "compiled", "scaled"])
    @pytest.mark.parametrize("every", [Burst(4, 10), 6])
    def test_exact(self, tmp_path, how, every):
        from sgdyson.tracking import Run, level_steps

        data, history = self.trained(tmp_path / "r", how, every)
        run = Run(data)
        found = run.level_steps("0.weight")
        known = np.flatnonzero(np.isfinite(found[:, 0, 2]))
        assert len(known) == (12 if isinstance(every, Burst) else 4)
        for record in known:
            t = run.steps[record]
            expected = level_steps(history[t - 1], history[t])
            np.testing.assert_allclose(np.abs(found[record]), np.abs(expected), atol=1e-12)
