"""A prediction, a measurement, a tolerance that follows from the errors, a verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._tabular import Table, Tabular
from ..stats import Estimate

SIGMAS = 4.0  # of the measurement: one false alarm in 16 000 checks


@dataclass(frozen=True)
class Check:
    """One number of theory held against one measured.

    Attributes:
        name: unique among the checks of a report.
        figure: the figure that shows it.
        quantity: what is compared.
        setting: setting of the run behind it.
        measured: with its error.
        predicted: by theory.
        theory_error: stated size of what the theory neglects, in units of the quantity.

    Examples:
        >>> from sgdyson.stats import Estimate
        >>> check = Check("mean", "none", "<S>", {}, Estimate(1.02, 0.01, 100.0), predicted=1.0)
        >>> check.passed  # within 3 standard errors
        True
    """

    name: str
    figure: str
    quantity: str
    setting: Mapping[str, Any] = field(repr=False)
    measured: Estimate
    predicted: float
    theory_error: float = 0.0

    @property
    def tolerance(self) -> float:
        """Four standard errors and the neglected term."""
        return SIGMAS * self.measured.error + self.theory_error

    @property
    def passed(self) -> bool:
        """Whether theory and measurement agree within the tolerance."""
        return bool(abs(self.measured.value - self.predicted) <= self.tolerance)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in results.json."""
        ratio = self.measured.value / self.predicted if self.predicted else math.nan
        size = self.measured.effective_size
        return {
            "name": self.name,
            "figure": self.figure,
            "quantity": self.quantity,
            "setting": dict(self.setting),
            "measured": self.measured.value,
            "error": self.measured.error,
            "effective_samples": size if math.isfinite(size) else None,
            "predicted": self.predicted,
            "ratio": ratio if math.isfinite(ratio) else None,
            "tolerance": self.tolerance,
            "theory_error": self.theory_error,
            "passed": self.passed,
        }


_HEADS = {
    "name": "check", "measured": "measured", "predicted": "predicted", "tolerance": "tolerance",
    "passed": "holds",
}  # fmt: skip


class CheckTable(Tabular, list[Check]):
    """A list of checks that shows itself as a table, what failed first.

    Examples:
        >>> from sgdyson.stats import Estimate
        >>> check = Check("mean", "none", "<S>", {}, Estimate(1.02, 0.01, 100.0), predicted=1.0)
        >>> print(CheckTable([check]))
        1 of 1 checks hold
        check   measured  predicted  tolerance  holds
        mean   1.020(10)          1       0.04    yes
    """

    @property
    def passed(self) -> bool:
        """Whether all of them hold."""
        return all(check.passed for check in self)

    def _table(self) -> Table:
        checks = sorted(self, key=lambda check: check.passed)
        failed = sum(not check.passed for check in checks)
        title = f"{len(checks) - failed} of {len(checks)} checks hold"
        columns: dict[str, list[Any]] = {
            "name": [check.name for check in checks],
            "figure": [check.figure for check in checks],
            "quantity": [check.quantity for check in checks],
            "measured": [check.measured for check in checks],
            "predicted": [float(check.predicted) for check in checks],
            "theory_error": [float(check.theory_error) for check in checks],
            "tolerance": [float(check.tolerance) for check in checks],
            "passed": [check.passed for check in checks],
        }
        return Table(title, columns, _HEADS)
