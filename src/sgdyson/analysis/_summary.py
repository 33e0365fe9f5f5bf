"""What a history says without a model: multiplets, spacings, widths, the surmise, with errors."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import require
from ..spectra import Multiplet, multiplet_levels
from ..stats import (
    Estimate,
    GoodnessOfFit,
    autocorrelation_time,
    fit_gaussian,
    fit_pair_density,
    jackknife_of_means,
    mean_over_replicas,
    wigner_ks_test,
)
from ._history import Floats, History, copies

_APART = 3.0  # standard deviations of both levels together, from which levels do not repel
_BLOCKS = 20  # of a single replica
_ENOUGH = 50  # replicas, from which their covariance is known
_DRIFT = 4.0  # standard errors


@dataclass(frozen=True)
class MultipletSummary:
    """Levels that share a target.

    Attributes:
        indices: places in the descending order of levels.
        centre: mean of the levels.
        width: sigma of the Coulomb gas; of a single level its standard deviation.
        mean_spacing: <S> between neighbours; None for a single level.
        second_moment: <s^2> of the unit spacing, 4/pi by the surmise; of a pair.
        ks_wigner: Kolmogorov-Smirnov test of a pair against the surmise, mean estimated.
        spacing: (replica, record), of a pair, for pictures.
    """

    indices: tuple[int, ...]
    centre: Estimate
    width: Estimate
    mean_spacing: Estimate | None = None
    second_moment: Estimate | None = None
    ks_wigner: GoodnessOfFit | None = None
    spacing: Floats | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        test = self.ks_wigner
        return {
            "indices": list(self.indices),
            "centre": _plain(self.centre),
            "width": _plain(self.width),
            "mean_spacing": _plain(self.mean_spacing),
            "second_moment": _plain(self.second_moment),
            "ks_wigner": test and {"statistic": test.statistic, "pvalue": test.pvalue},
        }


@dataclass(frozen=True, eq=False)
class Summary:
    """One history, measured.

    Attributes:
        source: the file, and the setting and matrix in it.
        learning_rate: alpha, where known.
        batch_size: |B|, where known.
        noise: of the labels, where known.
        matrix: its name, where the model has several.
        n_replicas: independent ones, that were measured.
        records: of each, that were measured.
        diverged: replicas left out, as some of their levels are not finite.
        copies: replicas with one and the same history; all but the first of each are left out.
        multiplets: in descending order.
        notes: what was guessed, and what a reader should know.
    """

    source: str
    learning_rate: float | None
    batch_size: float | None
    noise: float | None
    matrix: str | None
    n_replicas: int
    records: int
    diverged: int
    copies: list[list[int]]
    multiplets: list[MultipletSummary]
    notes: list[str]

    @property
    def duplicates(self) -> int:
        """Replicas that repeat another."""
        return sum(len(group) - 1 for group in self.copies)

    @property
    def main(self) -> MultipletSummary:
        """The first pair; else the first larger multiplet; else the first level."""
        return max(self.multiplets, key=lambda m: (len(m.indices) == 2, len(m.indices) > 2))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON file."""
        main = self.main.to_dict()
        return {
            "source": self.source,
            "learning_rate": _finite(self.learning_rate),
            "batch_size": _finite(self.batch_size),
            "noise": self.noise,
            "matrix": self.matrix,
            "n_replicas": self.n_replicas,
            "mean_spacing": main["mean_spacing"],
            "width": main["width"],
            "ks_wigner": main["ks_wigner"],
            "duplicates": self.duplicates,
            "copies": self.copies,
            "diverged": self.diverged,
            "records": self.records,
            "multiplets": [part.to_dict() for part in self.multiplets],
            "notes": self.notes,
        }


def summarise(history: History, burn_in: int | None = None) -> Summary:
    """Measure a history.

    Replicas that diverged, and copies of another replica, are left out. A single replica is cut
    into 20 stretches of time, taken as independent.

    Args:
        history: see `read`.
        burn_in: records left out at the beginning; None leaves out the first half, or none where
            the records begin after a burn-in.

    Returns:
        The summary, its errors over replicas.

    Raises:
        InvalidInputError: too few records or replicas to measure.
    """
    notes = list(history.notes)
    times = history.levels.shape[1]
    if burn_in is None:
        burn_in = 0 if history.stationary or times == 1 else times // 2
        if burn_in:
            notes.append(f"the first {burn_in} of {times} records are left out as burn-in")
    require(
        0 <= burn_in < times,
        f"{history.source}: a burn-in of {burn_in} records leaves none of {times}.",
    )
    kept = history.levels[:, burn_in:]
    finite = np.asarray(np.isfinite(history.levels).all(axis=(1, 2)))
    repeated = copies(np.where(finite[:, None, None], kept, 0.0))
    left_out = [place for group in repeated for place in group[1:]]
    good = finite.copy()
    good[left_out] = False
    levels = kept[good]
    if repeated:
        notes.append(f"{len(left_out)} replicas repeat another bit for bit and are not counted")
    replicas = len(levels)
    require(replicas > 0, f"{history.source}: no replica has finite levels only.")
    if replicas == 1:
        levels = _cut(levels, history.source)
        notes.append(f"one replica: its errors are those of {len(levels)} stretches of time")
    groups = history.multiplets
    if groups is None:
        groups = _guess(levels)
        notes.append("levels closer than 3 of their standard deviations are taken as a multiplet")
    if _drifts(levels):
        notes.append("the levels still drift in these records; give a longer burn-in")
    names = history.names
    return Summary(
        source=history.source, learning_rate=history.learning_rate, batch_size=history.batch_size,
        noise=history.noise, matrix=history.matrix, n_replicas=replicas, records=kept.shape[1],
        diverged=int((~finite).sum()), copies=[[int(names[i]) for i in g] for g in repeated],
        multiplets=[_measured(levels, group) for group in groups], notes=notes,
    )  # fmt: skip


def _cut(levels: Floats, source: str) -> Floats:
    """Stretches of the time of one replica, (stretch, time, level)."""
    length = levels.shape[1] // _BLOCKS
    require(
        length >= 1,
        f"{source}: one replica with {levels.shape[1]} records is too little for an error; give"
        f" at least {_BLOCKS} records, or several replicas.",
    )
    return levels[0, : length * _BLOCKS].reshape(_BLOCKS, length, -1)


def _guess(levels: Floats) -> list[Multiplet]:
    """Levels whose distributions overlap as those of repelling levels do."""
    mean, spread = levels.mean(axis=(0, 1)), levels.std(axis=(0, 1))
    apart = -np.diff(mean) > _APART * np.hypot(spread[:-1], spread[1:])
    groups = np.split(np.arange(mean.size), np.flatnonzero(apart) + 1)
    return [Multiplet(tuple(map(int, g)), float(mean[g].mean())) for g in groups]


def _drifts(levels: Floats) -> bool:
    """Whether the first half of the records has another mean than the second."""
    half = levels.shape[1] // 2
    if not half:
        return False
    change = levels[:, -half:].mean(axis=1) - levels[:, :half].mean(axis=1)
    error = change.std(axis=0, ddof=1) / len(change) ** 0.5
    return bool(np.any(np.abs(change.mean(axis=0)) > _DRIFT * error))


def _measured(levels: Floats, group: Multiplet) -> MultipletSummary:
    members = multiplet_levels(levels, group)
    centre = mean_over_replicas(members.mean(axis=2))
    flat = members.reshape(len(members), -1)
    if group.is_single:
        return MultipletSummary(group.indices, centre, fit_gaussian(flat).width)
    gaps = -np.diff(members, axis=2)
    spacing = mean_over_replicas(gaps.mean(axis=2))
    if not group.is_pair:
        return MultipletSummary(group.indices, centre, _gas_width(members), spacing)
    gap = gaps[..., 0]
    moments = np.stack([gap.mean(axis=1), (gap**2).mean(axis=1)], axis=1)
    second = jackknife_of_means(lambda m: m[..., 1] / m[..., 0] ** 2, moments)
    width = fit_pair_density(flat).width
    return MultipletSummary(
        group.indices, centre, width, spacing, second, wigner_ks_test(_thinned(gap)), gap
    )


def _gas_width(members: Floats) -> Estimate:
    r"""$\sigma$ of n levels from $E \sum (x - c)^2 = \sigma^2 n(n+1)/2$ (beta = 1)."""
    n = members.shape[2]
    means = np.stack([members.mean(axis=(1, 2)), (members**2).mean(axis=(1, 2))], axis=1)
    return jackknife_of_means(lambda m: np.sqrt((m[..., 1] - m[..., 0] ** 2) * 2 / (n + 1)), means)


def _thinned(gap: Floats) -> Floats:
    """Independent spacings of few replicas; of many all, with their covariance."""
    if len(gap) >= _ENOUGH or gap.shape[1] == 1:
        return gap
    tau = autocorrelation_time(gap, least_length=0.0).value
    return gap[:, :: max(math.ceil(2 * tau), 1)].ravel()


def _plain(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {"value": _finite(estimate.value), "error": _finite(estimate.error)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
