"""`sgdyson reproduce`: runs, figures, checks, report."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..._attributes import json_text
from ..._checks import seed_of
from ..._files import user_path, write_text
from ...analysis import CheckTable
from ...figures import save, write_report
from ._data import Results
from ._entries import chosen_figures
from ._presets import runs as planned_runs
from ._presets import specs
from ._runs import Runs, open_folder

_SOFTWARE = ("sgdyson", "jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "xarray", "zarr")


def reproduce(
    preset: str = "quick",
    *,
    only: Sequence[str] = (),
    out: Path | str = "reproduction",
    seed: int = 0,
    say: Callable[[str], None] = print,
    progress: bool = True,
) -> CheckTable:
    """Regenerate the figures of arXiv:2407.16427, and hold each number against its prediction.

    Runs the paper's campaigns, `sgdyson.campaign.specs`, and writes `results.json`, `figures/*.png`
    and `*.pdf`, `report.html`, and the data to `campaigns`. Called again after an interruption, it
    goes on from what is finished.

    Args:
        preset: "quick", "paper" or "literal".
        only: names of figures; all of them when empty.
        out: folder for the results, new or of the same preset and seed.
        seed: of the random numbers of all runs.
        say: told what is going on, a line at a time.
        progress: show progress bars on a terminal.

    Returns:
        The checks; all of them hold if every `passed` does.

    Raises:
        InvalidInputError: an unknown preset or figure, a folder that cannot or must not be used.

    Examples:
        >>> checks = reproduce("quick", only=["wigner"], out="figures")  # doctest: +SKIP
        >>> all(check.passed for check in checks)  # doctest: +SKIP
        True
    """
    entries = chosen_figures(only)
    seed = seed_of("seed", seed)
    planned = specs(preset, seed)
    folder = user_path(out)
    open_folder(folder, preset, seed)
    began = time.monotonic()
    runs = Runs(folder, planned, say, progress)
    results = Results(partial(planned_runs, planned=planned), runs.load)
    drawn, outcome = [], []
    for name, entry in entries.items():
        say(f"figure {name}")
        figure = entry.draw(results)
        save(figure, folder / "figures")
        drawn.append(figure)
        outcome += entry.check(results)
    elapsed = time.monotonic() - began
    command = _command(preset, only, folder, seed)
    checks = [check.to_dict() for check in outcome]
    _write_results(folder, preset, seed, command, elapsed, checks, runs.records)
    write_report(
        folder / "report.html",
        title="Stochastic weight matrix dynamics and Dyson Brownian motion",
        subtitle=f"arXiv:2407.16427, reproduced by sgdyson: preset {preset}, seed {seed}.",
        checks=checks,
        figures=drawn,
        runs=runs.records or [{"run": "none"}],
        command=command,
        elapsed=f"in {elapsed / 60:.1f} minutes",
        versions={name: version(name) for name in _SOFTWARE},
    )
    return CheckTable(outcome)


def study_paper(
    out: Path, seed: int, say: Callable[[str], None], *, quick: bool = False
) -> CheckTable:
    """`reproduce`, as one of the studies: the statistics of the paper, or the quick ones.

    Args:
        out: folder, new or of the same preset and seed.
        seed: of the random numbers of all runs.
        say: told what is going on, a line at a time.
        quick: minutes instead of the paper's statistics.

    Returns:
        The checks.
    """
    return reproduce("quick" if quick else "paper", out=out, seed=seed, say=say)


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
    write_text(folder / "results.json", json_text(results, indent=2) + "\n")
