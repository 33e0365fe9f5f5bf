"""Learning rates and batch sizes of the same noise, and how far the rule that pairs them holds."""

import math
from dataclasses import dataclass

from ..stats import Estimate
from ._optimizer import ScalingRule, widening

OFF = 0.05  # a width wrong by so much ends the rule
_RATE_OFF = 0.1  # and a learning rate by so much, of an optimiser that sees the mean gradient
_FARTHEST = 30.0  # logarithm of a factor


@dataclass(frozen=True)
class Pair:
    """A learning rate and batch size of the same noise.

    Attributes:
        learning_rate: alpha.
        batch_size: |B|.
        width: of the levels, in units of that of this run: 1 as far as the rule holds; None where
            friction is not known, infinity beyond stability.
        of_noise_scale: |B|/B_simple: above 1 little noise is left beside the gradient.
        weight_decay: what it must become where it stands beside the gradient, as in AdamW; None
            where it stays.
    """

    learning_rate: float
    batch_size: float
    width: Estimate | None
    of_noise_scale: float | None
    weight_decay: float | None = None


def holds(rule: ScalingRule, scale: Estimate | None, batch: float, factor: float) -> bool:
    r"""Whether the rule holds where the mean gradient counts too.

    There $\alpha \propto \sqrt{|B|(1 + |B|/B_\mathrm{simple})}$, in place of $\sqrt{|B|}$.
    """
    if rule.exponent == 1 or scale is None or factor == 1:
        return True
    ratio = (1 + factor * batch / scale.value) / (1 + batch / scale.value)
    return abs(math.sqrt(ratio) - 1) < _RATE_OFF


def pair_of(
    rule: ScalingRule, factor: float, rate: float, batch: float,
    friction: Estimate | None, scale: Estimate | None,
) -> Pair:  # fmt: skip
    """The pair at this factor of the batch size.

    Args:
        rule: of the optimiser.
        factor: of the batch size.
        rate: alpha of the run.
        batch: |B| of the run.
        friction: fastest of a matrix, if it is known.
        scale: of the gradient noise, if it is known.
    """
    decay = rule.decoupled_decay * factor**0.5 if rule.decoupled_decay else None
    return Pair(
        rate * factor**rule.exponent,
        batch * factor,
        _width(rule, rate, friction, factor) if friction else None,
        batch * factor / scale.value if scale else None,
        decay,
    )


def _width(rule: ScalingRule, rate: float, friction: Estimate, factor: float) -> Estimate | None:
    value = _widths(rule, rate, friction.value, factor)
    above = _widths(rule, rate, friction.value + friction.error, factor)
    if math.isnan(value):
        return None
    reach = abs(above - value) if math.isfinite(value) else 0.0
    return Estimate(value, reach, friction.effective_size)


def _widths(rule: ScalingRule, rate: float, friction: float, factor: float) -> float:
    """Beside today's: all that pulls grows with |B| an update, under either rule."""
    decay = min(rate * rule.decoupled_decay, friction)
    today = widening(rule, friction, decay)
    return math.sqrt(widening(rule, factor * friction, factor * decay) / today)


def largest_rate(rule: ScalingRule, rate: float, friction: Estimate | None) -> Estimate | None:
    """Alpha on the line of the rule where the width is 5 % off."""
    if friction is None or not math.isfinite(_widths(rule, rate, friction.value, 1.0)):
        return None

    def inside(logarithm: float) -> bool:
        return abs(_widths(rule, rate, friction.value, math.exp(logarithm)) - 1) < OFF

    low, high = 0.0, 0.1
    while inside(high) and high < _FARTHEST:
        low, high = high, high + 0.1
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) else (low, middle)
    value = rate * math.exp(low * rule.exponent)
    error = rule.exponent * value * friction.error / friction.value
    return Estimate(value, error, friction.effective_size)
