"""The numbers of a matrix by all its singular values."""

import math
from dataclasses import replace

import numpy as np

from .._types import Floats
from ..errors import InvalidInputError, require
from ..stats import GoodnessOfFit, wigner_ks_test
from ._bulk import FEWEST_LEVELS, Bulk, fit_bulk
from ._long_range import mean_ratio
from ._matrix_spectrum import MatrixSpectrum
from ._tail import fit_tail
from ._unfolding import unfold

_FOR_SPACINGS = 64


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
    # that of a decomposition in float64 is larger for weights that are in float64, of low rank
    floor = max(floor, many * float(np.finfo(np.float64).eps))
    rank = int(np.sum(relative > floor))
    bulk: Bulk | None = None
    notes: tuple[str, ...] = ()
    live = live or (many, rank)
    if rank < min(live):
        notes = (f"no bulk: of rank {rank}, it is a product of thinner matrices",)
    elif rank >= FEWEST_LEVELS:
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
    # levels are squares; one factor after the other, whose product may overflow
    return replace(measured, tail=tail.in_units(largest).in_units(largest))


def _surmise(inner: Floats) -> GoodnessOfFit | None:
    """Neighbours repel, and so do spacings: every second one is nearly independent."""
    if not np.diff(inner).min() > 0:
        return None  # exact multiplicities, of a structured matrix
    try:
        spacing = np.diff(unfold(inner, "polynomial", trim=0.05))
    except InvalidInputError:
        return None  # levels whose smooth density no polynomial follows
    return wigner_ks_test(spacing[::2])
