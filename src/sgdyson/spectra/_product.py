"""The spectrum of a product of two thin matrices, without the product."""

from __future__ import annotations

import numpy as np

from .._capacity import require_memory
from .._types import ArrayLike, Floats
from ..errors import require
from ._levels import real_matrices
from ._matrix_spectrum import MatrixSpectrum
from ._measured_values import measure_values, with_tail
from ._spectrum import spectrum


def spectrum_of_product(
    name: str,
    left: ArrayLike,
    right: ArrayLike,
    *,
    false_alarm: float = 0.01,
    tail: bool = False,
    tail_draws: int = 100,
    randomise: int | None = None,
) -> MatrixSpectrum:
    r"""Measure the product of two matrices, such as $B A$ of an adapter of low rank.

    With $B = Q_B R_B$ and $A^T = Q_A R_A$ the singular values of $B A = Q_B R_B R_A^T Q_A^T$ are
    those of $R_B R_A^T$, of the inner size alone (G. H. Golub and C. F. Van Loan, Matrix
    Computations, 4th ed., section 5.2); all others are zero. Where the inner size is not the
    smallest of the three, the product is measured as any other matrix.

    Args:
        name: name of the product.
        left: (rows, inner).
        right: (inner, columns).
        false_alarm: see `spectrum`.
        tail: see `spectrum`.
        tail_draws: see `spectrum`.
        randomise: see `spectrum`; the entries that are shuffled are those of the product.

    Raises:
        InvalidInputError: of shapes that do not multiply, not finite, or all zero.

    Examples:
        >>> import numpy as np
        >>> left, right = np.array([[3.0], [4.0], [0.0]]), np.array([[0.0, 2.0]])
        >>> measured = spectrum_of_product("change", left, right)
        >>> measured.shape, round(measured.spectral, 12), measured.rank  # 5 times 2
        ((3, 2), 10.0, 1)
    """
    a, b = real_matrices(name, left), real_matrices(name, right)
    require(
        a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0],
        f"{name}: factors of shapes {a.shape} and {b.shape} do not multiply; give (rows, inner)"
        " and (inner, columns).",
    )
    shape, inner = (a.shape[0], b.shape[1]), a.shape[1]
    if inner >= min(shape) or randomise is not None:  # whose entries are shuffled must have them
        require_memory(24.0 * shape[0] * shape[1], f"{name} of shape {shape}")
        return spectrum(name, a @ b, false_alarm=false_alarm, tail=tail, tail_draws=tail_draws,
                        randomise=randomise)  # fmt: skip
    values = np.pad(_values(name, a, b), (0, min(shape) - inner))
    exact = all(np.array_equal(w, w.astype(np.float32)) for w in (a, b))
    measured = measure_values(
        name, values, shape, false_alarm, live=shape,
        precision=float(np.finfo(np.float32 if exact else np.float64).eps),
    )  # fmt: skip
    return with_tail(measured, tail_draws) if tail else measured


def _values(name: str, a: Floats, b: Floats) -> Floats:
    """Singular values of a product, as many as its inner size, descending."""
    units = [float(np.abs(w).max(initial=0.0)) for w in (a, b)]
    require(
        all(0 < unit < np.inf for unit in units),
        f"{name} must be a product of finite matrices, neither of them zero.",
    )
    left = np.linalg.qr(a / units[0])[1]
    right = np.linalg.qr(b.T / units[1])[1]
    with np.errstate(over="ignore", under="ignore"):
        return np.linalg.svd(left @ right.T, compute_uv=False) * units[0] * units[1]
