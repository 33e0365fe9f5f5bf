"""Weights to levels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import require

Floats = NDArray[np.float64]


def levels_of_weights(weights: ArrayLike) -> Floats:
    """Eigenvalues of the gram matrix W^T W, through the singular values of W.

    Args:
        weights: (..., N_h, N_v), any batch shape in front.

    Returns:
        (..., N_v), descending; N_v - N_h zeros at the end where N_h < N_v.

    Raises:
        InvalidInputError: fewer than two axes, no entries, NaN or infinity.
    """
    w = np.asarray(weights, dtype=np.float64)
    require(
        w.ndim >= 2 and w.size > 0,
        f"weights have shape {w.shape}; give (..., N_h, N_v), none of them zero.",
    )
    require(
        bool(np.all(np.isfinite(w))),
        "weights hold NaN or infinity; leave out the replicas that diverged.",
    )
    levels = np.linalg.svd(w, compute_uv=False) ** 2
    missing = w.shape[-1] - levels.shape[-1]
    return np.pad(levels, [(0, 0)] * (w.ndim - 2) + [(0, missing)])
