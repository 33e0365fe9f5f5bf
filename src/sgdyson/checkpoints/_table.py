"""Rows of spectra on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.table import Column, Table

from .._terminal import console, visible
from ..stats import Estimate

_SHOWN = {
    "step": "step", "checkpoint": "checkpoint",
    "sigma": "sigma", "edge": "edge", "spectral": "largest",
    "random_spectral": "shuffled", "outliers": "outliers", "mp_distance": "MP distance",
    "bulk_pvalue": "bulk p", "mean_ratio": "<r>",
    "ks_pvalue": "surmise p", "stable_rank": "stable rank", "soft_rank": "soft rank",
    "effective_rank": "eff. rank",
    "tail_exponent": "tail", "tail_pvalue": "tail p",
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


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print a row for each matrix, of `Survey.rows` or `Comparison.rows`, to standard output."""
    drawn = console(width=160)
    heads = _COMPARED if any("distance" in row for row in rows) else _SHOWN
    shown = [name for name in heads if any(name in row for row in rows)]
    table = Table("matrix", "shape", *(Column(heads[name], justify="right") for name in shown))
    for row in rows:
        shape = f"{row['rows']} x {row['columns']}"
        table.add_row(visible(row["name"]), shape, *(_text(row, name) for name in shown))
    drawn.print(table)


def print_summary(rows: Sequence[dict[str, Any]]) -> None:
    """Print a row for each checkpoint, of `Survey.summary`, to standard output."""
    shown = [name for name in _SUMMARY if any(name in row for row in rows)]
    table = Table(*(Column(_SUMMARY[name], justify="right") for name in shown), title="mean")
    for row in rows:
        table.add_row(*(visible("" if row[name] is None else str(row[name])) for name in shown))
    console(width=160).print(table)


def _text(row: dict[str, Any], name: str) -> str:
    value, error = row.get(name), row.get(f"{name}_error")
    if value is None:
        return ""
    if error is not None:
        return str(Estimate(value, error, 1.0))
    return str(value) if isinstance(value, int | str) else f"{value:.4g}"
