"""The door from a matrix to its levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._types import ArrayLike, Floats
from ..errors import require

Numbers = Floats | NDArray[np.complex128]
_SAFE = 1e140  # entries up to which, and down to the inverse of which, squares are exact


def levels_of_weights(weights: ArrayLike) -> Floats:
    """Eigenvalues of the gram matrix W^T W, through the singular values of W.

    Of complex weights W^dagger W takes its place.

    Args:
        weights: (..., N_h, N_v), real or complex, any batch shape in front.

    Returns:
        (..., N_v), descending; N_v - N_h zeros at the end where N_h < N_v.

    Raises:
        InvalidInputError: fewer than two axes, no entries, no numbers, NaN or infinity.

    Examples:
        >>> levels_of_weights([[3.0, 0.0], [0.0, 2.0]])
        array([9., 4.])
    """
    w = numeric_matrices("weights", weights)
    require(
        bool(np.all(np.isfinite(w))),
        "weights hold NaN or infinity; leave out the replicas that diverged.",
    )
    with np.errstate(over="ignore", under="ignore"):
        levels = np.linalg.svd(w, compute_uv=False) ** 2
    return _padded(np.asarray(levels, np.float64), w.shape[-1])


def levels_of_gram(weights: ArrayLike) -> Floats:
    """Levels by the smaller of the two Gram matrices: faster, exact to 1e-16 of the largest.

    In NumPy, on one thread of the caller. Levels too large for a float are infinite; matrices that
    are not finite have levels that are NaN.

    Args:
        weights: (..., N_h, N_v), real or complex, any batch shape in front.

    Raises:
        InvalidInputError: fewer than two axes, no entries, no numbers.
    """
    w = numeric_matrices("weights", weights)
    hidden, visible = w.shape[-2:]
    lost = np.asarray(~np.isfinite(w).all(axis=(-2, -1)))
    if lost.any():
        w = np.where(lost[..., None, None], 0.0, w)
    scale = _scale(w)
    if scale is not None:
        w = w / scale
    adjoint = w.mT if w.dtype.kind == "f" else w.conj().mT
    gram = adjoint @ w if visible <= hidden else w @ adjoint
    # rounding leaves levels of zero on either side of it
    levels = np.maximum(np.linalg.eigvalsh(gram)[..., ::-1], 0.0)
    if scale is not None:
        with np.errstate(over="ignore", under="ignore"):
            levels = levels * scale[..., 0] ** 2
    levels[lost] = np.nan
    return _padded(levels, visible)


def numeric_matrices(name: str, weights: ArrayLike) -> Numbers:
    """Matrices of real numbers, in float64, or of complex ones, in complex128.

    Raises:
        InvalidInputError: fewer than two axes, no entries, anything but numbers.
    """
    w = np.asarray(weights)
    if w.dtype.kind != "c":
        return real_matrices(name, w)
    _check_form(name, w)
    return w.astype(np.complex128, copy=False)


def real_matrices(name: str, weights: ArrayLike) -> Floats:
    """Matrices of real numbers, in float64.

    Raises:
        InvalidInputError: fewer than two axes, no entries, anything but real numbers.
    """
    return real_as_stored(name, weights).astype(np.float64, copy=False)


def real_as_stored(name: str, weights: ArrayLike) -> np.ndarray:
    """Matrices of real numbers, in the type that they have.

    Raises:
        InvalidInputError: fewer than two axes, no entries, anything but real numbers.
    """
    w = np.asarray(weights)
    _check_form(name, w)
    require(
        w.dtype.kind != "c",
        f"{name} are complex, and only real ones are supported here; give the real and the"
        " imaginary part as matrices of their own.",
    )
    # bfloat16 and its like are no kind of NumPy's own
    real = w.dtype.kind in "fiub" or "float" in w.dtype.name
    require(real, f"{name} of type {w.dtype} must be real numbers.")
    return w


def _check_form(name: str, w: np.ndarray) -> None:
    require(
        w.ndim >= 2 and w.size > 0,
        f"{name} have shape {w.shape}; give (..., N_h, N_v), none of them zero.",
    )


def _scale(w: Numbers) -> Floats | None:
    """A power of two for each matrix, where one of them is so large or small that squares are not.

    Nothing is divided where all are of ordinary size, as nearly always.
    """
    largest = np.abs(w).max(axis=(-2, -1), keepdims=True)
    if np.all((largest < _SAFE) & ((largest > 1 / _SAFE) | (largest == 0))):
        return None
    exponent = np.frexp(np.where(largest > 0, largest, 1.0))[1]
    # beyond, the power itself or its inverse leaves the range of a float
    return np.ldexp(np.ones_like(largest), np.clip(exponent, -1000, 1000))


def _padded(levels: Floats, visible: int) -> Floats:
    missing = visible - levels.shape[-1]
    return np.pad(levels, [(0, 0)] * (levels.ndim - 1) + [(0, missing)])
