"""What the Dyson test of a matrix, and of a run, says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._tabular import Table, Tabular
from .._types import Floats
from ..stats import Estimate
from ._dyson_index import DysonIndex
from ._gap_drift import GapDrift


@dataclass(frozen=True)
class DysonTest:
    """What the noise of one matrix does to its levels.

    Attributes:
        name: of the matrix.
        all_levels: the index of all levels, see `DysonIndex`.
        verdict: "Dyson Brownian motion", "levels do not repel", "neither" or "too little to tell".
        levels: (level,) mean singular value, for `all_levels.of_level`.
        bulk: index of the levels inside the Marchenko-Pastur bulk; None without a bulk.
        outliers: index of pairs with a level above it; None without one.
        repulsion: by how many standard errors of their diffusion the repulsion of an index 1 has
            moved the gaps of all neighbours over the run, together.
        drift: chance that levels go so far from the first record to the last by diffusion alone.
        remarks: what else belongs to it, sentences.
        gap: how gaps of neighbours open, against 1/S, where enough was seen of gaps that are wide
            beside a step, and steps do not persist; see `gap_drift`.
        surmise: chance of the spacings of the last record, unfolded, under Wigner's surmise; None
            where levels drift, or are fewer than 64.
    """

    name: str
    all_levels: DysonIndex
    verdict: str
    levels: Floats
    bulk: Estimate | None
    outliers: Estimate | None
    repulsion: float
    drift: float
    remarks: tuple[str, ...]
    gap: GapDrift | None = None
    surmise: float | None = None

    @property
    def index(self) -> Estimate:
        """beta_dyn, 1 by theory."""
        return self.all_levels.index

    @property
    def pvalue_one(self) -> float:
        """Against 1, Dyson Brownian motion."""
        return self.all_levels.pvalue_one

    @property
    def pvalue_zero(self) -> float:
        """Against 0, levels that do not repel."""
        return self.all_levels.pvalue_zero

    @property
    def pvalue_levels(self) -> float:
        """Against 1 for each level."""
        return self.all_levels.pvalue_levels

    @property
    def power(self) -> float:
        """With which this run tells 1 from 0."""
        return self.all_levels.power

    def __str__(self) -> str:
        first = (
            f"{self.name}: {self.verdict}; index {self.index}, p = {self.pvalue_one:.2g} against 1,"
            f" {self.pvalue_zero:.2g} against 0, power {self.power:.2f}"
        )
        remarks = list(self.remarks)
        if self.gap:
            remarks.append(
                f"Gaps open by {self.gap.ratio} of what 1/S repulsion makes of the measured"
                f" diffusion (p = {self.gap.pvalue:.2g})."
            )
        if self.surmise is not None:
            remarks.append(f"Spacings follow Wigner's surmise with p = {self.surmise:.2g}.")
        return "\n".join([first, *(f"  {remark}" for remark in remarks)])


_HEADS = {"matrix": "matrix", "index": "index", "pvalue_one": "p against 1",
          "pvalue_zero": "p against 0", "power": "power", "verdict": "verdict"}  # fmt: skip


@dataclass(frozen=True, repr=False)
class DysonTests(Tabular):
    """Tests of all matrices of a run, and of all together.

    Attributes:
        index: of all levels of all matrices, each pair counted once.
        pvalue_one: against 1.
        pvalue_zero: against 0.
        power: with which the run tells 1 from 0.
        verdict: of all together.
        matrices: by name.
        refused: the reason, by the name of a matrix that was not measured.
    """

    index: Estimate
    pvalue_one: float
    pvalue_zero: float
    power: float
    verdict: str
    matrices: Mapping[str, DysonTest]
    refused: Mapping[str, str]

    def _table(self) -> Table:
        tests = list(self.matrices.values())
        columns: dict[str, list[Any]] = {
            "matrix": list(self.matrices),
            **{key: [getattr(test, key) for test in tests] for key in list(_HEADS)[1:]},
        }
        first, *_ = str(self).splitlines()
        notes = [f"{name}: not measured, {reason}" for name, reason in self.refused.items()]
        return Table(first, columns, _HEADS, notes)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = [
            f"all matrices: {self.verdict}; index {self.index}, p = {self.pvalue_one:.2g} against"
            f" 1, {self.pvalue_zero:.2g} against 0, power {self.power:.2f}"
        ]
        lines += [str(test) for test in self.matrices.values()]
        lines += [f"{name}: not measured, {reason}" for name, reason in self.refused.items()]
        return "\n".join(lines)
