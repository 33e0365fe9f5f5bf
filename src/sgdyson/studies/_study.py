"""What every study writes: whole or not at all."""

from pathlib import Path
from typing import Any

from .._attributes import json_text
from .._checks import seed_of
from .._files import write_text
from .._folders import cannot_be_used, claim_folder
from .._version import __version__
from ..analysis import Check
from ..figures import Figure, save
from ..stats import Estimate


def claim_study(out: Path, name: str, seed: int, quick: bool) -> Path:
    """The folder of a study, new or of the same name and settings.

    Raises:
        InvalidInputError: a folder with other contents, a seed that is none.
    """
    seed = seed_of("seed", seed)
    claim = {"study": name, "seed": seed, "quick": quick, "sgdyson_version": __version__}
    return claim_folder(out, "study.json", claim, "a study")


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
    write_text(out / "results.json", json_text(content, indent=1) + "\n")


def plain_estimate(estimate: Estimate | None) -> dict[str, float] | None:
    """An estimate as JSON has it; null where there is none."""
    return estimate.to_dict() if estimate else None


def save_figures(figures: list[Figure], out: Path) -> None:
    """Draw figures into `out/figures`, as vectors and as pixels."""
    try:
        (out / "figures").mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_be_used(out, error) from error
    for figure in figures:
        save(figure, out / "figures", ("pdf", "svg", "png"))
