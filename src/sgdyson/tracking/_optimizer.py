r"""Which learning rate goes with which batch size, optimiser by optimiser.

A step of an optimiser that is linear in the gradient has noise $\propto\alpha/\sqrt{|B|}$ and a
pull $\propto\alpha$: $\alpha/|B|$ keeps the spectrum. One that divides by the size of the gradient
has noise $\propto\alpha$, whatever $|B|$, and a pull $\propto\alpha\sqrt{|B|}$ where the noise of
the gradient outweighs its mean: $\alpha/\sqrt{|B|}$ does. Measured in docs/linear-scaling.md.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidInputError

_LINEAR = ("sgd", "heavyball", "nesterov", "momentum")
_NORMALISED = ("adam", "adamw", "rmsprop")
_IN = "as sgdyson's study linear-scaling measured"


@dataclass(frozen=True)
class ScalingRule:
    """How the learning rate follows the batch size when the noise is to stay.

    Attributes:
        exponent: of |B| in alpha, 1 or 1/2.
        memory: of the average over gradients, 0 without.
        nesterov: whether the momentum looks ahead.
        decoupled_decay: weight decay beside the gradient, which follows alpha: |B|^(1/2) too.
        evidence: where it was seen.
    """

    exponent: float
    memory: float
    nesterov: bool
    decoupled_decay: float
    evidence: str

    @property
    def kept(self) -> str:
        """What pairs have in common."""
        return "alpha/|B|" if self.exponent == 1 else "alpha/sqrt|B|"


def scaling_rule(name: str | None, numbers: Mapping[str, float]) -> ScalingRule:
    """The rule of an optimiser.

    Args:
        name: None where it was not told: taken for plain SGD.
        numbers: that it was told.

    Raises:
        InvalidInputError: no rule is known.
    """
    kind = kind_of(name)
    if kind == "linear":
        return ScalingRule(
            1.0, numbers.get("momentum", 0.0), _ahead(name, numbers), 0.0,
            f"width^2 is proportional to alpha/|B| under SGD with and without momentum, {_IN} in"
            " six architectures",
        )  # fmt: skip
    unlike = [flag for flag in ("amsgrad", "centered") if numbers.get(flag)]
    if kind == "other" or unlike:
        raise InvalidInputError(
            f"the optimiser is {name}{''.join(f' with {flag}' for flag in unlike)}: no rule that"
            " keeps the noise is known for it; SGD with and without momentum, Adam, AdamW and"
            " RMSprop have one."
        )
    decay = numbers.get("weight_decay", 0.0) if _decoupled(name, numbers) else 0.0
    memory = numbers.get("momentum", 0.0) if kind == "rmsprop" else numbers.get("beta1", 0.9)
    return ScalingRule(
        0.5, memory, False, decay,
        f"width^2 is proportional to alpha/sqrt|B| under Adam and RMSprop, {_IN} (exponents of |B|"
        " 0.49 to 0.51), as long as the noise of the gradient outweighs its mean",
    )  # fmt: skip


def kind_of(name: str | None) -> str:
    """The law of an optimiser by its name: "linear", "adam", "rmsprop" or "other"."""
    plain = (name or "sgd").lower().replace("_", "").replace("-", "")
    if plain in _LINEAR:
        return "linear"
    if plain in _NORMALISED:
        return "rmsprop" if plain == "rmsprop" else "adam"
    return "other"


def long_run_factor(name: str | None, numbers: Mapping[str, float]) -> float:
    """How far, in units of alpha, a unit of gradient moves a weight in all, under momentum."""
    beta = numbers.get("momentum", 0.0)
    if kind_of(name) != "linear" or not 0 <= beta < 1:
        return math.nan
    return (1 - numbers.get("dampening", 0.0)) / (1 - beta)


def widening(rule: ScalingRule, friction: float, decay: float = 0.0) -> float:
    r"""Width^2 of a level in steps of this size, over that of infinitely small ones, $1/2\gamma$.

    Of $w' = (1-d)w - u'$ with $u' = \beta u + (1-\beta)((\gamma-d)w + n)$, n of variance 1, or what
    Nesterov's momentum makes of it: exact. $1/(1-\gamma/2)$ of plain descent.

    Args:
        rule: tells the memory.
        friction: gamma, an update, of loss and decay together.
        decay: d, what decay beside the gradient has in it.

    Returns:
        Infinity beyond stability.
    """
    beta, pull = rule.memory, friction - decay
    kick = np.array([-(1 - beta), 1 - beta])
    drift = np.array([[1 - decay, -beta], [0.0, beta]])
    if rule.nesterov:  # w' = w - (1-beta) g - beta u', g the gradient itself
        kick[0] *= 1 + beta
        drift[0, 1] *= beta
    drift[:, 0] += pull * kick
    if np.abs(np.linalg.eigvals(drift)).max() >= 1:
        return math.inf
    source = np.outer(kick, kick).reshape(4)
    # as `optimizers` solves it, which loads JAX, as no tracker must
    covariance = np.linalg.solve(np.eye(4) - np.kron(drift, drift), source)
    return float(covariance[0]) * 2 * friction


def _ahead(name: str | None, numbers: Mapping[str, float]) -> bool:
    return bool(numbers.get("nesterov")) or (name or "").lower() == "nesterov"


def _decoupled(name: str | None, numbers: Mapping[str, float]) -> bool:
    return (name or "").lower() == "adamw" or bool(numbers.get("decoupled_weight_decay"))
