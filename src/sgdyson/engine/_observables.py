"""What is recorded beside the levels: observables of a model, or functions of a user's own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from .._checks import shown
from ..errors import require
from ..models import Model

Observable: TypeAlias = Callable[[Any], Any]  # from weights with leading axes (replica, time)
Record: TypeAlias = Iterable[str | Observable] | Mapping[str, Observable]
_TAKEN = ("replica", "time", "level", "matrix", "diverged", "diverged_at")


def chosen_observables(model: Model, record: Record) -> dict[str, Observable]:
    """By name; the levels themselves, which are always recorded, are left out.

    Raises:
        InvalidInputError: a name the model has no observable of, or that is taken; no function.
    """
    own = model.observables()
    items = record.items() if isinstance(record, Mapping) else _named(record)
    chosen = {name: own.get(name) if given is None else given for name, given in items}
    chosen.pop("levels", None)
    for name, function in chosen.items():
        require(
            name.isidentifier() and name not in _TAKEN and not name.startswith("weights"),
            f"record: {name!r} cannot name what is recorded; choose another name, as in"
            ' record={"norm": function}.',
        )
        known = ", ".join(["levels", *own])
        require(
            callable(function),
            f"record: {name!r} is no observable of this model, which has {known}; give a function"
            ' of your own as record={"name": function}.',
        )
    return {name: function for name, function in chosen.items() if function is not None}


def measured(name: str, function: Observable, weights: Any, lead: tuple[int, ...]) -> np.ndarray:
    """What a function makes of weights, checked to have their leading axes.

    Raises:
        InvalidInputError: an array of another shape.
    """
    values = np.asarray(function(weights))
    require(
        values.shape[: len(lead)] == lead and values.dtype.kind in "fiubc",
        f"record: {name} made numbers of shape {values.shape} of weights with axes (replica, time)"
        f" = {lead}; it must keep these two in front.",
    )
    return values


def _named(record: Iterable[str | Observable]) -> list[tuple[str, Observable | None]]:
    require(
        not isinstance(record, str) and isinstance(record, Iterable),
        f"record = {shown(record)} must be a list of names and functions, such as ['overlaps'].",
    )
    return [
        (item, None) if isinstance(item, str) else (str(getattr(item, "__name__", item)), item)
        for item in record
    ]
