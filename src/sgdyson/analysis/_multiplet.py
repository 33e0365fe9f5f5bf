"""The levels that share one target, measured: with a model beside them and without."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .._types import Floats
from ..laws import WignerSurmise
from ..spectra import Multiplet, multiplet_levels
from ..stats import (
    Estimate,
    GoodnessOfFit,
    LevelFit,
    autocorrelation_time,
    fit_gaussian,
    fit_pair_density,
    jackknife_of_means,
    mean_over_replicas,
    wigner_ks_test,
)
from ._gaps import density_test, gaps_test

_MANY = 50  # replicas, from which their covariance is known


@dataclass(frozen=True, eq=False)
class MeasuredPair:
    """The spacing of a pair.

    Attributes:
        spacing: S, shape (replica, time).
        mean: <S>.
        second_moment: <s^2> of the unit spacing s = S/<S>; by the Wigner surmise 4/pi, 3 pi/8 or
            45 pi/128 for beta = 1, 2, 4.
        beta: Dyson index that the levels are held against.
    """

    spacing: Floats = field(repr=False)
    mean: Estimate
    second_moment: Estimate
    beta: int = 1

    @cached_property
    def wigner(self) -> GoodnessOfFit:
        """Kolmogorov-Smirnov test of s against the surmise, its mean estimated from the samples."""
        return wigner_ks_test(independent_spacings(self.spacing), self.beta)

    @property
    def surmise(self) -> WignerSurmise:
        """What the unit spacing is held against."""
        return WignerSurmise(self.beta)


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredMultiplet:
    """The levels that share one target.

    Attributes:
        multiplet: which levels.
        levels: shape (replica, time, member), descending.
        mean: mean of all of them.
        width: sigma of the Coulomb gas; of a single level its standard deviation.
        mean_spacing: <S> between neighbours; None for a single level.
        fit: pair density or Gaussian fitted to the levels; None for a larger multiplet.
        pair: the spacing, of a pair.
        beta: Dyson index that the levels are held against.
    """

    multiplet: Multiplet
    levels: Floats = field(repr=False)
    mean: Estimate
    width: Estimate
    mean_spacing: Estimate | None
    fit: LevelFit | None
    pair: MeasuredPair | None
    beta: int

    def __repr__(self) -> str:
        spacing = f", <S> {self.mean_spacing}" if self.mean_spacing else ""
        where = f"levels {span(self.indices)}"
        return f"<{type(self).__name__} {where}: mean {self.mean}, width {self.width}{spacing}>"

    @cached_property
    def gaps(self) -> GoodnessOfFit | None:
        """Test of all gaps of three levels or more against their law; None of fewer levels.

        None too where there are fewer than 50 replicas, whose records would tell nothing of how
        they hang together.
        """
        return gaps_test(self.levels, self.beta) if self._is_tested else None

    @cached_property
    def density(self) -> GoodnessOfFit | None:
        """Test of the density of one level of three or more, its centre and width estimated."""
        return density_test(self.levels, self.beta) if self._is_tested else None

    @cached_property
    def gap_moment(self) -> Estimate:
        """<s^2> of all gaps in units of their mean, of two levels or more."""
        return second_moment(-np.diff(self.levels, axis=2).reshape(len(self.levels), -1))

    @property
    def _is_tested(self) -> bool:
        return self.levels.shape[2] > 2 and len(self.levels) >= _MANY

    @property
    def indices(self) -> tuple[int, ...]:
        """Places in the descending order of levels."""
        return self.multiplet.indices

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        pair = self.pair
        return {
            "indices": list(self.indices),
            "centre": plain(self.mean),
            "width": plain(self.width),
            "mean_spacing": plain(self.mean_spacing),
            "second_moment": plain(pair.second_moment if pair else None),
            "ks_wigner": {"statistic": pair.wigner.statistic, "pvalue": pair.wigner.pvalue}
            if pair
            else None,
            "gaps": _test(self.gaps),
            "density": _test(self.density),
        }

    def row(self) -> dict[str, Any]:
        """Plain values side by side, each error beside its value; None where there is none."""
        pair = self.pair
        return {
            "first_level": self.indices[0],
            "last_level": self.indices[-1],
            **_beside("mean_level", self.mean),
            **_beside("mean_spacing", self.mean_spacing),
            **_beside("width", self.width),
            **_tested("wigner", pair.wigner if pair else None),
            **_tested("gaps", self.gaps),
            **_tested("density", self.density),
        }


def _tested(name: str, test: GoodnessOfFit | None) -> dict[str, float | None]:
    statistic, pvalue = (test.statistic, test.pvalue) if test else (None, None)
    return {f"{name}_statistic": statistic, f"{name}_pvalue": pvalue}


def measured_columns(multiplets: Sequence[MeasuredMultiplet]) -> dict[str, list[Any]]:
    """Spacing, width and tests of each, as columns of a table."""
    pairs = [each.pair and each.pair.wigner for each in multiplets]
    columns: dict[str, list[Any]] = {
        "mean_spacing": [each.mean_spacing for each in multiplets],
        "width": [each.width for each in multiplets],
    }
    for name, tests in (
        ("wigner", pairs),
        ("gaps", [each.gaps for each in multiplets]),
        ("density", [each.density for each in multiplets]),
    ):
        columns[f"{name}_statistic"] = [test and test.statistic for test in tests]
        columns[f"{name}_pvalue"] = [test and test.pvalue for test in tests]
    return columns


def measured_heads(multiplets: Sequence[MeasuredMultiplet]) -> dict[str, str]:
    """Headings of these columns; the tests of larger multiplets are shown where there are such."""
    heads = {
        "mean_spacing": "<S>", "width": "width", "wigner_statistic": "KS", "wigner_pvalue": "p",
    }  # fmt: skip
    if any(len(each.indices) > 2 for each in multiplets):
        heads |= {"gaps_pvalue": "p gaps", "density_pvalue": "p density"}
    return heads


def _beside(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    value, error = (estimate.value, estimate.error) if estimate else (None, None)
    return {name: value, f"{name}_error": error}


def measure_multiplet(levels: Floats, multiplet: Multiplet, beta: int = 1) -> MeasuredMultiplet:
    """Measure one multiplet of levels (replica, time, level), its errors over replicas.

    Args:
        levels: descending.
        multiplet: of them.
        beta: Dyson index of the laws they are held against: 1, 2 or 4.
    """
    members = multiplet_levels(levels, multiplet)
    gaps = -np.diff(members, axis=2)
    fit = _fit(members, beta)
    return MeasuredMultiplet(
        multiplet,
        members,
        mean=mean_over_replicas(members.mean(axis=2)),
        width=fit.width if fit else _gas_width(members, beta),
        mean_spacing=mean_over_replicas(gaps.mean(axis=2)) if gaps.size else None,
        fit=fit,
        pair=_pair(gaps[..., 0], beta) if multiplet.is_pair else None,
        beta=beta,
    )


def _fit(members: Floats, beta: int) -> LevelFit | None:
    flat = members.reshape(len(members), -1)
    if members.shape[2] == 1:
        return fit_gaussian(flat)
    return fit_pair_density(flat, beta) if members.shape[2] == 2 else None


def _pair(spacing: Floats, beta: int) -> MeasuredPair:
    return MeasuredPair(
        spacing=spacing,
        mean=mean_over_replicas(spacing),
        second_moment=second_moment(spacing),
        beta=beta,
    )


def second_moment(gaps: Floats) -> Estimate:
    """<s^2> of s = S/<S>, of gaps (replica, sample)."""
    moments = np.stack([gaps.mean(axis=1), (gaps**2).mean(axis=1)], axis=1)
    return jackknife_of_means(lambda m: m[..., 1] / m[..., 0] ** 2, moments)


def _gas_width(members: Floats, beta: int) -> Estimate:
    r"""$\sigma$ of n levels from $E \sum (x - c)^2 = \sigma^2 n [1 + \beta (n - 1)/2]$."""
    unit = 1 + beta * (members.shape[2] - 1) / 2
    means = np.stack([members.mean(axis=(1, 2)), (members**2).mean(axis=(1, 2))], axis=1)
    return jackknife_of_means(lambda m: np.sqrt((m[..., 1] - m[..., 0] ** 2) / unit), means)


def _test(test: GoodnessOfFit | None) -> dict[str, float] | None:
    return None if test is None else {"statistic": test.statistic, "pvalue": test.pvalue}


def independent_spacings(spacing: Floats) -> Floats:
    """All spacings of many replicas; of few, one list of spacings two correlation times apart.

    The covariance of many replicas tells how their records hang together; of few it is not known.
    """
    if len(spacing) >= _MANY or spacing.shape[1] == 1:
        return spacing
    tau = autocorrelation_time(spacing, least_length=1e-9).value  # of any length
    # of an exponential memory tau is twice its time: after 2 tau e^-4 of a correlation is left
    return spacing[:, :: max(math.ceil(2 * tau), 1)].ravel()


def span(indices: tuple[int, ...]) -> str:
    """Places of levels, as in `3-4`."""
    return str(indices[0]) if len(indices) == 1 else f"{indices[0]}-{indices[-1]}"


def plain(estimate: Estimate | None) -> dict[str, float | None] | None:
    """Value and error, as in a JSON file."""
    if estimate is None:
        return None
    return {"value": finite_or_none(estimate.value), "error": finite_or_none(estimate.error)}


def finite_or_none(value: float | None) -> float | None:
    """JSON has neither NaN nor infinity."""
    return value if value is not None and math.isfinite(value) else None
