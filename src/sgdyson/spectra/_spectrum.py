"""The spectrum of one weight matrix, and the numbers read off it."""

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._tabular import Table, frame
from .._types import ArrayLike, Floats
from ..errors import InvalidInputError, require
from ..stats import Estimate, GoodnessOfFit, wigner_ks_test
from ._blocks import Looks, Matrix, central_moments, look_at, mean_of
from ._bulk import Bulk, fit_bulk
from ._levels import real_as_stored
from ._long_range import mean_ratio
from ._singular_values import unit_of, values_in_unit
from ._tail import Tail, fit_tail
from ._traps import traps_of
from ._unfolding import unfold

if TYPE_CHECKING:
    from pandas import DataFrame

_FOR_BULK, _FOR_SPACINGS, _FOR_KURTOSIS = 5, 64, 4096


@dataclass(frozen=True, repr=False)
class MatrixSpectrum:
    """One weight matrix.

    Attributes:
        name: name of the matrix.
        shape: rows and columns.
        singular_values: descending.
        bulk: Marchenko and Pastur's law fitted to the live part, noise, edge and outliers; ask
            `bulk.is_noise` whether it holds. None below five singular values, and of a matrix
            that is a product of thinner ones.
        mean_ratio: <r> of the bulk, or of all levels where there is none: 0.5307 of real noise,
            0.3863 of independent levels.
        ks_wigner: the surmise, tested on every second spacing of the unfolded bulk.
        stable_rank: Frobenius norm squared over spectral norm squared.
        effective_rank: exp of the entropy of s/sum(s) (O. Roy and M. Vetterli, EUSIPCO 2007).
        frobenius: norm.
        spectral: norm, the largest singular value.
        tail: where it was asked for.
        random_spectral: largest singular value with the entries shuffled, where it was asked for:
            what the same entries do without correlations.
        traps: singular values of the shuffled entries above what noise reaches with the chance
            of a false alarm: of a few very large entries, or of a mean of all of them, and not of
            correlations; None where it was not asked for, and below five singular values.
        rank: singular values above what rounding leaves of zero.
        notes: why a number is missing, a phrase each.
    """

    name: str
    shape: tuple[int, int]
    singular_values: Floats = field(repr=False)
    bulk: Bulk | None
    mean_ratio: Estimate | None
    ks_wigner: GoodnessOfFit | None
    stable_rank: float
    effective_rank: float
    frobenius: float
    spectral: float
    tail: Tail | None = None
    random_spectral: float | None = None
    traps: int | None = None
    rank: int = 0
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        noise = self.bulk if self.bulk and self.bulk.is_noise else None
        facts = [
            f"{self.shape[0]} x {self.shape[1]}",
            f"sigma {noise.sigma}, {noise.outliers} outliers" if noise else "no bulk",
            f"<r> {self.mean_ratio}" if self.mean_ratio else "",
            f"largest {self.spectral:.4g}, stable rank {self.stable_rank:.4g}",
        ]
        return f"<MatrixSpectrum of {self.name}: {', '.join(fact for fact in facts if fact)}>"

    @property
    def soft_rank(self) -> float | None:
        """Square of the edge of the bulk over that of the largest singular value.

        It is near 1 where nothing stands out of the noise, and 0 where noise is a small part (C. H.
        Martin and M. W. Mahoney, JMLR 22, 165 (2021), section 3.1). None where there is no bulk.
        """
        if self.bulk is None or not self.bulk.is_noise:
            return None
        return (self.bulk.edge.value / self.spectral) ** 2

    def to_row(self) -> dict[str, Any]:
        """Plain values, one row of a table; of a bulk that is none only what refuses it."""
        ratio, test, tail, tried = self.mean_ratio, self.ks_wigner, self.tail, self.bulk
        bulk = tried if tried and tried.is_noise else None
        row: dict[str, Any] = {
            "name": self.name, "rows": self.shape[0], "columns": self.shape[1],
            "sigma": bulk and bulk.sigma.value, "sigma_error": bulk and bulk.sigma.error,
            "edge": bulk and bulk.edge.value, "threshold": bulk and bulk.threshold,
            "outliers": bulk and bulk.outliers, "mp_distance": tried and tried.distance,
            "bulk_pvalue": tried and tried.pvalue,
            "mean_ratio": ratio and ratio.value, "mean_ratio_error": ratio and ratio.error,
            "ks_wigner": test and test.statistic, "ks_pvalue": test and test.pvalue,
            "stable_rank": self.stable_rank, "soft_rank": self.soft_rank,
            "effective_rank": self.effective_rank,
            "frobenius": self.frobenius, "spectral": self.spectral, "rank": self.rank,
        }  # fmt: skip
        if tail:
            row |= tail.to_row()
        if self.random_spectral is not None:
            row |= {"random_spectral": self.random_spectral, "traps": self.traps}
        return {key: _finite(value) for key, value in row.items()}

    def to_frame(self) -> "DataFrame":
        """A pandas data frame of one row, as in `to_row`.

        Raises:
            InvalidInputError: pandas is not installed.
        """
        return frame([self.to_row()])

    def _repr_html_(self) -> str:
        row = {key: value for key, value in self.to_row().items() if value is not None}
        columns = {"what": list(row), "value": list(row.values())}
        return Table(self.name, columns, {"what": "", "value": ""}, self.notes).html()


def spectrum(
    name: str,
    matrix: ArrayLike,
    *,
    false_alarm: float = 0.01,
    tail: bool = False,
    tail_draws: int = 100,
    randomise: int | None = None,
) -> MatrixSpectrum:
    """Measure one weight matrix.

    Args:
        name: name of the matrix.
        matrix: (rows, columns).
        false_alarm: of an outlier, for a matrix of noise.
        tail: also fit a power law to the tail of the levels.
        tail_draws: samples behind its p-value, which take most of the time; 0 for none.
        randomise: a seed: also find what singular values the entries have if shuffled.

    Raises:
        InvalidInputError: no matrix, NaN or infinity, all zero.

    Examples:
        >>> import numpy as np
        >>> measured = spectrum("w", np.diag([4.0, 2.0, 1.0]))
        >>> round(measured.spectral, 6), round(measured.stable_rank, 6)  # (16 + 4 + 1)/16
        (4.0, 1.3125)
    """
    w, looks, unit = _in_unit(name, matrix)
    measured = _of_live_part(name, w, looks, false_alarm)
    if tail:
        measured = with_tail(measured, tail_draws)
    if randomise is not None:
        largest, traps = traps_of(w, randomise, false_alarm)
        measured = replace(measured, random_spectral=largest, traps=traps)
    return measured if unit == 1.0 else _scaled(measured, unit)


def measure_values(
    name: str,
    s: Floats,
    shape: tuple[int, int],
    false_alarm: float = 0.01,
    *,
    live: tuple[int, int] | None = None,
    kurtosis: float | None = None,
    precision: float = float(np.finfo(np.float32).eps),
) -> MatrixSpectrum:
    """Measure a weight matrix of this shape by all its singular values, descending.

    Args:
        name: name of the matrix.
        s: its singular values.
        shape: rows and columns.
        false_alarm: see `spectrum`.
        live: rows and columns that are not zero; by default as many as the singular values that
            are not.
        kurtosis: see `fit_bulk`.
        precision: relative, of an entry: what a float of the weights cannot tell from zero.
    """
    require(bool(np.isfinite(s).all()) and s[0] > 0, f"{name} must be finite, and not all zero.")
    few, many = sorted(shape)
    relative = s / s[0]  # squares of the values themselves may overflow
    # rounding of the entries is noise of its own, whose largest singular value is this
    size = float(np.linalg.norm(relative)) / math.sqrt(few * many)
    floor = 4 * precision * size * (math.sqrt(many) + math.sqrt(few))
    rank = int(np.sum(relative > floor))
    bulk: Bulk | None = None
    notes: tuple[str, ...] = ()
    live = live or (many, rank)
    if rank < min(live):
        notes = (f"no bulk: of rank {rank}, it is a product of thinner matrices",)
    elif rank >= _FOR_BULK:
        bulk = fit_bulk(s[:rank], live, false_alarm, kurtosis)
        if not bulk.is_noise:
            notes = (f"no bulk: noise has such levels with a chance below {false_alarm:g}",)
    outliers = bulk.outliers if bulk and bulk.is_noise else 0
    inner = relative[outliers:rank][::-1]
    weights = relative[:rank] / relative[:rank].sum()
    return MatrixSpectrum(
        name=name, shape=shape, singular_values=s, bulk=bulk,
        mean_ratio=mean_ratio(inner) if inner.size >= _FOR_SPACINGS else None,
        ks_wigner=_surmise(inner) if inner.size >= _FOR_SPACINGS else None,
        stable_rank=float(np.sum(relative**2)),
        effective_rank=float(np.exp(-np.sum(weights * np.log(weights)))),
        frobenius=float(s[0] * np.linalg.norm(relative)), spectral=float(s[0]),
        rank=rank, notes=notes,
    )  # fmt: skip


def with_tail(measured: MatrixSpectrum, draws: int = 100) -> MatrixSpectrum:
    """A spectrum with a power law fitted to its tail, or with a note why there is none.

    Args:
        measured: of `spectrum` or `measure_values`.
        draws: see `fit_tail`.
    """
    largest = measured.spectral
    try:
        tail = fit_tail((measured.singular_values[: measured.rank] / largest) ** 2, draws)
    except InvalidInputError as error:
        return replace(measured, notes=(*measured.notes, f"no tail: {str(error).rstrip('.')}"))
    return replace(measured, tail=tail.in_units(largest).in_units(largest))


def _in_unit(name: str, matrix: ArrayLike) -> tuple[Matrix, Looks, float]:
    """The matrix as it is stored, or in a unit where squares are ordinary; looked at; the unit."""
    fault = f"{name} of shape {np.shape(matrix)} must be a matrix of finite numbers, not all zero."
    require(np.ndim(matrix) == 2 and np.size(matrix) > 0, fault)
    w = real_as_stored(name, matrix)
    if w.dtype.itemsize > 8:
        w = w.astype(np.float64)
    looks = look_at(w)
    require(0 < looks.largest < math.inf, fault)
    unit = unit_of(looks.largest)
    if unit != 1.0:
        w = w.astype(np.float64) / unit
        looks = look_at(w)
    return w, looks, unit


def _of_live_part(name: str, w: Matrix, looks: Looks, false_alarm: float) -> MatrixSpectrum:
    """Rows and columns of zeros, of units that have died, have no part in noise."""
    live = w if looks.rows.all() and looks.columns.all() else w[looks.rows][:, looks.columns]
    s = values_in_unit(live, 1.0)
    missing = min(w.shape) - s.size
    return measure_values(
        name, np.pad(s, (0, missing)), (w.shape[0], w.shape[1]), false_alarm,
        live=(live.shape[0], live.shape[1]), kurtosis=_kurtosis(live),
        precision=float(np.finfo(np.float32 if looks.single else np.float64).eps),
    )  # fmt: skip


def _kurtosis(w: Matrix) -> float | None:
    """Excess kurtosis of the entries; None of so few that their outliers would decide it."""
    if w.size < _FOR_KURTOSIS:
        return None
    second, fourth = central_moments(w, mean_of(w))
    return fourth / second**2 - 3 if second > 0 else None


def _scaled(measured: MatrixSpectrum, unit: float) -> MatrixSpectrum:
    """A spectrum in the units of the matrix; what is too large for a float is infinite."""
    bulk, tail, shuffled = measured.bulk, measured.tail, measured.random_spectral
    with np.errstate(over="ignore", under="ignore"):
        if bulk:
            bulk = replace(
                bulk, sigma=bulk.sigma * unit, edge=bulk.edge * unit,
                threshold=bulk.threshold * unit,
            )  # fmt: skip
        if tail:
            tail = tail.in_units(unit).in_units(unit)
        return replace(
            measured, singular_values=measured.singular_values * unit, bulk=bulk, tail=tail,
            frobenius=measured.frobenius * unit, spectral=measured.spectral * unit,
            random_spectral=None if shuffled is None else shuffled * unit,
        )  # fmt: skip


def _surmise(inner: Floats) -> GoodnessOfFit | None:
    """Neighbours repel, and so do spacings: every second one is nearly independent."""
    if not np.diff(inner).min() > 0:
        return None  # exact multiplicities, of a structured matrix
    try:
        spacing = np.diff(unfold(inner, "polynomial", trim=0.05))
    except InvalidInputError:
        return None  # levels whose smooth density no polynomial follows
    return wigner_ks_test(spacing[::2])


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
