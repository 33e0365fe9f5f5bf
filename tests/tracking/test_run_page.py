"""The page of a tracked run is alive in a browser: its table sorts, its slider turns time back."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from sgdyson.tracking import Tracker, open_run, write_run_report

PROBE = """
<script>
addEventListener("load", () => setTimeout(() => {
  const names = () => [...document.querySelectorAll("#matrices-table tbody tr")]
    .map((row) => row.cells[0].textContent);
  const before = names();
  [...document.querySelectorAll("#matrices-table thead button")]
    .find((button) => button.textContent === "largest").click();
  const sorted = names();
  const shown = () => [document.getElementById("shown").textContent,
    Math.max(...document.getElementById("spectrum").data[0].x)];
  const last = shown();
  const slider = document.getElementById("time");
  slider.value = 0;
  slider.dispatchEvent(new Event("input"));
  const first = shown();
  document.getElementById("matrix").value = 1;
  document.getElementById("matrix").dispatchEvent(new Event("change"));
  document.body.dataset.probe = JSON.stringify({
    before, sorted, last, first, other: shown(),
    drawn: document.querySelectorAll(".panel svg.main-svg").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
}, 1500));
</script>
"""


def in_browser(tmp_path, probe, width=1366):
    """What a script finds in page.html."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine; CI installs it")
    assert browser, "CI must install Chromium"
    page = tmp_path / "page.html"
    page.write_text(page.read_text().replace("</body>", probe + "</body>"))
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
        "--virtual-time-budget=10000", "--dump-dom",
    ]  # fmt: skip
    dump = subprocess.run(
        [browser, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    return json.loads(re.search(r'data-probe="([^"]*)"', dump).group(1).replace("&quot;", '"'))


@pytest.mark.parametrize("width", [500, 1366])
def test_in_a_browser(tmp_path, width):
    random = np.random.default_rng(0)
    wide, small = random.normal(size=(80, 70)), random.normal(size=(9, 8))
    with Tracker(tmp_path / "run.zarr", every=1, learning_rate=0.1, batch_size=8) as tracker:
        for step in range(3):
            tracker.update(step, {"wide": wide * (1 + step), "small": small})
    write_run_report(tmp_path / "page.html", open_run(tmp_path / "run.zarr"), "A run")
    found = in_browser(tmp_path, PROBE, width)
    assert found["before"] == ["wide", "small"]
    assert found["sorted"] == ["small", "wide"]
    largest = float(np.linalg.norm(wide, 2))
    assert found["last"] == ["step 2", pytest.approx(3 * largest, rel=1e-4)]
    assert found["first"] == ["step 0", pytest.approx(largest, rel=1e-4)]
    assert found["other"] == ["step 2", pytest.approx(float(np.linalg.norm(small, 2)), rel=1e-4)]
    assert found["drawn"] >= 8  # two layers a plot
    assert found["overflow"] <= 0


EMERGENCE = """
<script>
addEventListener("load", () => setTimeout(() => {
  const panel = (id) => document.getElementById(id).data || [];
  const told = () => [...document.querySelectorAll("#detachments li")].map((li) => li.textContent);
  const first = [told(), panel("emergence").map((trace) => [trace.name, trace.x.length]),
    panel("persistence").map((trace) => trace.y)];
  document.getElementById("matrix").value = 1;
  document.getElementById("matrix").dispatchEvent(new Event("change"));
  document.body.dataset.probe = JSON.stringify({
    first, other: [told(), document.getElementById("emergence").textContent],
  });
}, 1500));
</script>
"""


def test_outliers_are_drawn_over_the_edge_with_their_vectors(tmp_path):
    random = np.random.default_rng(0)
    noise, ladder = random.normal(size=(80, 70)), np.diag(np.geomspace(1, 1e4, 20))
    with Tracker(tmp_path / "run.zarr", every=1, vectors=2) as tracker:
        for step in range(6):
            noise[0, 0] = 60 if step > 2 else 0
            wide = noise + 0.1 * random.normal(size=noise.shape)
            tracker.update(step, {"wide": wide, "ladder": (1 + step) * ladder})
    write_run_report(tmp_path / "page.html", open_run(tmp_path / "run.zarr"), "A run")
    found = in_browser(tmp_path, EMERGENCE)
    (told,), traces, kept = found["first"]
    assert told.startswith("outlier 1: out at step 2.5(3); from record to record 0.99")
    names = [name for name, _ in traces]
    assert {"edge of the bulk", "largest level of noise, 90 %", "level 1", told} <= set(names)
    assert all(length == (1 if name == told else 6) for name, length in traces)
    left, right = kept  # of the one that is out
    assert left[0] is None
    assert left[3] < 0.2  # where it came from the bulk
    assert min(left[4:] + right[4:]) > 0.99
    assert found["other"] == [[], "No bulk of noise at any record: nothing steps out of it."]


def test_the_table_tells_tail_and_noise_scale_where_they_are_known(tmp_path):
    """Gradients 0.5 + N(0, 1) of every entry: a noise scale of 4 samples."""
    random = np.random.default_rng(0)
    heavy = np.diag(random.pareto(2.0, size=80) + 1) @ np.linalg.qr(random.normal(size=(80, 80)))[0]
    with Tracker(tmp_path / "run.zarr", every=1, batch_size=8) as tracker:
        for step in range(20):
            gradients = {
                "heavy": 0.5 + random.normal(size=(8, 80, 80)),
                "tiny": np.zeros((8, 2, 2)),
            }
            weights = {"heavy": heavy, "tiny": np.eye(2)}
            tracker.update(step, weights, micro_gradients=gradients, micro_batch=1)
    write_run_report(tmp_path / "page.html", open_run(tmp_path / "run.zarr"), "A run")
    page = (tmp_path / "page.html").read_text()
    table = page[page.index('id="matrices-table"') : page.index("</table>")]
    heads = re.findall(r"<button[^>]*>([^<]*)</button>", table)
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in table.split("<tr>")[2:]]
    found = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    scale, exponent = found["heavy"]["noise scale"], found["heavy"]["tail exponent"]
    assert float(scale.partition("(")[0]) == pytest.approx(4.0, rel=0.05)
    # of the singular values' density 3, of their squares' 2
    assert float(exponent.partition("(")[0]) == pytest.approx(2.0, abs=0.5)
    assert float(found["heavy"]["tail p"]) > 0.1
    assert found["heavy"]["shape"] == "80 × 80"
    assert found["tiny"]["noise scale"] == found["tiny"]["tail exponent"] == ""
