"""Summaries on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Column, Table

from .._terminal import console, tell, visible
from ._multiplet import span
from ._scaling import HistoryScaling
from ._summary import Summary


def show(summaries: Sequence[Summary], lines: Sequence[HistoryScaling]) -> None:
    """A row for every multiplet, the scaling lines, and the notes."""
    drawn = console()
    if not summaries:
        return
    heads = ("alpha", "|B|", "label noise", "replicas", "levels", "<S>", "width", "KS", "p")
    table = Table("source", *(Column(head, no_wrap=True) for head in heads))
    for summary in summaries:
        for each in summary.multiplets:
            test = each.pair and each.pair.wigner
            table.add_row(
                visible(name_of(summary.source)), number(summary.learning_rate),
                number(summary.batch_size), number(summary.label_noise), str(summary.n_replicas),
                span(each.indices), str(each.mean_spacing or ""), str(each.width),
                f"{test.statistic:.4f}" if test else "", f"{test.pvalue:.4f}" if test else "",
            )  # fmt: skip
    drawn.print(table)
    for line in lines:
        matrix = "" if line.matrix is None else f"{visible(line.matrix)}, "
        noise = "" if line.label_noise is None else f", label noise {line.label_noise:g}"
        tell(
            f"{matrix}levels {span(line.indices)}{noise}: <S> = {line.line.slope} sqrt(alpha/|B|),"
            f" chi2/dof = {line.line.chi2:.2f}/{line.line.dof}", stderr=False,
        )  # fmt: skip
    for summary in summaries:
        for note in summary.notes:
            tell(f"{visible(summary.source)}: {note}", stderr=False)
        for group in summary.copies:
            numbers = ", ".join(map(str, group))
            tell(f"{visible(summary.source)}: replicas {numbers} are one", stderr=False)


def number(value: float | None) -> str:
    """Short, or nothing."""
    return "" if value is None else f"{value:g}"


def name_of(source: str) -> str:
    """The last part of the path, and the setting."""
    path, _, setting = source.partition(": ")
    return Path(path).name + (f": {setting}" if setting else "")
