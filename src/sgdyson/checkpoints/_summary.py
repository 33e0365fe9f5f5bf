"""One line a model: what its matrices have in the mean."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..spectra import MatrixSpectrum
from ..stats import Estimate, mean_over_replicas

_NO_POWER_LAW = 0.1  # p-value, section 4.1 of A. Clauset et al., SIAM Review 51, 661 (2009)


def summary_of(spectra: Sequence[MatrixSpectrum]) -> dict[str, Any]:
    """Means over matrices, each with the standard error over them.

    The error is that of a mean over matrices that differ, and not of the model: it says how far
    another choice of so many matrices of its kind would move the mean. A tail counts where its
    power law is not rejected, a soft rank where the bulk is noise.
    """
    tails = [m for m in spectra if m.tail and (m.tail.pvalue or 0.0) >= _NO_POWER_LAW]
    noisy = [m for m in spectra if m.soft_rank is not None]
    row: dict[str, Any] = {
        "matrices": len(spectra),
        "weights": sum(m.shape[0] * m.shape[1] for m in spectra),
        "noisy": len(noisy),
        "outliers": sum(m.bulk.outliers for m in noisy if m.bulk) if noisy else None,
        "soft_rank": _mean(noisy, lambda m: m.soft_rank or 0.0),
        "stable_rank": _mean(spectra, lambda m: m.stable_rank),
        "log_norm": _mean(spectra, lambda m: 2 * np.log10(m.frobenius)),
        "log_spectral": _mean(spectra, lambda m: 2 * np.log10(m.spectral)),
    }
    if any(m.tail for m in spectra):
        row |= {
            "tails": len(tails),
            "tail_exponent": _mean(tails, _exponent),
            "weighted_exponent": _mean(tails, lambda m: _exponent(m) * 2 * np.log10(m.spectral)),
        }
    return row


def _exponent(matrix: MatrixSpectrum) -> float:
    return matrix.tail.exponent.value if matrix.tail else np.nan


def _mean(
    matrices: Sequence[MatrixSpectrum], number: Callable[[MatrixSpectrum], float]
) -> Estimate | None:
    """None of fewer than two, which have no error."""
    if len(matrices) < 2:
        return None
    return mean_over_replicas(np.array([number(matrix) for matrix in matrices]))
