"""Summaries on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Column, Table

from .._terminal import console, tell, visible
from ..stats import Estimate
from ._multiplet import measured_columns, measured_heads, span
from ._names import folded, short_names
from ._scaling import HistoryScaling
from ._summary import Summary


def show(summaries: Sequence[Summary], lines: Sequence[HistoryScaling]) -> None:
    """A row for every multiplet, the scaling lines, and the notes, each once."""
    if not summaries:
        return
    names = short_names(summary.source for summary in summaries)
    measured = [each for summary in summaries for each in summary.multiplets]
    columns, heads = measured_columns(measured), measured_heads(measured)
    first = ("alpha", "|B|", "label noise", "replicas", "levels")
    table = Table("source", *(Column(h, no_wrap=True) for h in (*first, *heads.values())))
    rows = [(summary, each) for summary in summaries for each in summary.multiplets]
    for place, (summary, each) in enumerate(rows):
        table.add_row(
            visible(names[summary.source]), number(summary.learning_rate),
            number(summary.batch_size), number(summary.label_noise), str(summary.n_replicas),
            span(each.indices), *(cell(columns[key][place]) for key in heads),
        )  # fmt: skip
    console().print(table)
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
