"""A page leaves no gap for what a run does not have: its reason stands below, once."""

import numpy as np
import pytest
from test_run_page import in_browser

from sgdyson.checkpoints import survey
from sgdyson.tracking import Tracker, open_run, write_run_report
from sgdyson.tracking.page import run_of_spectra

PROBE = """
<script>
addEventListener("load", () => setTimeout(() => {
  const box = (panel) => panel.getBoundingClientRect();
  const seen = [...document.querySelectorAll("#panels > .panel")].filter((panel) => box(panel).height > 0);
  const grid = box(document.getElementById("panels"));
  const rows = {};
  for (const panel of seen) (rows[Math.round(box(panel).top)] ||= []).push(box(panel));
  document.body.dataset.probe = JSON.stringify({
    seen: seen.map((panel) => panel.id), absent: [...document.querySelectorAll("#absent li")].map((li) => li.textContent),
    filled: Object.values(rows).map((row) => Math.max(...row.map((r) => r.right)) >= grid.right - 2),
    pictures: seen.filter((panel) => panel.data).map((panel) => panel._fullLayout.width <= box(panel).width + 1),
    heads: [...document.querySelectorAll("h2")].filter((h) => box(h).height > 0).map((h) => h.textContent),
    columns: [...document.querySelectorAll("#matrices-table thead th")].map((th) => th.textContent),
    scalars: [...document.querySelectorAll("#scalars .panel")].map((panel) => Math.round(box(panel).width / grid.width * 2)),
  });
}, 1500));
</script>
"""  # noqa: E501


def page(tmp_path, runs, settings, names=("w",), scalars=()):
    for run in range(runs):
        random = np.random.default_rng(run)
        with Tracker(tmp_path / f"{run}.zarr", every=1, **(settings if run == 0 else {})) as t:
            for step in range(4):
                t.update(step, {name: random.normal(size=(70, 66)) for name in names[run:]})
                for number, scalar in enumerate(scalars):
                    t.log_scalar(scalar, 1.0 + number + step)
    opened = {str(run): open_run(tmp_path / f"{run}.zarr") for run in range(runs)}
    write_run_report(tmp_path / "page.html", opened["0"] if runs == 1 else opened, "A run")
    return in_browser(tmp_path, PROBE)


@pytest.mark.parametrize("vectors", [0, 2])
def test_panels_flow_together(tmp_path, vectors):
    found = page(tmp_path, 1, {"vectors": vectors}, scalars=("loss", "validation loss", "rate"))
    assert ("persistence" in found["seen"]) is bool(vectors)
    assert "noise" not in found["seen"]
    assert all(found["filled"])
    assert all(found["pictures"])
    without = ["No vectors in this run: give the tracker vectors=8."] * (not vectors)
    assert found["absent"] == [*without, "No gradients in this run: give the tracker batch_size=."]
    assert found["scalars"] == [1, 1, 2]  # halves of the page: the last one has no neighbour


def test_runs_side_by_side_keep_their_columns(tmp_path):
    """The second run has no matrix of this name, the fourth stands below the first."""
    found = page(tmp_path, 4, {}, names=("w", "v", "u", "t"))
    assert "spectrum-1" in found["seen"]
    assert "persistence" not in found["seen"]
    assert "1 has no such matrix." not in found["absent"]  # it stands in its column
    assert len([seen for seen in found["seen"] if seen.startswith("levels")]) == 4


def test_a_single_checkpoint_has_no_time(tmp_path):
    np.savez(tmp_path / "m.npz", w=np.random.default_rng(0).normal(size=(30, 20)))
    run, measured = run_of_spectra(survey(tmp_path / "m.npz").series())
    write_run_report(tmp_path / "page.html", run, "m", measured)
    found = in_browser(tmp_path, PROBE)
    assert found["seen"] == ["spectrum"]
    assert found["absent"] == []
    assert found["heads"] == ["Every weight matrix", "One matrix", "Not recorded, or not measured"]
    assert found["filled"] == [True]
    assert "⟨r⟩" not in found["columns"]  # fewer than 64 levels
    assert '<p class="soft">1 matrix.</p>' in (tmp_path / "page.html").read_text()
