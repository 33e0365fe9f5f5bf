"""The page of a tracked run is alive in a browser: its table sorts, its slider turns time back."""

import html
import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from sgdyson._attributes import csv_text
from sgdyson.tracking import Burst, Run, Tracker, open_run, report_rows, write_run_report

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
    Math.max(...document.getElementById("spectrum").data[1].x)];
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
    return json.loads(html.unescape(re.search(r'data-probe="([^"]*)"', dump).group(1)))


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


ALIVE = """
<script>
addEventListener("load", () => setTimeout(async () => {
  const data = (id) => (document.getElementById(id).data || [])
    .map((trace) => [trace.x, trace.y, trace.name]);
  const map = () => {
    const panel = document.getElementById("overview-map");
    return [panel.data[0].z, panel.layout.yaxis.ticktext, panel.layout.title.text];
  };
  const chosen = () => document.getElementById("matrix").selectedOptions[0].textContent;
  const set = (id, value, kind) => {
    document.getElementById(id).value = value;
    document.getElementById(id).dispatchEvent(new Event(kind));
  };
  const outliers = map();
  set("quantity", "spectral", "change");
  const spectral = map();
  set("filter", "sMa", "input");
  const filtered = [map()[1], [...document.querySelectorAll("#matrices-table tbody tr")]
    .filter((row) => !row.hidden).map((row) => row.cells[0].textContent)];
  document.querySelector("#matrices-table tbody tr:last-child a.matrix").click();
  await new Promise((done) => setTimeout(done, 300));
  document.body.dataset.probe = JSON.stringify({
    outliers, spectral, filtered, chosen: chosen(), hash: location.hash,
    scalars: [0, 1].map((i) => data(`scalar-${i}`)),
    quantities: [...document.getElementById("quantity").options].map((one) => one.value),
    csv: JSON.parse(document.getElementById("csv").textContent),
    link: ["protocol", "download"].map((key) => document.getElementById("download")[key]),
  });
}, 1500));
</script>
"""


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    random = np.random.default_rng(0)
    noise, small = random.normal(size=(80, 70)), random.normal(size=(9, 8))
    for run, scale in (("a", 1.0), ("b", 2.0)):
        with Tracker(folder / f"{run}.zarr", every=1, learning_rate=0.1 * scale) as tracker:
            for step in range(4):
                noise[0, 0] = 60 if step > 1 else 0
                names = {"small": small} if run == "a" else {"other": small}
                tracker.update(step, {"wide/β <w>": scale * noise, **names})
                tracker.log_scalar("loss", scale / (1 + step))
    return {name: open_run(folder / f"{name}.zarr") for name in "ab"}


def test_all_matrices_at_a_glance_a_filter_links_and_losses(tmp_path, two_runs):
    write_run_report(tmp_path / "page.html", two_runs["a"], "My run: 1")
    found = in_browser(tmp_path, ALIVE)
    wide = Run(two_runs["a"]).values("wide/β <w>")[:, 0]
    # the first matrix stands above
    assert found["outliers"] == [[[0] * 4, [0, 0, 1, 1]], ["small", "wide/β <w>"], "outliers"]
    np.testing.assert_allclose(found["spectral"][0][1], wide, rtol=1e-4)
    assert found["filtered"] == [["small"], ["small"]]
    assert found["chosen"] == "small (9 x 8)"
    assert found["hash"] == "#small"
    assert found["scalars"] == [
        [[[0, 1, 2, 3], [1, 0.5, 0.33333, 0.25], "My run: 1"]],
        [[[0, 1, 2, 3], [0.1] * 4, "My run: 1"]],
    ]
    assert {"outliers", "sigma", "spectral", "stable_rank", "tail_exponent"} <= set(
        found["quantities"]
    )
    assert found["csv"] == csv_text(report_rows(two_runs["a"]))
    assert found["link"] == ["blob:", "My-run-1.csv"]


BESIDE = """
<script>
addEventListener("load", () => setTimeout(() => {
  const trace = (id) => (document.getElementById(id).data || []).map((trace) => trace.name);
  const top = (id) => Math.max(...document.getElementById(id).data[1].x);
  const slider = document.getElementById("time");
  const first = [chosen(), top("spectrum"), top("spectrum-1")];
  function chosen() { return document.getElementById("matrix").selectedOptions[0].textContent; }
  slider.value = 0;
  slider.dispatchEvent(new Event("input"));
  const shown = document.getElementById("shown").textContent;
  const before = [shown, top("spectrum"), top("spectrum-1")];
  document.getElementById("matrix").value = 2;
  document.getElementById("matrix").dispatchEvent(new Event("change"));
  document.body.dataset.probe = JSON.stringify({
    first, before, other: [chosen(), document.getElementById("spectrum").textContent],
    losses: trace("scalar-0"),
    runs: [...document.querySelectorAll("#matrices-table tbody tr")]
      .map((row) => row.cells[0].textContent),
    maps: ["overview-map", "overview-1-map"]
      .map((id) => document.getElementById(id).layout.title.text),
    colours: ["overview-map", "overview-1-map"].flatMap((id) => {
      const trace = document.getElementById(id).data[0];
      return [[trace.zmin, trace.zmax], trace.z.flat().filter((value) => value !== null)];
    }),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
}, 1500));
</script>
"""


@pytest.mark.parametrize("width", [500, 1366])
def test_runs_side_by_side(tmp_path, two_runs, width):
    write_run_report(tmp_path / "page.html", two_runs, "a and b")
    found = in_browser(tmp_path, BESIDE, width)
    ends = {name: Run(run).values("wide/β <w>")[:, 0] for name, run in two_runs.items()}
    last = [pytest.approx(ends[name][-1], rel=1e-4) for name in "ab"]
    assert found["first"] == ["wide/β <w> (80 x 70)", *last]
    first = [pytest.approx(ends[name][0], rel=1e-4) for name in "ab"]
    assert found["before"] == ["step 0, 0", *first]
    assert found["other"] == ["other (9 x 8)", "a has no such matrix."]
    assert found["losses"] == ["a", "b"]
    assert found["runs"] == ["a", "a", "b", "b"]
    assert found["maps"] == ["a: outliers", "b: outliers"]
    one, a, other, b = found["colours"]
    assert one == other == [min(a + b), max(a + b)]  # one scale
    assert found["overflow"] <= 0


def test_the_motion_of_levels_over_time(tmp_path):
    """Of a matrix whose noise ceases to mix levels halfway the Dyson index falls from 1 to 0."""
    random = np.random.default_rng(0)
    w = np.diag(np.linspace(3, 1, 12))
    with Tracker(tmp_path / "r", every=Burst(8, 25), dynamics=True) as tracker:
        for step in range(1600):
            tracker.update(step, {"w": w, "still": np.eye(3)})
            kick = 1e-4 * random.normal(size=w.shape)
            if step >= 800:
                u, _, v = np.linalg.svd(w)
                kick = u @ np.diag(np.diag(kick)) @ v
            w = w + kick
    write_run_report(tmp_path / "page.html", open_run(tmp_path / "r"), "run")
    text = (tmp_path / "page.html").read_text()
    (run,) = json.loads(re.search(r'id="runs">(.*?)</script>', text, re.DOTALL)[1])
    steps, rows = run["overview"]["steps"], run["overview"]["maps"]["dyson_index"]["rows"]
    index = np.array(rows[0], float)
    assert abs(index[np.less(steps, 750)] - 1).max() < 0.3
    assert abs(index[np.greater(steps, 850)]).max() < 1e-6
    assert rows[1] == [None] * len(steps)


def test_a_long_loss_is_drawn_by_its_means(tmp_path):
    with Tracker(tmp_path / "r", every=1000) as tracker:
        tracker.update(0, {"w": np.eye(3)})
        for step in range(2000):
            tracker.log_scalar("loss", float(step % 2), step)
    write_run_report(tmp_path / "page.html", open_run(tmp_path / "r"), "run", refresh=7)
    text = (tmp_path / "page.html").read_text()
    (run,) = json.loads(re.search(r'id="runs">(.*?)</script>', text, re.DOTALL)[1])
    (loss,) = run["scalars"]
    assert loss["averaged"]
    assert loss["steps"] == [4 * i + 1.5 for i in range(500)]
    assert set(loss["values"]) == {0.5}
    assert '<meta http-equiv="refresh" content="7">' in text


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
    table = re.sub(r"</?a[^>]*>", "", table)
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in table.split("<tr>")[2:]]
    found = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    scale, exponent = found["heavy"]["noise scale"], found["heavy"]["tail exponent"]
    assert float(scale.partition("(")[0]) == pytest.approx(4.0, rel=0.05)
    # of the singular values' density 3, of their squares' 2
    assert float(exponent.partition("(")[0]) == pytest.approx(2.0, abs=0.5)
    assert float(found["heavy"]["tail p"]) > 0.1
    assert found["heavy"]["shape"] == "80 × 80"
    assert found["tiny"]["noise scale"] == found["tiny"]["tail exponent"] == ""


FAR = """
<script>
addEventListener("load", () => setTimeout(() => {
  const found = [];
  for (const number of [0, 1, 2]) {
    document.getElementById("matrix").value = number;
    document.getElementById("matrix").dispatchEvent(new Event("change"));
    const { data, layout } = document.getElementById("spectrum");
    found.push({ end: layout.xaxis.range[1], words: layout.annotations.map((a) => a.text),
      mass: data[0].y.reduce((sum, y) => sum + y, 0) * data[0].width,
      levels: document.getElementById("levels").layout.yaxis.type });
  }
  document.body.dataset.probe = JSON.stringify(found);
}, 1500));
</script>
"""


def test_an_outlier_far_out_leaves_the_bulk_its_room(tmp_path):
    """It is told in words; the bars have the mass of what is inside the axis."""
    random = np.random.default_rng(0)
    noise, u, v = random.normal(size=(80, 70)), random.normal(size=80), random.normal(size=70)
    spike = np.outer(u, v) / (np.linalg.norm(u) * np.linalg.norm(v))
    arrays = {"far": noise + 500 * spike, "near": noise + 30 * spike, "none": noise}
    with Tracker(tmp_path / "run.zarr", every=1) as tracker:
        for step in range(2):
            tracker.update(step, arrays)
    write_run_report(tmp_path / "page.html", open_run(tmp_path / "run.zarr"), "A run")
    far, near, none = in_browser(tmp_path, FAR)
    bulk = 70**0.5 + 80**0.5
    assert bulk < far["end"] < 3.3 * bulk
    top = float(np.linalg.norm(arrays["far"], 2))
    assert far["words"] == [f"beyond this axis: 1 level, {top:.0f} →"]
    assert far["mass"] == pytest.approx(69 / 70)
    assert near["end"] == pytest.approx(1.05 * np.linalg.norm(arrays["near"], 2), rel=1e-4)
    assert near["words"] == none["words"] == []
    assert [near["mass"], none["mass"]] == pytest.approx([1, 1])
    assert (far["levels"], none["levels"]) == ("log", "linear")
