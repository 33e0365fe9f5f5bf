"""The page of an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .._version import __version__
from ..figures import write_report
from ._check import Check
from ._figures import history_densities, history_gaps, history_scaling, history_spacings
from ._gaps import gap_law
from ._multiplet import MeasuredMultiplet, measured_columns, measured_heads, span
from ._names import folded, short_names
from ._scaling import HistoryScaling
from ._show import all_notes, cell, number
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
    names = short_names(summary.source for summary in summaries)
    many = [(names[summary.source], each) for summary in summaries for each in summary.multiplets]
    pairs = [(name, each.pair) for name, each in many if each.pair]
    larger = [(name, each) for name, each in many if each.gaps][:_MOST]
    figures = [history_spacings(pairs[:_MOST])] if pairs else []
    if larger:
        figures += [history_gaps(larger), history_densities(larger)]
    if lines:
        figures.append(history_scaling(lines))
    write_report(
        path,
        title="Spacings, widths and the surmise",
        subtitle=f"{len(summaries)} histories, measured without a model.",
        checks=[check.to_dict() for check in surmise_checks(summaries)],
        figures=figures, runs=list(_rows(summaries, names)),
        command=command, elapsed="by sgdyson analyze", versions={"sgdyson": __version__},
        notes=list(folded({names[summary.source]: all_notes(summary) for summary in summaries})),
    )  # fmt: skip


def surmise_checks(summaries: Sequence[Summary]) -> list[Check]:
    """<s^2> of pairs against the surmise, of gaps of larger multiplets against their law."""
    names = short_names(summary.source for summary in summaries)
    return [
        check
        for place, summary in enumerate(summaries)
        for each in summary.multiplets
        for check in _checks(f"{place}/{'-'.join(map(str, each.indices))}", each,
                             _setting(summary, names))
    ]  # fmt: skip


def _checks(
    place: str, each: MeasuredMultiplet, setting: Mapping[str, float | str]
) -> Iterator[Check]:
    if each.pair:
        yield Check(
            name=f"surmise/{place}",
            figure="spacings",
            quantity=f"<s^2> of a pair, by the Wigner surmise of beta = {each.beta}",
            setting=setting,
            measured=each.pair.second_moment,
            predicted=each.pair.surmise.var() + 1,
        )
    elif each.gaps:
        law = gap_law(len(each.indices), each.beta)
        yield Check(
            name=f"gaps/{place}",
            figure="gaps",
            quantity=f"<s^2> of the gaps of {law.n} levels, by their ensemble of beta ="
            f" {each.beta}",
            setting=setting,
            measured=each.gap_moment,
            predicted=law.var() + 1,
            theory_error=law.error,
        )


def _setting(summary: Summary, names: Mapping[str, str]) -> dict[str, float | str]:
    values = {
        "learning_rate": summary.learning_rate, "batch_size": summary.batch_size,
        "label_noise": summary.label_noise, "source": names[summary.source],
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


def _rows(
    summaries: Sequence[Summary], names: Mapping[str, str]
) -> Iterator[dict[str, float | str]]:
    """A row a multiplet, as on the terminal."""
    rows = [(summary, each) for summary in summaries for each in summary.multiplets]
    measured = [each for _, each in rows]
    columns, heads = measured_columns(measured), measured_heads(measured)
    for place, (summary, each) in enumerate(rows):
        yield {
            "source": names[summary.source],
            "α": number(summary.learning_rate), "|B|": number(summary.batch_size),
            "label_noise": number(summary.label_noise), "replicas": float(summary.n_replicas),
            "records": float(summary.records), "copies": float(summary.duplicates),
            "diverged": float(summary.diverged), "levels": span(each.indices),
            **{head: cell(columns[key][place]) for key, head in heads.items()},
        }  # fmt: skip
