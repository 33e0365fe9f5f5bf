r"""Signal and noise of a gradient: unbiased for |G|^2 and tr Sigma, per record and matrix."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from .._types import Floats
from ..errors import require
from ._arrays import copies, named_arrays

Shapes = dict[str, tuple[int, ...]]
Parts = Callable[[str, Any, Shapes], Iterable[tuple[str, Any]]]

Moments = tuple[float, float]  # |G|^2, and tr Sigma of a single sample
Square = TypeVar("Square", float, Floats)


def of_squares(
    small_square: Square, big_square: Square, small: float, big: float
) -> tuple[Square, Square]:
    r"""Moments from the mean |g|^2 of `small` samples, and the |g|^2 of `big`, their average.

    E|g_b|^2 = |G|^2 + tr Sigma/b (S. McCandlish et al., arXiv:1812.06162, appendix A.1).
    """
    signal = (big * big_square - small * small_square) / (big - small)
    return signal, (small_square - big_square) / (1 / small - 1 / big)


def of_micro_batches(gradients: Any, samples: float) -> Moments:
    """Moments from gradients with the micro-batch as first axis, each of so many samples."""
    parts = np.asarray(gradients, dtype=np.float64).reshape(len(gradients), -1)
    require(len(parts) >= 2, f"{len(parts)} micro-batch has no variance; give two or more.")
    mean = parts.mean(axis=0)
    return of_squares(
        float(np.mean(np.sum(parts**2, axis=1))), float(mean @ mean), samples, len(parts) * samples
    )


def of_successive(dot: float, squared_distance: float, samples: float) -> Moments:
    """Moments from the gradients of two updates in a row: their product and |g - g'|^2.

    The weights in between move by one update, which adds |H dW|^2 to the noise.
    """
    # independent noise: <g.g'> = |G|^2, <|g - g'|^2> = 2 tr Sigma/b
    return dot, samples * squared_distance / 2


def scaled(moments: Moments, acting_square: float, square: float) -> Moments:
    """Moments of the gradient that acts, which clipping or a scaler has multiplied by one factor.

    The factor is that of the averaged gradient: its square before, and as the optimiser had it.
    NaN where that is not to be had any more, zeroed or not finite.
    """
    known = np.isfinite([acting_square, square]).all() and acting_square > 0 and square > 0
    factor = acting_square / square if known else np.nan
    return moments[0] * factor, moments[1] * factor


def moments_of(gradients: Any, samples: float, acting: Any, parts: Parts) -> Mapping[str, Moments]:
    """Moments of each matrix, or of each part of a fused one or of a stack.

    Args:
        gradients: like the weights, each with the micro-batch as first axis.
        samples: in a micro-batch.
        acting: like the weights, their mean as the optimiser had it; None where it is that.
        parts: names and views of the matrices of an array.
    """
    arrays = dict(_real(gradients, 3))
    shapes = {name: array.shape[1:] for name, array in arrays.items()}
    micro = {
        own: np.stack([views[own] for views in each])
        for name, array in arrays.items()
        if (each := [dict(parts(name, gradient, shapes)) for gradient in array])
        for own in each[0]
    }
    moments = {own: of_micro_batches(array, samples) for own, array in micro.items()}
    if acting is None:
        return moments
    squares = {
        own: float(np.sum(view**2))
        for name, gradient in _real(acting, 2)
        for own, view in parts(name, gradient, shapes)
    }
    return {
        own: scaled(moments[own], squares.get(own, np.nan), float(np.sum(array.mean(axis=0) ** 2)))
        for own, array in micro.items()
    }


def _real(tree: Any, axes: int) -> Iterable[tuple[str, np.ndarray]]:
    for name, array in copies(named_arrays(tree)):
        if np.ndim(array) >= axes and not np.iscomplexobj(array):
            yield name, np.asarray(array, dtype=np.float64)
