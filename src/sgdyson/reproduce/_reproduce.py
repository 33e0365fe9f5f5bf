"""`sgdyson reproduce`: runs, figures, checks, report."""

import json
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from ..analysis import Check
from ..errors import require
from ..figures import save
from ..report import write_report
from ._data import Results
from ._figures import chosen_figures
from ._runs import open_folder, run_or_load
from ._settings import Setting, settings

_SOFTWARE = ("sgdyson", "jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "xarray", "zarr")


def reproduce(
    preset: str = "quick",
    *,
    only: Sequence[str] = (),
    out: Path | str = "reproduction",
    seed: int = 0,
    say: Callable[[str], None] = print,
    progress: bool = True,
) -> list[Check]:
    """Regenerate the figures of arXiv:2407.16427, and hold each number against its prediction.

    Writes `results.json`, `figures/*.png` and `*.pdf`, `report.html` and, one Zarr store each,
    the `runs`. Called again after an interruption, it goes on from the finished runs.

    Args:
        preset: "quick", "paper" or "literal".
        only: names of figures; all of them when empty.
        out: folder for the results, new or of the same preset and seed.
        seed: of all runs.
        say: told what is going on, a line at a time.
        progress: show progress bars on a terminal.

    Returns:
        The checks; all of them hold if every `passed` does.

    Raises:
        InvalidInputError: an unknown preset or figure, a folder that cannot or must not be used.
    """
    entries = chosen_figures(only)
    planned = settings(preset)
    require(0 <= seed < 2**63, f"seed = {seed!r} must be a whole number, not negative.")
    folder = Path(out)
    open_folder(folder, preset, seed)
    began = time.monotonic()
    records: list[dict[str, Any]] = []

    def load(setting: Setting) -> xr.Dataset:
        say(f"  run {setting.name}: {setting.replicas} replicas, {setting.updates} updates")
        run = run_or_load(setting, folder, seed, progress=progress)
        records.append(_record(setting, run))
        return run

    results = Results(planned, load)
    drawn, found = [], []
    for name, entry in entries.items():
        say(f"figure {name}")
        figure = entry.draw(results)
        save(figure, folder / "figures")
        drawn.append(figure)
        found += entry.check(results)
    elapsed = time.monotonic() - began
    command = _command(preset, only, folder, seed)
    checks = [check.to_dict() for check in found]
    _write_results(folder, preset, seed, command, elapsed, checks, records)
    write_report(
        folder / "report.html",
        title="Stochastic weight matrix dynamics and Dyson Brownian motion",
        subtitle=f"arXiv:2407.16427, reproduced by sgdyson: preset {preset}, seed {seed}.",
        checks=checks,
        figures=drawn,
        runs=records or [{"run": "none"}],
        command=command,
        elapsed=f"in {elapsed / 60:.1f} minutes",
        versions={name: version(name) for name in _SOFTWARE},
    )
    return found


def _record(setting: Setting, run: xr.Dataset) -> dict[str, Any]:
    return {
        "run": setting.name,
        "learning_rate": setting.learning_rate,
        "batch_size": setting.batch_size,
        "replicas": setting.replicas,
        "updates": setting.updates,
        "records": run.sizes["time"],
        "diverged": int(run.diverged.sum()),
        "seconds": float(run.attrs["seconds"]),
    }


def _command(preset: str, only: Sequence[str], out: Path, seed: int) -> str:
    chosen = "".join(f" --only {name}" for name in only)
    return f"sgdyson reproduce --preset {preset}{chosen} --seed {seed} --out {out}"


def _write_results(
    folder: Path,
    preset: str,
    seed: int,
    command: str,
    elapsed: float,
    checks: list[dict[str, Any]],
    records: list[dict[str, Any]],
) -> None:
    results = {
        "paper": "arXiv:2407.16427",
        "preset": preset,
        "seed": seed,
        "command": command,
        "elapsed_seconds": round(elapsed, 1),
        "versions": {name: version(name) for name in _SOFTWARE},
        "passed": all(check["passed"] for check in checks),
        "checks": checks,
        "runs": records,
    }
    partial = folder / ".results.json.partial"
    partial.write_text(json.dumps(results, indent=2, allow_nan=False) + "\n")
    partial.rename(folder / "results.json")
