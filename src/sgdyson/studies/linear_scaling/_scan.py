r"""Widths of one architecture under one optimiser, against alpha and against |B|.

The width of a setting is the root mean square distance of a level from its own mean in time,

$$\sigma^2 = \langle (x_i(t) - \bar x_i)^2 \rangle_{i, t, \mathrm{replicas}} ,$$

which needs no theory of the levels. The exponents of $\sigma^2 \propto \alpha^a |B|^{-b}$ are
slopes of lines through logarithms; the linear rule is a = b = 1.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..._types import Flags, Floats
from ...campaign import Campaign, Setting
from ...errors import NoPredictionError
from ...spectra import spacings
from ...stats import Estimate, LineFit, fit_line, mean_over_replicas

BREAKS = 0.1  # relative departure from the rule at which it is said to end


@dataclass(frozen=True)
class Scan:
    r"""One architecture under one optimiser.

    Attributes:
        architecture: name of its spec file.
        optimizer: name in a spec.
        learning_rate: alpha of each setting.
        batch_size: |B| of each setting.
        varied: "learning_rate" or "batch_size", which one a setting belongs to; "both" where it
            stands in the middle of the two scans.
        width2: $\sigma^2$ of each setting; None where every replica diverged.
        spacing: <S> of the first degenerate pair, or None.
        predicted: $\langle S \rangle$ by theory, where there is one.
        diverged: share of the replicas.
    """

    architecture: str
    optimizer: str
    learning_rate: Floats
    batch_size: Floats
    varied: list[str]
    width2: list[Estimate | None]
    spacing: list[Estimate | None]
    predicted: list[float | None]
    diverged: Floats

    def chosen(self, varied: str, *, up_to_middle: bool = True) -> Flags:
        """Settings of one scan; of rates only those up to the middle, where the rule may hold."""
        middle = self.learning_rate[self.varied.index("both")]
        fits = np.array([quantity in (varied, "both") for quantity in self.varied])
        held = (self.learning_rate <= middle) | (not up_to_middle)
        return fits & held & np.array([w is not None for w in self.width2])

    def exponent(self, varied: str) -> LineFit:
        """Slope of ln sigma^2 against ln alpha, or against ln |B|."""
        chosen = self.chosen(varied)
        x = getattr(self, varied)[chosen]
        widths = [w for w, c in zip(self.width2, chosen, strict=True) if c and w]
        # the error of a logarithm is the relative one
        return fit_line(np.log(x), np.log([w.value for w in widths]),
                        [w.error / w.value for w in widths])  # fmt: skip

    def rule(self, power: float) -> LineFit:
        r"""$\sigma^2$ = slope $\alpha/|B|^{power}$ through the origin, over both scans."""
        chosen = self.chosen("learning_rate") | self.chosen("batch_size")
        widths = [w for w, c in zip(self.width2, chosen, strict=True) if c and w]
        x = self.learning_rate[chosen] / self.batch_size[chosen] ** power
        return fit_line(
            x, [w.value for w in widths], [w.error for w in widths], through_origin=True
        )

    def breaks_at(self, power: float) -> float | None:
        """The lowest alpha at which sigma^2 is a tenth, and four errors, off the rule."""
        slope = self.rule(power).slope.value
        scan = [i for i, quantity in enumerate(self.varied) if quantity != "batch_size"]
        for i in sorted(scan, key=lambda i: self.learning_rate[i]):
            width2 = self.width2[i]
            if width2 is None or self.diverged[i] > 0.5:
                return float(self.learning_rate[i])
            off = width2.value * self.batch_size[i] ** power / (slope * self.learning_rate[i]) - 1
            if abs(off) > max(BREAKS, 4 * width2.error / width2.value):
                return float(self.learning_rate[i])
        return None


def measure(
    campaign: Campaign, architecture: str, optimizer: str, matrix: str | None = None
) -> Scan:
    """Widths and spacings of a finished campaign, of one matrix, the first by default."""
    data, settings = campaign.open(), campaign.spec.settings
    rates = np.array([s.learning.learning_rate for s in settings])
    batches = np.array([s.learning.batch_size for s in settings])
    measured = [_setting(data.isel(setting=i), s, matrix) for i, s in enumerate(settings)]
    middle = place_of_middle(settings)
    varied = ["batch_size" if batches[i] != batches[middle] else "learning_rate"
              for i in range(len(settings))]  # fmt: skip
    varied[middle] = "both"
    width2, spacing, predicted, diverged = (list(column) for column in zip(*measured, strict=True))
    return Scan(architecture, optimizer, rates, batches, varied, width2, spacing, predicted,
                np.array(diverged))  # fmt: skip


def place_of_middle(settings: Sequence[Setting]) -> int:
    """The place of the setting that stands in both scans: others share its alpha, and its |B|."""
    rates = [setting.learning.learning_rate for setting in settings]
    batches = [setting.learning.batch_size for setting in settings]
    return next(
        place for place, (rate, batch) in enumerate(zip(rates, batches, strict=True))
        if rates.count(rate) > 1 and batches.count(batch) > 1
    )  # fmt: skip


def _setting(
    data: xr.Dataset, setting: Setting, matrix: str | None
) -> tuple[Estimate | None, Estimate | None, float | None, float]:
    """sigma^2, <S>, <S> predicted, and the share of replicas that diverged."""
    diverged = data.diverged.values[: setting.replicas]
    levels = data.levels.values[: setting.replicas][~diverged]
    if "matrix" in data.coords:
        names = data.matrix.values
        levels = levels[..., names == (matrix or names[0])]
    share = float(diverged.mean())
    if len(levels) < 2:
        return None, None, None, share
    # each replica about its own mean in time: from other starts levels may rest elsewhere
    width2 = mean_over_replicas(levels.var(axis=1, ddof=1).mean(axis=1, keepdims=True))
    pairs = [group for group in setting.multiplets() or [] if group.is_pair]
    predicted = None
    if pairs:
        with suppress(NoPredictionError):  # under this optimiser
            predicted = float(setting.predict().mean_spacing[pairs[0].indices[0]])
    spacing = mean_over_replicas(spacings(levels, pairs[0])) if pairs else None
    return width2, spacing, predicted, share
