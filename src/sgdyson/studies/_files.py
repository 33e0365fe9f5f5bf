"""What every study writes: whole or not at all."""

import json
from pathlib import Path
from typing import Any

from .. import __version__
from ..analysis import Check
from ..figures import Figure, save


def write_results(out: Path, study: str, seed: int, checks: list[Check], **more: Any) -> None:
    """`results.json`: settings and numbers of a study, and its checks."""
    content = {
        "study": study,
        "sgdyson_version": __version__,
        "seed": seed,
        "passed": all(check.passed for check in checks),
        **more,
        "checks": [check.to_dict() for check in checks],
    }
    write_text(out / "results.json", json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_text(file: Path, content: str) -> None:
    """A text file, moved into its place when complete."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(file)


def save_figures(figures: list[Figure], out: Path) -> None:
    """In `out/figures`, as vectors and as pixels."""
    (out / "figures").mkdir(exist_ok=True)
    for figure in figures:
        save(figure, out / "figures", ("pdf", "svg", "png"))
