"""Spectra as JSON, to the last bit, and back: nothing is unpickled."""

import base64
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import numpy as np

from ..errors import require
from ..spectra import MatrixSpectrum, Skipped


def encode(value: Any) -> Any:
    """A spectrum, or what it is made of, as an object of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        entries = {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        return {"class": type(value).__name__, **entries}
    if isinstance(value, np.ndarray):
        # bytes, not decimals: shorter, exact, and the same on every machine
        data = np.ascontiguousarray(value, "<f8").tobytes()
        return {"class": "floats", "base64": base64.b64encode(data).decode("ascii")}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"class": "float", "text": repr(float(value))}
    return value.item() if isinstance(value, np.generic) else value


def decode(value: Any) -> Any:
    """What `encode` was given; lists come as tuples.

    Raises:
        InvalidInputError: a class that no spectrum has.
    """
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    entries = dict(value)
    name = entries.pop("class", None)
    if name == "floats":
        return np.frombuffer(base64.b64decode(entries["base64"]), "<f8").astype(np.float64)
    if name == "float":
        return float(entries["text"])
    require(name in _CLASSES, f"{name!r} is no part of a spectrum.")
    return _CLASSES[name](**{key: decode(item) for key, item in entries.items()})


def _parts(cls: type) -> Iterator[type]:
    """A class, and those of its fields."""
    yield cls
    for hint in get_type_hints(cls).values():
        for inner in (hint, *get_args(hint)):
            if isinstance(inner, type) and is_dataclass(inner) and inner is not cls:
                yield from _parts(inner)


_CLASSES = {part.__name__: part for cls in (MatrixSpectrum, Skipped) for part in _parts(cls)}
