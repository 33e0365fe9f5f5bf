"""In which network, under which optimiser, is learning Dyson Brownian motion?

Six architectures and seven optimisers of the study `linear-scaling`, each in the middle of its
scans: single updates are read in the singular vectors of the matrices, and the Dyson index tells.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..._files import write_text
from ...analysis import Check, CheckTable
from ...optimizers import OPTIMIZERS
from .._study import claim_study, plain_estimate, save_figures, write_results
from ..linear_scaling import ARCHITECTURES
from ._figure import index_figure
from ._measure import Row, measure
from ._runs import middle, recorded

Say = Callable[[str], None]
_SHOWN = {
    "teacher_student": "weights", "gaussian_rbm": "weights", "linear_network": "product",
    "two_layer_teacher": "weights", "mlp": "layer1", "character_transformer": "block1.mlp_in",
}  # fmt: skip
_REPLICAS, _UPDATES = 16, 4096  # of a network; of all replicas together
_QUICK = (("teacher_student", "mlp"), ("sgd", "adam"))
# noise of the student's gradient at rest is the same for all entries, whatever is linear in it
_KNOWN = ("teacher_student",)


def study_dyson_test(out: Path, seed: int, say: Say, *, quick: bool = False) -> CheckTable:
    """Measure the Dyson index in every architecture under every optimiser.

    Writes a figure, `results.json`, `table.md` and the measured steps.

    Args:
        out: folder, made if need be; what is finished in it is not run again.
        seed: of all runs.
        say: is told what goes on.
        quick: two architectures and two optimisers, briefly, to look at.

    Returns:
        Checks of the index where theory knows it, 1 in the linear student under optimisers that
        are linear in the gradient.
    """
    out = claim_study(out, "dyson-test", seed, quick)
    architectures, optimizers = _QUICK if quick else (tuple(ARCHITECTURES), tuple(OPTIMIZERS))
    rows: list[Row] = []
    for optimizer in optimizers:
        for architecture in architectures:
            say(f"{architecture} under {optimizer}")
            rows += _of(architecture, optimizer, seed, out, quick)
    shown = {a: matrix for a, matrix in _SHOWN.items() if a in architectures}
    save_figures([index_figure(rows, shown)], out)
    write_text(out / "table.md", table(rows))
    checks = [_check(row) for row in rows if _is_known(row)]
    write_results(out, "dyson-test", seed, checks, matrices=[_plain(row) for row in rows])
    return CheckTable(checks)


def _of(architecture: str, optimizer: str, seed: int, out: Path, quick: bool) -> list[Row]:
    setting = middle(architecture, optimizer, seed)
    replicas = min(setting.replicas, 64) if not quick else 8
    if quick:
        setting = setting.model_copy(update={"burn_in": min(int(setting.burn_in), 40)})
    bursts = max(_UPDATES // (8 * replicas), 2) if not quick else 3
    store = out / "steps" / f"{architecture}-{optimizer}.npz"
    return measure(architecture, optimizer, recorded(setting, replicas, bursts, store))


def _is_known(row: Row) -> bool:
    return row.architecture in _KNOWN and OPTIMIZERS[row.optimizer].linear and row.index is not None


def _check(row: Row) -> Check:
    assert row.index is not None
    return Check(
        name=f"{row.architecture}/{row.optimizer}/{row.matrix}",
        figure="dyson_index",
        quantity="Dyson index",
        setting={"architecture": row.architecture, "optimizer": row.optimizer},
        measured=row.index.index,
        predicted=1.0,
    )


def table(rows: list[Row]) -> str:
    """All matrices, as a table in Markdown."""
    lines = [
        r"| optimiser | architecture | matrix | $\beta_\mathrm{dyn}$ | $p$ against 1 |"
        r" $p$ against 0 | lowest level | highest level | $p$ of all levels 1 | bulk | outliers |"
        " verdict |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        head = f"| {row.optimizer} | {row.architecture} | {row.matrix} |"
        index = row.index
        if index is None:
            lines.append(f"{head} – | – | – | – | – | – | – | – | no noise, or diverged |")
            continue
        levels = sorted((e for e in index.of_level if e), key=lambda e: e.value)
        lines.append(
            f"{head} {index.index} | {index.pvalue_one:.2g} | {index.pvalue_zero:.2g}"
            f" | {levels[0]} | {levels[-1]} | {index.pvalue_levels:.2g}"
            f" | {row.bulk or '–'} | {row.outliers or '–'} | {index.verdict} |"
        )
    return "\n".join(lines) + "\n"


def _plain(row: Row) -> dict[str, Any]:
    content: dict[str, Any] = {
        "architecture": row.architecture, "optimizer": row.optimizer, "matrix": row.matrix,
        "bulk": plain_estimate(row.bulk), "outliers": plain_estimate(row.outliers),
    }  # fmt: skip
    if row.index is None:
        return content
    index = row.index
    return content | {
        "index": plain_estimate(index.index),
        "p_one": index.pvalue_one, "p_zero": index.pvalue_zero,
        "p_levels": index.pvalue_levels, "power": index.power, "verdict": index.verdict,
        "of_level": [plain_estimate(each) for each in index.of_level], "null": list(index.null),
        "alternating": list(index.alternating),
    }  # fmt: skip
