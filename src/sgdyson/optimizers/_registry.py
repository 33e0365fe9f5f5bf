"""The optimisers by name, and as plain settings of a run and back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from .._attributes import number_of
from ..errors import InvalidInputError
from ._optimizers import SGD, Adam, AdamW, HeavyBall, Muon, Nesterov, Optimizer, RMSProp

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD, "heavy_ball": HeavyBall, "nesterov": Nesterov, "rmsprop": RMSProp, "adam": Adam,
    "adamw": AdamW, "muon": Muon,
}  # fmt: skip
"""Every optimiser by the name that specs and attributes of runs give it."""
_PREFIX = "optimizer_"


def optimizers_with(number: str) -> tuple[str, ...]:
    """Names of the optimisers that take a number.

    Args:
        number: "momentum", "weight_decay", ...

    Examples:
        >>> optimizers_with("weight_decay")
        ('sgd', 'heavy_ball', 'nesterov', 'adamw')
    """
    return tuple(
        name
        for name, kind in OPTIMIZERS.items()
        if number in {parameter.name for parameter in fields(kind)}
    )


def optimizer_settings(optimizer: Callable[..., Any] | None) -> dict[str, Any]:
    """Name and numbers of an optimiser, as plain values for the attributes of a run.

    Args:
        optimizer: None is plain SGD; what is none of this module has a name alone, with that of
            its package, as `optax.adam`.

    Examples:
        >>> optimizer_settings(HeavyBall(0.9))
        {'optimizer': 'heavy_ball', 'optimizer_momentum': 0.9, 'optimizer_weight_decay': 0.0}
    """
    known = SGD() if optimizer is None else optimizer
    for name, kind in OPTIMIZERS.items():
        # exactly this class: a user's subclass may do something else under the same numbers
        if type(known) is kind:
            return {"optimizer": name} | {_PREFIX + k: v for k, v in asdict(known).items()}
    title = getattr(known, "__name__", type(known).__name__)
    package = (getattr(known, "__module__", None) or type(known).__module__).split(".")[0]
    return {"optimizer": f"{package}.{title}"}


def optimizer_of(settings: Mapping[str, Any]) -> Optimizer:
    """The optimiser of a run, from its attributes.

    Args:
        settings: of `optimizer_settings`, among others.

    Raises:
        InvalidInputError: the run does not name one of the optimisers known here.
    """
    name = settings.get("optimizer")
    kind = OPTIMIZERS.get(str(name))
    numbers = (
        {}
        if kind is None
        else {parameter.name: _PREFIX + parameter.name for parameter in fields(kind)}
    )
    if name == "sgd" and _PREFIX + "weight_decay" not in settings:
        return SGD()
    if kind is None or not all(key in settings for key in numbers.values()):
        raise InvalidInputError(
            f"the run tells optimizer = {name!r}, from which no prediction follows; give the"
            " optimizer that it was made with, one of sgdyson.optimizers."
        )
    values = {parameter: number_of(settings, key) for parameter, key in numbers.items()}
    return kind(**cast(dict[str, Any], values))
