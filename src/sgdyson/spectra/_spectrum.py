"""The spectrum of one weight matrix, and the numbers read off it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .._types import ArrayLike, Floats
from ..errors import require
from ._blocks import Looks, Matrix, central_moments, look_at, mean_of
from ._lanczos_spectrum import LEAST_SIZE, MOST_STEPS, lanczos_numbers
from ._levels import real_as_stored
from ._matrix_spectrum import LanczosErrors, MatrixSpectrum
from ._measured_values import measure_values, with_tail
from ._singular_values import unit_of, values_in_unit
from ._traps import traps_of

Find = Callable[[Matrix], Floats]
METHODS = ("exact", "lanczos")
_NO_SPACINGS = "no <r> and no surmise: Lanczos does not resolve neighbouring levels"
_FOR_KURTOSIS = 4096


def spectrum(
    name: str,
    matrix: ArrayLike,
    *,
    false_alarm: float = 0.01,
    tail: bool = False,
    tail_draws: int = 100,
    randomise: int | None = None,
    method: str = "exact",
    find: Find | None = None,
) -> MatrixSpectrum:
    """Measure one weight matrix.

    Args:
        name: name of the matrix.
        matrix: (rows, columns).
        false_alarm: of an outlier, for a matrix of noise.
        tail: also fit a power law to the tail of the levels.
        tail_draws: samples behind its p-value, which take most of the time; 0 for none.
        randomise: a seed: also find what singular values the entries have if shuffled.
        method: "exact"; or "lanczos", which of a matrix of 1024 singular values or more finds the
            largest, and sums over all others with their errors, in a sixth of the time and less.
        find: what finds all singular values of a matrix, descending, on a GPU, say; NumPy if None.

    Raises:
        InvalidInputError: no matrix, NaN or infinity, all zero; another method; a tail by Lanczos.

    Examples:
        >>> import numpy as np
        >>> measured = spectrum("w", np.diag([4.0, 2.0, 1.0]))
        >>> round(measured.spectral, 6), round(measured.stable_rank, 6)  # (16 + 4 + 1)/16
        (4.0, 1.3125)
    """
    require(method in METHODS, f"method = {method!r} must be one of {', '.join(METHODS)}.")
    require(
        not tail or method == "exact",
        "method = 'lanczos' has no tail, which is a law of single levels; leave out the tail.",
    )
    w, looks, unit = _in_unit(name, matrix)
    sketched = method == "lanczos" and min(w.shape) >= LEAST_SIZE
    measured = (
        _by_lanczos(name, w, looks, false_alarm)
        if sketched
        else _of_live_part(name, w, looks, false_alarm, find or _exactly)
    )
    if tail:
        measured = with_tail(measured, tail_draws)
    if randomise is not None:
        largest, traps = traps_of(w, randomise, false_alarm)
        measured = replace(measured, random_spectral=largest, traps=traps)
    return measured if unit == 1.0 else _scaled(measured, unit)


def _in_unit(name: str, matrix: ArrayLike) -> tuple[Matrix, Looks, float]:
    """The matrix as it is stored, or in a unit where squares are ordinary; looked at; the unit."""
    fault = f"{name} of shape {np.shape(matrix)} must be a matrix of finite numbers, not all zero."
    require(np.ndim(matrix) == 2 and np.size(matrix) > 0, fault)
    w = real_as_stored(name, matrix)
    if w.dtype.itemsize > 8:
        # LAPACK knows no long doubles
        w = w.astype(np.float64)
    looks = look_at(w)
    require(0 < looks.largest < math.inf, fault)
    unit = unit_of(looks.largest)
    if unit != 1.0:
        w = w.astype(np.float64) / unit
        looks = look_at(w)
    return w, looks, unit


def _exactly(matrix: Matrix) -> Floats:
    return values_in_unit(matrix, 1.0)


def _of_live_part(
    name: str, w: Matrix, looks: Looks, false_alarm: float, find: Find
) -> MatrixSpectrum:
    """Rows and columns of zeros, of units that have died, have no part in noise."""
    live = _live(w, looks)
    s = find(live)
    missing = min(w.shape) - s.size
    return measure_values(
        name, np.pad(s, (0, missing)), (w.shape[0], w.shape[1]), false_alarm,
        live=(live.shape[0], live.shape[1]), kurtosis=_kurtosis(live),
        precision=float(np.finfo(np.float32 if looks.single else np.float64).eps),
    )  # fmt: skip


def _live(w: Matrix, looks: Looks) -> Matrix:
    return w if looks.rows.all() and looks.columns.all() else w[looks.rows][:, looks.columns]


def _by_lanczos(name: str, w: Matrix, looks: Looks, false_alarm: float) -> MatrixSpectrum:
    """What Lanczos gives, and notes of what it does not."""
    live = _live(w, looks)
    lanczos = lanczos_numbers(live, false_alarm, _kurtosis(live))
    bulk, notes = lanczos.bulk, [_NO_SPACINGS]
    if not bulk.is_noise:
        notes.append(f"no bulk: noise has such levels with a chance below {false_alarm:g}")
    elif not lanczos.resolved:
        notes.append(f"no bulk: more levels stand above it than {MOST_STEPS} steps of Lanczos find")
    top = lanczos.measure.top
    return MatrixSpectrum(
        name=name, shape=(w.shape[0], w.shape[1]), singular_values=np.sqrt(top),
        bulk=bulk if lanczos.resolved or not bulk.is_noise else None, mean_ratio=None,
        ks_wigner=None, stable_rank=(lanczos.frobenius / lanczos.spectral.value) ** 2,
        effective_rank=lanczos.effective_rank.value, frobenius=lanczos.frobenius,
        spectral=lanczos.spectral.value, rank=round(lanczos.rank.value), notes=tuple(notes),
        measure=lanczos.measure,
        errors=LanczosErrors(
            lanczos.spectral.error, lanczos.effective_rank.error, lanczos.rank.error
        ),
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
    errors = measured.errors
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
            measure=measured.measure and measured.measure.scaled(unit),
            errors=errors and replace(errors, spectral=errors.spectral * unit),
        )  # fmt: skip
