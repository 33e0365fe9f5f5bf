r"""Moments of X to second order in 1/|B|, at fixed alpha and for the persistent chain as it is.

Relative corrections are evaluated at a batch so large that they are proportional to 1/|B|, and
scaled back: strictly second order, nothing is linearised by hand. One number is a closure: the
second order of E is that of fresh samples at leading order in alpha, for the chain too. Derivation:
docs, "Theory".
"""

from typing import NamedTuple

import numpy as np

from ..errors import NoPredictionError
from ._leading import Levels, degenerate
from ._rbm_cumulants import multiplicity, noise_response, third_cumulants
from ._rbm_joint import (
    Blocks,
    Cube,
    Linear,
    Setting,
    Square,
    chain_step,
    linear_order,
    stationary,
    weight_step,
)
from ._rbm_terms import (
    chain_cubic,
    chain_quadratic,
    quadratic_squared,
    weight_cubic,
    weight_quadratic,
    with_cubic,
    with_quadratic,
)
from ._sqrt_gram import SqrtGram

_LARGE = 1e5  # times the batch: corrections are proportional to 1/|B| there, and far from rounding
_RELATIVE = 0.4  # of V: beyond, the expansion says less than its first order does


class Moments(NamedTuple):
    """Moments of X in the target's eigenbasis.

    Attributes:
        variance: V to first order.
        relative: what the second order changes of it.
        first_shift: E to first order.
        shift: E to second order.
        third: t_ijk, third cumulants over their multiplicity.
    """

    variance: Square
    relative: Square
    first_shift: Levels
    shift: Levels
    third: Cube


def second_order(setting: Setting) -> SqrtGram:
    """H = sqrt(X) with the first three cumulants of X to second order.

    Raises:
        NoPredictionError: corrections too large to be believed.
    """
    moments = second_moments(setting)
    x, h = setting.x, np.sqrt(setting.x)
    both = h[:, None] + h
    first = moments.variance / both**2
    moved = (moments.first_shift - first.sum(axis=1)) / (2 * h)
    # V = (h_i + h_j)^2 U + (1 + delta)(U U)_ij, at the h that has moved
    square = (first @ first) * (1 + np.eye(len(x))) / moments.variance
    relative = moments.relative - square - 2 * (moved[:, None] + moved) / both
    largest = float(np.abs(relative).max())
    if largest > _RELATIVE:
        raise NoPredictionError(
            f"order = 2 changes a width by {largest:.2f} of itself at learning_rate ="
            f" {setting.alpha:g}, batch_size = {setting.batch:g}, and is worse than order 1 there;"
            " take order 1 or a smaller alpha/|B|."
        )
    variance = _without_direction(first * (1 + relative), x)
    return SqrtGram(x, x + moments.shift, variance, _bend(moments, both))


def second_moments(setting: Setting) -> Moments:
    """V, E and t."""
    joint, first, third = _corrected(setting)
    free = setting._replace(sweeps=None)
    fresh = (joint, first, third) if setting.sweeps is None else _corrected(free)
    shift = _second_shift(free, *fresh)
    return Moments(
        first.before[..., 0, 0], joint, first.level_shift, first.level_shift + shift, third
    )


def _bend(moments: Moments, both: Square) -> Cube:
    """The term (B) of the theory page."""
    v = moments.variance / (1 + np.eye(len(both)))
    skew = moments.third / (3 * v[:, None, :] * v[None]) * both[:, None, :] * both[None]
    return np.asarray((skew - 1) / both[:, :, None])


def _without_direction(variance: Square, x: Levels) -> Square:
    """Within a multiplet nothing has a direction, and U_ii = 2 U_ij to the last digit."""
    fixed, together = variance.copy(), degenerate(x)
    for i, row in enumerate(together):
        others = np.flatnonzero(row)
        if len(others) > 1:
            fixed[i, i] = 2 * variance[others[0], others[1]]
    return fixed


def _corrected(setting: Setting) -> tuple[Square, Linear, Cube]:
    """Relative change of V, linear order and t of m, all at the setting's own |B|."""
    # V is of order 1/|B|, its relative change too, t of order 1/|B|^2: each is scaled back so
    at = setting._replace(batch=setting.batch * _LARGE)
    linear = linear_order(at)
    before, between = third_cumulants(at, linear)
    times = multiplicity(len(at.target))
    variance = _next_variance(at, linear, before * times, between * times)
    relative = (variance / linear.before[..., 0, 0] - 1) * _LARGE
    return relative, linear_order(setting), before[0, 0, 0] * _LARGE**2


def _next_variance(s: Setting, linear: Linear, before: np.ndarray, between: np.ndarray) -> Square:
    """V: the linear maps at the shifted means, and the sources of the next order."""
    level, model = s.x + linear.level_shift, s.propagator + linear.model_shift
    g, moved = 1 / (s.mass2 - level), s.contraction(level)
    chain = chain_step(g, model - g, moved.power, moved.first)
    weights = weight_step(level, linear.model_shift, s.alpha)
    source = _chain_source(s, linear, before, _old_average(s, linear, model, moved.power))
    later = _weight_source(s, linear, between)
    return np.asarray(stationary(weights @ chain, weights @ source @ weights.mT + later)[..., 0, 0])


def _chain_source(
    s: Setting, linear: Linear, third: np.ndarray, averages: tuple[Levels, Levels]
) -> Blocks:
    """What the quadratic and cubic terms of step 1 and the mean noise of the samples add."""
    n, (model, old) = len(s.target), averages
    terms, row = chain_quadratic(s), linear.chain[..., 1, :]
    source = np.zeros((n, n, 2, 2))
    cross = [
        with_quadratic(terms, third, w) + with_cubic(chain_cubic(s), linear.before, w)
        for w in range(2)
    ]
    noise = np.outer(model, model) - np.outer(old, old)
    noise += _variance_of(row, linear.before) - _variance_of(noise_response(s), linear.before)
    source[..., 0, 1] = source[..., 1, 0] = cross[0]
    source[..., 1, 1] = (
        2 * (row[..., 0] * cross[0] + row[..., 1] * cross[1])
        + quadratic_squared(terms, linear.before) + (1 + np.eye(n)) / s.batch * noise
    )  # fmt: skip
    return source


def _weight_source(s: Setting, linear: Linear, third: np.ndarray) -> Blocks:
    """What the quadratic and cubic terms of step 2 add."""
    n, terms = len(s.target), weight_quadratic(s)
    source = np.zeros((n, n, 2, 2))
    cross = [
        with_quadratic(terms, third, w) + with_cubic(weight_cubic(s), linear.between, w)
        for w in range(2)
    ]
    row = linear.weights[..., 0, :]
    source[..., 0, 1] = source[..., 1, 0] = cross[1]
    source[..., 0, 0] = (
        2 * (row[..., 0] * cross[0] + row[..., 1] * cross[1])
        + quadratic_squared(terms, linear.between)
    )  # fmt: skip
    return source


def _old_average(s: Setting, linear: Linear, model: Levels, power: Levels) -> tuple[Levels, Levels]:
    r"""<C>, and $\langle A^k C A^k \rangle$, what the samples keep of it, to the next order."""
    a, h, second = s.contraction(s.x)
    variance, mixed = linear.before[..., 0, 0], linear.before[..., 0, 1]
    curved = np.einsum("iki->ik", second)
    old = (
        2 * a[:, None] * h * mixed + h**2 * variance * s.propagator
        + 2 * curved * variance * (s.propagator * a)[:, None]
    ).sum(1)  # fmt: skip
    return model, power**2 * model + old


def _variance_of(response: np.ndarray, moments: Blocks) -> Square:
    return np.asarray(np.einsum("ija,ijab,ijb->ij", response, moments, response))


def _second_shift(s: Setting, relative: Square, linear: Linear, third: Cube) -> Levels:
    r"""E of order $1/|B|^2$, of fresh samples.

    $x_i P_i + 1 - \mu^2 \langle G_{ii} \rangle + \frac\alpha2 \langle D X D \rangle_{ii} = 0$,
    which is exact, with $\langle G \rangle$ to fourth order in M.
    """
    p, x, first = s.propagator, s.x, linear.before[..., 0, 0]
    variance = first * (1 + relative)
    cumulant = third * multiplicity(len(x))
    shift = linear.level_shift.copy()
    for _ in range(200):
        g = 1 / (s.target - shift)
        w = variance @ g
        average = g + g**2 * (
            w + np.einsum("ijk,j,k->i", cumulant, g, g) + g * w**2
            + first @ (g**2 * (first @ g)) + g * (first**2 @ g**2)
        )  # fmt: skip
        noise = (
            s.mass2 * (average**2 + g**2 * (first @ g**2)) - average
            + average * (s.mass2 * average - 1).sum() + s.mass2 * g**4 * np.diag(first)
        ) / s.batch  # fmt: skip
        scatter = s.alpha / 2 * (noise + p**2 * (first @ (x * p**2)))
        off = (x + shift) * p + 1 - s.mass2 * average + scatter
        step = off / (s.mass2 * p**2 - p)
        shift = shift + step
        if np.abs(step).max() < 1e-12:
            break
    return np.asarray(shift - linear.level_shift)
