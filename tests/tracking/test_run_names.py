"""Names of runs that stand side by side: each has one of its own."""

from pathlib import Path

import pytest

from sgdyson.cli._runs import run_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/one.zarr", "b/two.zarr"], ["one", "two"]),
        (["a/run.zarr", "b/run.zarr"], ["a/run", "b/run"]),
        (["a/run.zarr", "b/run.zarr", "a/other.zarr"], ["a/run", "b/run", "a/other"]),
        (["a/run.zarr", "a/run.zarr", "a/run.zarr"], ["a/run", "a/run (2)", "a/run (3)"]),
        (["x/a/run.zarr", "y/a/run.zarr"], ["a/run", "a/run (2)"]),
    ],
)
def test_no_two_runs_have_one_name(paths, names):
    found = run_names([Path(path) for path in paths])
    assert found == names
    assert len(set(found)) == len(paths)
