"""The page of an analysis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .._version import __version__
from ..figures import write_report
from ._check import Check
from ._figures import history_scaling, history_spacings
from ._scaling import HistoryScaling
from ._show import name_of, number
from ._summary import Summary

_MOST = 24  # panels


def write_summary_report(
    path: Path, summaries: Sequence[Summary], lines: Sequence[HistoryScaling], *, command: str
) -> None:
    """Write the HTML page of an analysis.

    Args:
        path: path of the page.
        summaries: at least one.
        lines: of `scaling_lines`.
        command: that makes it again.
    """
    pairs = [
        (name_of(summary.source), each.pair)
        for summary in summaries
        for each in summary.multiplets
        if each.pair
    ]
    figures = [history_spacings(pairs[:_MOST])] if pairs else []
    if lines:
        figures.append(history_scaling(lines))
    write_report(
        path,
        title="Spacings, widths and the surmise",
        subtitle=f"{len(summaries)} histories, measured without a model.",
        checks=[check.to_dict() for check in surmise_checks(summaries)],
        figures=figures, runs=[_row(summary) for summary in summaries],
        command=command, elapsed="by sgdyson analyze", versions={"sgdyson": __version__},
    )  # fmt: skip


def surmise_checks(summaries: Sequence[Summary]) -> list[Check]:
    """<s^2> of every pair against the surmise of its beta."""
    return [
        Check(
            name=f"surmise/{place}/{'-'.join(map(str, each.indices))}",
            figure="spacings",
            quantity=f"<s^2> of a pair, by the Wigner surmise of beta = {each.pair.beta}",
            setting=_setting(summary),
            measured=each.pair.second_moment,
            predicted=each.pair.surmise.var() + 1,
        )
        for place, summary in enumerate(summaries)
        for each in summary.multiplets
        if each.pair
    ]


def _setting(summary: Summary) -> dict[str, float | str]:
    values = {
        "learning_rate": summary.learning_rate, "batch_size": summary.batch_size,
        "label_noise": summary.label_noise, "source": name_of(summary.source),
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


def _row(summary: Summary) -> dict[str, float | str]:
    main = summary.main
    test = main.pair and main.pair.wigner
    return {
        "source": name_of(summary.source),
        "α": number(summary.learning_rate), "|B|": number(summary.batch_size),
        "label_noise": number(summary.label_noise), "replicas": float(summary.n_replicas),
        "records": float(summary.records), "copies": float(summary.duplicates),
        "diverged": float(summary.diverged),
        "<S>": str(main.mean_spacing or ""), "width": str(main.width),
        "KS": f"{test.statistic:.3g}" if test else "", "p": f"{test.pvalue:.3g}" if test else "",
        "notes": "; ".join(summary.notes),
    }  # fmt: skip
