"""The numbers of one weight matrix, as a row of a table."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._tabular import Table, frame
from .._types import Floats
from ..stats import Estimate, GoodnessOfFit
from ._bulk import Bulk
from ._spectral_measure import SpectralMeasure
from ._tail import Tail

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class LanczosErrors:
    """Standard errors of numbers that are exact otherwise; of others `SpectralMeasure` tells.

    Attributes:
        spectral: of the largest singular value.
        effective_rank: of the effective rank.
        rank: of the rank.
    """

    spectral: float
    effective_rank: float
    rank: float


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
        measure: sums over the levels, where they come of Lanczos quadrature; singular values are
            then those at the top that are known.
        errors: in this case.
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
    measure: SpectralMeasure | None = None
    errors: LanczosErrors | None = None

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
        if self.errors:
            stable = 2 * self.stable_rank * self.errors.spectral / self.spectral
            row |= {"spectral_error": self.errors.spectral, "rank_error": self.errors.rank,
                    "stable_rank_error": stable,
                    "effective_rank_error": self.errors.effective_rank}  # fmt: skip
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


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
