"""Commands of `benchmarks/` still begin, and what they call is still there; nothing is timed."""

import importlib
from pathlib import Path

import pytest

from sgdyson.campaign import Campaign

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))


@pytest.fixture
def benchmark(monkeypatch):
    """A module of the folder by its name; what it needs beside sgdyson comes with Dask."""
    monkeypatch.syspath_prepend(str(ROOT))

    def named(name):
        if name in ("cluster", "large", "spectra"):
            pytest.importorskip("psutil")
        if name == "cluster":
            pytest.importorskip("distributed")
        return importlib.import_module(f"benchmarks.{name}")

    return named


@pytest.mark.parametrize("name", MODULES)
def test_each_has_a_command(benchmark, name):
    assert callable(benchmark(name).main)


def test_the_store_by_itself(benchmark, tmp_path, monkeypatch):
    campaign = benchmark("campaign")
    monkeypatch.setattr(campaign, "MINUTE", small(campaign))
    _, processors, chunks = campaign.alone(tmp_path)
    assert processors > 0
    assert chunks == Campaign.from_folder(tmp_path / "minute").finished()[1] > 1


def test_chunks_kept_nowhere(benchmark, tmp_path):
    campaign = benchmark("campaign")
    spec = tmp_path / "spec.toml"
    spec.write_text(small(campaign))
    campaign.bare(Campaign.from_file(spec, tmp_path / "out"), workers=1)
    assert not (tmp_path / "out").exists()


def small(campaign):
    return campaign.SPEC.replace("1500", "100").replace("512", "32")
