"""What acts on the weights at a record: numbers of the optimiser, of each matrix."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..errors import require

Rate = float | Mapping[str, float]
_NAMES = {"b1": "beta1", "b2": "beta2", "lr": "learning_rate"}
_OF_TORCH = (
    "lr", "momentum", "dampening", "nesterov", "weight_decay", "eps", "amsgrad", "centered",
    "decoupled_weight_decay",
)  # fmt: skip
_WITH_SMOOTHING = ("RMSprop",)  # whose `alpha` is no learning rate
QUANTITIES = (
    "learning_rate", "batch_size", "momentum", "dampening", "nesterov", "weight_decay", "decay",
    "beta1", "beta2", "eps", "amsgrad", "centered", "decoupled_weight_decay",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What held at one record.

    Attributes:
        common: numbers by quantity, of every matrix without numbers of its own.
        own: by matrix, what differs from the common ones; NaN of a matrix that nothing moves.
    """

    common: dict[str, float] = field(default_factory=dict)
    own: dict[str, dict[str, float]] = field(default_factory=dict)

    def differing(self, name: str) -> dict[str, float]:
        """What differs for a matrix, or for a part of a fused one or of a stack."""
        while name and name not in self.own:
            name = name.rpartition("[")[0]
        return self.own.get(name, {})


def rates(rate: Rate | Callable[[], Rate] | None) -> Settings:
    """Settings of a learning rate, of one for each matrix, or of a function that tells it."""
    value = rate() if callable(rate) else rate
    if value is None:
        return Settings()
    if isinstance(value, Mapping):
        return Settings(own={name: {"learning_rate": number(r)} for name, r in value.items()})
    return Settings({"learning_rate": number(value)})


def by_hand(optimizer: Any) -> tuple[str | None, dict[str, float]]:
    """Name and numbers of an optimiser that is told by a name, a mapping or a value.

    Args:
        optimizer: "adam"; {"name": "sgd", "momentum": 0.9}; or one of `sgdyson.optimizers`.

    Raises:
        InvalidInputError: none of these.
    """
    if optimizer is None:
        return None, {}
    if isinstance(optimizer, str):
        return optimizer, {}
    settings, name = {}, type(optimizer).__name__
    if isinstance(optimizer, Mapping):
        settings = dict(optimizer)
        require(
            "name" in settings, f"optimizer = {settings!r} has no name; give one, such as 'adam'."
        )
        name = str(settings.pop("name"))
    elif is_dataclass(optimizer) and not isinstance(optimizer, type):
        settings = {field.name: getattr(optimizer, field.name) for field in fields(optimizer)}
        if "shape" in settings:  # a schedule, whose rates are told at each record
            return by_hand(settings["optimizer"])
    else:
        require(False, f"optimizer = {optimizer!r} must be a name, a mapping with a name, or one of"
                       " sgdyson.optimizers.")  # fmt: skip
    numbers = {_NAMES.get(key, key): value for key, value in settings.items()}
    for key, value in numbers.items():
        require(
            key in QUANTITIES and np.size(value) == 1 and isinstance(value, Real),
            f"optimizer: {key} = {value!r} must be a number, of {', '.join(QUANTITIES[2:])}.",
        )
    return name, _numbers(numbers)


def of_torch(optimizers: Iterable[Any], named: Iterable[tuple[str, Any]]) -> Settings:
    """Settings of the parameter groups of PyTorch optimisers, by the parameters in them.

    Args:
        optimizers: the optimisers themselves, see `unwrapped`.
        named: names and parameters of the model.
    """
    groups = [(optimizer, group) for optimizer in optimizers for group in optimizer.param_groups]
    numbers_of_groups = [_of_group(optimizer, group) for optimizer, group in groups]
    place = {
        id(parameter): i for i, (_, group) in enumerate(groups) for parameter in group["params"]
    }
    places = {name: place.get(id(parameter)) for name, parameter in named}
    common = numbers_of_groups[0]
    if all(at is None for at in places.values()):  # an optimiser of flat or of master weights
        alike = all(numbers == common for numbers in numbers_of_groups)
        return Settings(common if alike else common | {"learning_rate": np.nan})
    nothing = {"learning_rate": np.nan}  # as of a frozen matrix
    return Settings(common, {
        name: nothing if at is None else _difference(numbers_of_groups[at], common)
        for name, at in places.items()
    })  # fmt: skip


def unwrapped(optimizer: Any) -> list[Any]:
    """PyTorch optimisers behind the wrappers of Accelerate and Lightning, of one or of several."""
    if isinstance(optimizer, list | tuple):
        return [inner for wrapped in optimizer for inner in unwrapped(wrapped)]
    for wrapper in ("_optimizer", "optimizer"):
        inner = getattr(optimizer, wrapper, None)
        if hasattr(inner, "param_groups"):
            return unwrapped(inner)
    return [optimizer]


def number(value: Any) -> float:
    """The number in anything that holds exactly one."""
    return float(_array(value).item())


def _of_group(optimizer: Any, group: Mapping[str, Any]) -> dict[str, float]:
    numbers = {name: group[name] for name in _OF_TORCH if group.get(name) is not None}
    if isinstance(group.get("betas"), list | tuple):
        numbers |= dict(zip(("beta1", "beta2"), group["betas"], strict=False))
    if type(optimizer).__name__ in _WITH_SMOOTHING:
        numbers["decay"] = group["alpha"]
    return _numbers(numbers)


def _difference(numbers: dict[str, float], common: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if common.get(name) != value}


def _numbers(settings: Mapping[str, Any]) -> dict[str, float]:
    """Those that are one number: the eps of Adafactor is a pair, with None for what is derived."""
    alone = {name: value for name, value in settings.items() if _is_one(value)}
    return {_NAMES.get(name, name): number(value) for name, value in alone.items()}


def _is_one(value: Any) -> bool:
    return not isinstance(value, list | tuple | str) and _array(value).size == 1


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
