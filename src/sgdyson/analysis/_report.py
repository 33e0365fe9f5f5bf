"""The page of an analysis."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import __version__
from ..report import write_report
from ._check import Check
from ._figures import history_scaling, history_spacings
from ._scaling_lines import ScalingLine
from ._show import name_of
from ._summary import Summary

_MOST = 24  # panels


def write_summary_report(
    path: Path, summaries: Sequence[Summary], lines: Sequence[ScalingLine], *, command: str
) -> None:
    """Write the HTML page of an analysis.

    Args:
        path: of the page.
        summaries: at least one.
        lines: of `scaling_lines`.
        command: that makes it again.
    """
    checks = [
        Check(
            name=f"surmise/{number}/{'-'.join(map(str, part.indices))}",
            figure="spacings",
            quantity="<s^2> of a pair, 4/π by the Wigner surmise",
            setting=_setting(summary),
            measured=part.second_moment,
            predicted=4 / np.pi,
        ).to_dict()
        for number, summary in enumerate(summaries)
        for part in summary.multiplets
        if part.second_moment
    ]
    pairs = [(s, part) for s in summaries for part in s.multiplets if part.spacing is not None]
    figures = []
    if pairs:
        figures.append(
            history_spacings(
                [(name_of(s.source), part.spacing, part.mean_spacing) for s, part in pairs[:_MOST]
                 if part.spacing is not None and part.mean_spacing]
            )
        )  # fmt: skip
    if lines:
        figures.append(history_scaling(lines))
    write_report(
        path,
        title="Spacings, widths and the surmise",
        subtitle=f"{len(summaries)} histories, measured without a model.",
        checks=checks, figures=figures, runs=[_row(summary) for summary in summaries],
        command=command, elapsed="by sgdyson analyze", versions={"sgdyson": __version__},
    )  # fmt: skip


def _setting(summary: Summary) -> dict[str, float | str]:
    found = {
        "learning_rate": summary.learning_rate, "batch_size": summary.batch_size,
        "noise": summary.noise, "source": name_of(summary.source),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _row(summary: Summary) -> dict[str, float | str]:
    main = summary.main
    test = main.ks_wigner
    return {
        "source": name_of(summary.source),
        "α": _text(summary.learning_rate), "|B|": _text(summary.batch_size),
        "noise": _text(summary.noise), "replicas": float(summary.n_replicas),
        "records": float(summary.records), "copies": float(summary.duplicates),
        "diverged": float(summary.diverged),
        "<S>": str(main.mean_spacing or ""), "width": str(main.width),
        "KS": f"{test.statistic:.3g}" if test else "", "p": f"{test.pvalue:.3g}" if test else "",
        "notes": "; ".join(summary.notes),
    }  # fmt: skip


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
