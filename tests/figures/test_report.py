"""The page: whole, escaped, self-contained, and alive in a browser."""

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from sgdyson.figures import Figure, Line, Panel, write_report

VOID = {"meta", "input", "br", "link", "img", "hr"}


def check(name: str, passed: bool, measured: float) -> dict:
    return {
        "name": name, "figure": "curve", "quantity": "<S> & more", "measured": measured,
        "setting": {"learning_rate": 0.1}, "error": 0.01, "predicted": 1.0, "ratio": measured,
        "tolerance": 0.04, "passed": passed,
    }  # fmt: skip


@pytest.fixture
def page(tmp_path):
    x = np.linspace(0, 1, 5)
    curve = Figure("curve", "A <curve>", "Made up.", [Panel([Line(x, x**2)], "x", "y")] * 2)
    path = tmp_path / "report.html"
    write_report(
        path,
        title="Made-up </script> numbers",
        subtitle="For the test.",
        checks=[check("second", True, 1.02), check("first", False, 1.5), check("third", True, 0.9)],
        figures=[curve],
        runs=[{"run": "one", "replicas": 7}],
        command="sgdyson reproduce",
        elapsed="in 1 minute",
        versions={"numpy": "2"},
    )
    return path


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_is_well_formed_and_asks_the_network_for_nothing(page):
    parser = Elements()
    parser.feed(page.read_text())
    assert parser.open == []
    for tag, attributes in parser.seen:
        assert tag not in ("link", "img", "iframe", "object")
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")
    policy = next(a["content"] for t, a in parser.seen if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy


def test_its_table_holds_every_check_the_failed_first(page):
    text = page.read_text()
    body = re.search(r'id="checks-table".*?<tbody>(.*?)</tbody>', text, re.DOTALL).group(1)
    rows = re.findall(r"<tr>(.*?)</tr>", body)
    assert [re.search("first|second|third", row).group() for row in rows] == [
        "first", "second", "third",
    ]  # fmt: skip
    assert "1.500(10)" in rows[0]
    assert "&lt;S&gt; &amp; more" in rows[0]
    assert "2 of 3 checks hold" in text
    assert "Made-up &lt;/script&gt; numbers" in text
    panels = json.loads(re.search(r'id="panels">(.*?)</script>', text, re.DOTALL).group(1))
    assert set(panels) == {"panel-curve-0", "panel-curve-1"}


PROBE = """
<script>
addEventListener("load", () => setTimeout(() => {
  const names = () => [...document.querySelectorAll("#checks-table tbody tr")]
    .filter((row) => !row.hidden).map((row) => row.cells[8].textContent);
  const before = names();
  const head = [...document.querySelectorAll("#checks-table thead button")]
    .find((button) => button.textContent === "measured");
  head.click();
  const sorted = names();
  const search = document.getElementById("search");
  search.value = "second";
  search.dispatchEvent(new Event("input"));
  document.body.dataset.probe = JSON.stringify({
    before, sorted, found: names(),
    drawn: document.querySelectorAll(".panel svg .scatterlayer path").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
}, 1500));
</script>
"""


@pytest.mark.parametrize("width", [500, 1366])
def test_in_a_browser(page, tmp_path, width):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine; CI installs it")
    assert browser, "CI must install Chromium"
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
        "--virtual-time-budget=10000", "--dump-dom",
    ]  # fmt: skip
    dump = subprocess.run(
        [browser, *flags, probed.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    found = json.loads(re.search(r'data-probe="([^"]*)"', dump).group(1).replace("&quot;", '"'))
    assert found["before"] == ["first", "second", "third"]
    assert found["sorted"] == ["third", "second", "first"]
    assert found["found"] == ["second"]
    assert found["drawn"] >= 2
    assert found["overflow"] <= 0
