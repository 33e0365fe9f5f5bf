"""The scale of gradient noise, from gradients of two batch sizes."""

import numpy as np

from .._types import ArrayLike
from ..errors import require
from ..stats import Estimate, jackknife_of_means
from ._gradients import of_squares


def noise_scale(
    small_squares: ArrayLike, big_squares: ArrayLike, small: float, big: float
) -> Estimate:
    r"""$B_\mathrm{simple} = \mathrm{tr}\,\Sigma/|G|^2$, in samples.

    With E|g_B|^2 = |G|^2 + tr Sigma/B of a gradient over B samples,
    $$|G|^2 = \frac{B\,|g_B|^2 - b\,|g_b|^2}{B - b}, \qquad
    \mathrm{tr}\,\Sigma = \frac{|g_b|^2 - |g_B|^2}{1/b - 1/B} ,$$
    both averaged over steps before they are divided: the mean of ratios would be biased
    (S. McCandlish et al., arXiv:1812.06162, appendix A.1).

    Args:
        small_squares: (step,) mean squared norm of the gradients of the micro-batches of a step,
            or of the processes of a distributed run.
        big_squares: (step,) squared norm of their average.
        small: samples b in a micro-batch.
        big: samples B in all.

    Returns:
        The noise scale, its error by jackknife over steps.

    Raises:
        InvalidInputError: fewer than two steps, b not below B, a squared norm that is negative or
            not finite, no gradient above the noise, or noise below zero.

    Examples:
        >>> # |G|^2 = 1 and tr Sigma = 6: mean |g|^2 is 1 + 6/2 of two samples, 1 + 6/4 of four
        >>> noise_scale([4.0] * 10, [2.5] * 10, 2, 4).value
        6.0
    """
    b2, big2 = (np.asarray(x, dtype=np.float64) for x in (small_squares, big_squares))
    require(
        b2.ndim == 1 and b2.shape == big2.shape and b2.size >= 2,
        f"squared norms have shapes {b2.shape} and {big2.shape}; give (step,), two or more.",
    )
    require(0 < small < big, f"small = {small!r} must be above 0 and below big = {big!r}.")
    bad = ~np.isfinite(b2 + big2) | (b2 < 0) | (big2 < 0)
    require(
        not bad.any(),
        f"squared norms of {bad.sum()} of {bad.size} steps are negative or not finite, as of a step"
        " that a loss scaler skips; leave them out.",
    )
    signal, noise = of_squares(b2, big2, small, big)
    require(
        float(signal.mean()) > 0,
        f"the mean squared gradient is {signal.mean():.3g}: all noise; average over more steps.",
    )
    scale = jackknife_of_means(lambda m: m[..., 0] / m[..., 1], np.stack([noise, signal], axis=1))
    require(
        scale.value >= -4 * scale.error,
        f"the noise scale is {scale}: gradients of small batches are no noisier than their average;"
        " give the small batches first.",
    )
    return scale
