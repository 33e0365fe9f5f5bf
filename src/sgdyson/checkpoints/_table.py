"""Rows of spectra on the terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from .._columns import Columns
from .._terminal import visible
from ..stats import Estimate

_SHOWN = {
    "step": "step", "checkpoint": "checkpoint",
    "sigma": "sigma", "edge": "edge", "spectral": "largest",
    "random_spectral": "shuffled", "traps": "traps", "outliers": "outliers",
    "mp_distance": "MP distance",
    "bulk_pvalue": "bulk p", "mean_ratio": "<r>",
    "ks_pvalue": "surmise p", "stable_rank": "stable rank", "soft_rank": "soft rank",
    "effective_rank": "eff. rank", "rank": "rank",
    "tail_exponent": "tail", "tail_pvalue": "tail p",
    "cutoff_exponent": "with cut-off", "cutoff_pvalue": "cut-off p",
}  # fmt: skip

_COMPARED = {
    "distance": "distance", "values_distance": "of values", "vectors": "vectors",
    "left_overlap": "left overlap", "left_chance": "by chance",
    "right_overlap": "right overlap", "right_chance": "by chance",
    "change_outliers": "change: outliers", "change_bulk_pvalue": "bulk p",
    "change_stable_rank": "stable rank",
}  # fmt: skip

_SUMMARY = {
    "step": "step", "checkpoint": "checkpoint", "matrices": "matrices", "weights": "weights",
    "outliers": "outliers", "soft_rank": "soft rank", "stable_rank": "stable rank",
    "log_norm": "lg |W|^2", "log_spectral": "lg s_max^2", "tails": "power laws",
    "tail_exponent": "tail", "weighted_exponent": "weighted",
}  # fmt: skip

HEADS = {"name": "matrix", "rows": "rows", "columns": "columns"} | _SHOWN


_FIRST = (  # to keep where a terminal has no room for all
    "step", "checkpoint", "sigma", "outliers", "spectral", "stable_rank", "bulk_pvalue",
    "tail_exponent", "tail_pvalue", "cutoff_pvalue", "mean_ratio", "edge", "random_spectral",
    "soft_rank",    "distance", "values_distance", "left_overlap", "left_chance", "change_outliers",
    "matrices", "log_norm", "log_spectral", "weighted_exponent",
)  # fmt: skip


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print a row for each matrix, of `Survey.rows` or `Comparison.rows`, to standard output.

    In a terminal that is too narrow for all columns the last of them are left out, and named.
    """
    heads = _COMPARED if any("distance" in row for row in rows) else _SHOWN
    shown = shown_columns(rows, heads)
    names = [visible(row["name"]) for row in rows]
    shapes = [f"{row['rows']} x {row['columns']}" for row in rows]
    cells = {name: [_text(row, name) for row in rows] for name in shown}
    fixed = {"matrix": names, "shape": shapes}
    Columns(fixed, cells, heads, _FIRST).show("--csv writes all")


def shown_columns(rows: Sequence[dict[str, Any]], heads: Iterable[str]) -> list[str]:
    """Columns that some row fills; ranks only where one is smaller than its shape."""
    shown = [name for name in heads if any(row.get(name) is not None for row in rows)]
    if "rank" in shown and all(row["rank"] == min(row["rows"], row["columns"]) for row in rows):
        shown.remove("rank")
    return shown


def print_summary(rows: Sequence[dict[str, Any]]) -> None:
    """Print a row for each checkpoint, of `Survey.summary`, to standard output."""
    shown = [name for name in _SUMMARY if any(name in row for row in rows)]
    cells = {
        name: [visible("" if row[name] is None else str(row[name])) for row in rows]
        for name in shown
    }
    Columns({}, cells, _SUMMARY, _FIRST, "mean").show()


def _text(row: dict[str, Any], name: str) -> str:
    value, error = row.get(name), row.get(f"{name}_error")
    if value is None:
        return ""
    if error is not None:
        return str(Estimate(value, error, 1.0))
    return str(value) if isinstance(value, int | str) else f"{value:.4g}"
