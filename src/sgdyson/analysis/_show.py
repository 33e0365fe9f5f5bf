"""Summaries on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from .._columns import Columns
from .._terminal import tell, visible
from ..stats import Estimate
from ._multiplet import measured_columns, measured_heads, span
from ._names import folded, short_names
from ._scaling import HistoryScaling
from ._summary import Summary

_HEADS = {"alpha": "alpha", "batch": "|B|", "label_noise": "label noise", "replicas": "replicas"}
_FIRST = (
    "alpha",
    "batch",
    "mean_spacing",
    "width",
    "wigner_pvalue",
)  # where a terminal has no room for all


def show(summaries: Sequence[Summary], lines: Sequence[HistoryScaling]) -> None:
    """A row for every multiplet, the scaling lines, and the notes, each once."""
    if not summaries:
        return
    names = short_names(summary.source for summary in summaries)
    measured = [each for summary in summaries for each in summary.multiplets]
    columns, heads = measured_columns(measured), measured_heads(measured)
    rows = [summary for summary in summaries for _ in summary.multiplets]
    fixed = {
        "source": [visible(names[each.source]) for each in rows],
        "levels": [span(each.indices) for each in measured],
    }
    others = {
        "alpha": [number(each.learning_rate) for each in rows],
        "batch": [number(each.batch_size) for each in rows],
        "label_noise": [number(each.label_noise) for each in rows],
        "replicas": [str(each.n_replicas) for each in rows],
    } | {key: [cell(value) for value in columns[key]] for key in heads}
    filled = {key: texts for key, texts in others.items() if any(texts)}
    Columns(fixed, filled, _HEADS | heads, _FIRST).show("--csv writes all")
    for line in lines:
        _tell_line(line)
    for note in folded({names[summary.source]: all_notes(summary) for summary in summaries}):
        tell(visible(note), stderr=False)


def _tell_line(line: HistoryScaling) -> None:
    matrix = "" if line.matrix is None else f"{visible(line.matrix)}, "
    noise = "" if line.label_noise is None else f", label noise {line.label_noise:g}"
    tell(
        f"{matrix}levels {span(line.indices)}{noise}: <S> = {line.line.slope} sqrt(alpha/|B|),"
        f" chi2/dof = {line.line.chi2:.2f}/{line.line.dof}"
        + (f"\n  {line.note}" if line.note else ""),
        stderr=False,
    )


def all_notes(summary: Summary) -> list[str]:
    """Its notes, and which replicas are one."""
    groups = (", ".join(map(str, group)) for group in summary.copies)
    return [*summary.notes, *(f"replicas {numbers} are one" for numbers in groups)]


def cell(value: Estimate | float | None) -> str:
    """An estimate with its error, a number of a test to four places, or nothing."""
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def number(value: float | None) -> str:
    """Short, or nothing."""
    return "" if value is None else f"{value:g}"
