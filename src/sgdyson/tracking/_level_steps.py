r"""What one update does to the levels of a matrix: $a_{ij} = u_i^T\,dW\,v_j$ of near levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._checks import whole
from .._types import ArrayLike, Floats
from ..errors import require
from ..spectra import gram_suffices

Numbers = NDArray[np.float64] | NDArray[np.complex128]
NEIGHBOURS = 4
_SMALL = 64  # singular values, up to which there is no time to be won


@dataclass(frozen=True)
class Frame:
    """A matrix and its singular value decomposition.

    Attributes:
        matrix: (rows, columns).
        left: u_i in its columns.
        s: descending.
        right: v_i in its columns.
    """

    matrix: Numbers
    left: Numbers
    s: Floats
    right: Numbers

    def like(self, other: Frame) -> Frame:
        """With the signs of the vectors of a frame shortly before, which a sum over time needs."""
        along = np.sum(self.left * other.left, axis=0) + np.sum(self.right * other.right, axis=0)
        signs = np.where(along.real < 0, -1.0, 1.0)
        return Frame(self.matrix, self.left * signs, self.s, self.right * signs)


def frame_of(matrix: Numbers) -> Frame:
    """Decompose a matrix; a large one through its smaller Gram matrix where that loses nothing."""
    wide = matrix.shape[0] < matrix.shape[1]
    tall = matrix.T if wide else matrix
    if min(matrix.shape) > _SMALL and not np.iscomplexobj(matrix):
        squares, right = np.linalg.eigh(tall.T @ tall)
        s, right = np.sqrt(np.maximum(squares[::-1], 0.0)), right[:, ::-1]
        if gram_suffices(s):
            left = tall @ (right / s)
            return Frame(matrix, right, s, left) if wide else Frame(matrix, left, s, right)
    left, s, right = np.linalg.svd(matrix, full_matrices=False)
    return Frame(matrix, left, s, right.conj().T)


def frame_after(matrix: Numbers, before: Frame | None, still: bool) -> Frame:
    """That of a matrix one update later."""
    if before is None:
        return frame_of(matrix)
    return before if still else frame_of(matrix).like(before)


def steps_in(frame: Frame, after: Numbers, neighbours: int = NEIGHBOURS) -> Numbers:
    """`level_steps` of a matrix that is decomposed already."""
    half = neighbours // 2
    moved = (after - frame.matrix) @ frame.right
    left, levels = frame.left.conj(), len(frame.s)
    band = np.full((levels, 2 * half + 1), np.nan, np.result_type(moved, left))
    for offset in range(-half, half + 1):
        i = np.arange(max(0, -offset), min(levels, levels - offset))
        # one diagonal of u^T dW v: all of it would cost a product of matrices
        band[i, half + offset] = np.einsum("mi,mi->i", left[:, i], moved[:, i + offset])
    return band


def level_steps(before: ArrayLike, after: ArrayLike, neighbours: int = NEIGHBOURS) -> Numbers:
    r"""$a_{i,i+d} = u_i^\dagger\,dW\,v_{i+d}$ of an update, in the basis of the matrix before it.

    The singular value i moves by $\mathrm{Re}\,a_{ii}$ to first order, and by
    $|a_{ij} + a_{ji}^*|^2/4(\xi_i - \xi_j)$ and the like to second: it is pushed by its neighbours.

    Args:
        before: (rows, columns), real or complex.
        after: one update later.
        neighbours: how many of each level, half above and half below in rank.

    Returns:
        (level, neighbours + 1), levels descending, d from -neighbours/2 to neighbours/2; NaN where
        there is no such neighbour.

    Raises:
        InvalidInputError: matrices of two shapes, NaN, an odd number of neighbours.

    Examples:
        >>> import numpy as np
        >>> level_steps(np.diag([3.0, 1.0]), np.diag([3.1, 1.0]), 2).round(6)
        array([[nan, 0.1, 0. ],
               [0. , 0. , nan]])
    """
    first, second = np.asarray(before), np.asarray(after)
    require(
        first.ndim == 2 and first.shape == second.shape and first.size > 0,
        f"before has shape {first.shape} and after {second.shape}; give one matrix, twice.",
    )
    require(
        bool(np.isfinite(first).all() and np.isfinite(second).all()),
        "the matrices hold NaN or infinity.",
    )
    neighbours = whole("neighbours", neighbours, 2)
    require(neighbours % 2 == 0, f"neighbours = {neighbours} must be even: as many on each side.")
    if np.iscomplexobj(first) or np.iscomplexobj(second):
        frame = frame_of(first.astype(np.complex128))
        return steps_in(frame, second.astype(np.complex128), neighbours)
    return steps_in(frame_of(first.astype(np.float64)), second.astype(np.float64), neighbours)


def level_steps_along(weights: ArrayLike, neighbours: int = NEIGHBOURS) -> Numbers:
    """`level_steps` of each of several updates in a row, with one sign of each singular vector.

    Args:
        weights: (time, rows, columns), of consecutive updates.
        neighbours: of each level.

    Returns:
        Shape (time - 1, level, neighbours + 1), a burst, as `dyson_index` takes several.

    Raises:
        InvalidInputError: no two matrices, NaN, an odd number of neighbours.
    """
    history = np.asarray(weights)
    require(
        history.ndim == 3 and len(history) > 1,
        f"weights have shape {history.shape}; give (time, rows, columns), of two times or more.",
    )
    require(bool(np.isfinite(history).all()), "the matrices hold NaN or infinity.")
    if np.iscomplexobj(history):
        return _along(history.astype(np.complex128), neighbours)
    return _along(history.astype(np.float64), neighbours)


def _along(history: Numbers, neighbours: int) -> Numbers:
    frames = [frame_of(history[0])]
    for matrix in history[1:-1]:
        frames.append(frame_of(matrix).like(frames[-1]))
    steps = zip(frames, history[1:], strict=True)
    return np.array([steps_in(frame, after, neighbours) for frame, after in steps])
