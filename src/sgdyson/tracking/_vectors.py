"""The leading singular vectors of a matrix, and how much of them is left at a later time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from .._types import Floats
from ._level_steps import Frame

_SMALL = 64  # singular values, up to which all vectors are found
_SURE = 1e-6  # of the largest squared singular value, above which its Gram matrix is precise


@dataclass(frozen=True)
class Vectors:
    """Those of the largest singular values, in that order.

    Attributes:
        left: (rows, vector).
        right: (columns, vector).
    """

    left: Floats
    right: Floats

    def kept(self, before: Vectors) -> Floats:
        """How much of each vector was there before, (vector, 3).

        Squared overlaps of left and right vector with those of the level before that it is most
        like, and the rank of that level, from 1: levels may pass each other.
        """
        left = (self.left.T @ before.left) ** 2
        right = (self.right.T @ before.right) ** 2
        rank, own = (left * right).argmax(1), np.arange(left.shape[0])
        return np.stack([left[own, rank], right[own, rank], rank + 1.0], axis=1)


def leading(matrix: Floats, count: int, frame: Frame | None = None) -> Vectors:
    """Singular vectors of so many levels, or of all if they are fewer.

    Args:
        matrix: (rows, columns), real.
        count: how many.
        frame: its decomposition, where there is one.
    """
    count = min(count, *matrix.shape)
    if frame is not None:
        return Vectors(np.asarray(frame.left[:, :count]), np.asarray(frame.right[:, :count]))
    wide = matrix.shape[0] < matrix.shape[1]
    tall = matrix.T if wide else matrix
    n = tall.shape[1]
    if n > _SMALL:
        squares, vectors = eigh(tall.T @ tall, subset_by_index=[n - count, n - 1])
        # a square below is lost in the rounding of the largest, and its vector with it
        if squares[0] > _SURE * squares[-1]:
            right = vectors[:, ::-1]
            left = tall @ (right / np.sqrt(squares[::-1]))
            return Vectors(right, left) if wide else Vectors(left, right)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return Vectors(left[:, :count], right[:count].T)
