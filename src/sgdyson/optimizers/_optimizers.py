"""Optimisers as values: functions from the learning rate to an Optax transformation.

Each compares equal to another of the same numbers, so that nothing is compiled twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import optax

from .._checks import at_least_zero, finite, settle
from ..errors import require

Rate: TypeAlias = Any  # a number, or an Optax schedule

_SHARES = ("momentum", "decay", "b1", "b2")  # of what is remembered: 1 would never forget
_SIZES = ("weight_decay", "eps")


@dataclass(frozen=True)
class Optimizer:
    """An optimiser: frozen numbers, called with a learning rate.

    Attributes:
        linear: whether a step is linear in the gradients, so that fluctuations follow alpha/|B|.

    Examples:
        >>> import jax.numpy as jnp
        >>> from sgdyson.optimizers import SGD
        >>> update = SGD()(0.1)  # of Optax, at the learning rate 0.1
        >>> step, _ = update.update(jnp.array([2.0]), update.init(jnp.array([1.0])))
        >>> round(float(step[0]), 6)
        -0.2
    """

    linear: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Refuse a class that derives from one with a step: its theory would be taken for its own.

        Raises:
            InvalidInputError: such a class.
        """
        super().__init_subclass__()
        with_step = [
            base.__name__
            for base in cls.__mro__[1:]
            if base is not Optimizer and issubclass(base, Optimizer) and "__call__" in vars(base)
        ]
        require(
            not with_step,
            f"{cls.__name__} derives from {', '.join(with_step)}, whose predictions do not hold for"
            " it; derive it from Optimizer.",
        )

    def __post_init__(self) -> None:
        for parameter in fields(self):
            name = parameter.name
            if name in _SHARES + _SIZES:
                value = at_least_zero(name, getattr(self, name))
                ok = value < 1 or name in _SIZES
                require(ok, f"{name} = {value!r} must be from 0 to below 1.")
            elif parameter.type in (float, "float"):
                value = finite(name, getattr(self, name))
            else:
                continue
            settle(self, **{name: value})

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        """The Optax transformation of this learning rate, a number or a schedule."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""$W' = W - \alpha (g + \lambda W)$.

    Args:
        weight_decay: lambda, added to the gradient.

    Examples:
        >>> SGD(weight_decay=0.1)
        SGD(weight_decay=0.1)
        >>> SGD().linear
        True
    """

    linear: ClassVar[bool] = True
    weight_decay: float = 0.0

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return _decayed(self.weight_decay, optax.sgd(learning_rate))


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    r"""Polyak's momentum, $v' = \beta v + g + \lambda W$, $W' = W - \alpha v'$.

    Args:
        momentum: beta.
        weight_decay: lambda.
    """

    linear: ClassVar[bool] = True
    momentum: float = 0.9
    weight_decay: float = 0.0

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return _decayed(self.weight_decay, optax.sgd(learning_rate, self.momentum))


@dataclass(frozen=True)
class Nesterov(Optimizer):
    r"""$v' = \beta v + g + \lambda W$, $W' = W - \alpha (g + \lambda W + \beta v')$.

    Args:
        momentum: beta.
        weight_decay: lambda.
    """

    linear: ClassVar[bool] = True
    momentum: float = 0.9
    weight_decay: float = 0.0

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return _decayed(self.weight_decay, optax.sgd(learning_rate, self.momentum, nesterov=True))


@dataclass(frozen=True)
class RMSProp(Optimizer):
    r"""$v' = b v + (1 - b) g^2$, $W' = W - \alpha g/\sqrt{v' + \epsilon}$, entry by entry.

    Args:
        decay: b.
        eps: epsilon.
    """

    decay: float = 0.9
    eps: float = 1e-8

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return optax.rmsprop(learning_rate, self.decay, self.eps)


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""$W' = W - \alpha \hat m/(\sqrt{\hat v} + \epsilon)$ (Kingma and Ba, arXiv:1412.6980).

    Args:
        b1: memory of the mean m of gradients.
        b2: memory of the mean v of their squares.
        eps: epsilon.
    """

    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return optax.adam(learning_rate, self.b1, self.b2, self.eps)


@dataclass(frozen=True)
class AdamW(Optimizer):
    r"""Adam, and $-\alpha \lambda W$ beside it (Loshchilov and Hutter, arXiv:1711.05101).

    Args:
        weight_decay: lambda.
        b1: see `Adam`.
        b2: see `Adam`.
        eps: see `Adam`.
    """

    weight_decay: float = 1e-4
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return optax.adamw(
            learning_rate, self.b1, self.b2, self.eps, weight_decay=self.weight_decay
        )


@dataclass(frozen=True)
class Muon(Optimizer):
    r"""Orthogonalised momentum: all singular values of an update are about $\alpha$.

    Nesterov's momentum of each matrix, made orthogonal by five Newton-Schulz steps (Jordan et al.
    2024, as in Optax); vectors are moved by Adam.

    Args:
        momentum: beta.
    """

    momentum: float = 0.95

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return optax.contrib.muon(learning_rate, beta=self.momentum)


@dataclass(frozen=True)
class Scheduled(Optimizer):
    """An optimiser whose learning rate follows a shape.

    Args:
        optimizer: one of this module, or any function from a learning rate to a transformation.
        shape: from the count of updates to a factor, an Optax schedule of peak 1, such as
            `optax.cosine_decay_schedule(1.0, 10_000)`.
    """

    optimizer: Callable[[Rate], optax.GradientTransformation]
    shape: Callable[[Any], Any]

    def __call__(self, learning_rate: Rate) -> optax.GradientTransformation:
        return self.optimizer(lambda update: learning_rate * self.shape(update))


def _decayed(
    weight_decay: float, optimizer: optax.GradientTransformation
) -> optax.GradientTransformation:
    if weight_decay == 0:
        return optimizer
    # before the momentum, which remembers the decay too; AdamW decouples it
    return optax.chain(optax.add_decayed_weights(weight_decay), optimizer)
