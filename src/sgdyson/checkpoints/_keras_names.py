"""Names of the variables of Keras 3, which numbers those of a layer in its files.

`layers/conv2d/vars/0` is a kernel and `vars/1` its bias; of a recurrent cell the kernel, the kernel
of the state and the bias. The names tell which axes are rows, and what is no matrix.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from .._stored import Stored

_NUMBERED = re.compile(r"(?P<layer>.*)/vars/(?P<number>\d+)")
_OF_CELLS = ("kernel", "recurrent_kernel", "bias")


def named_variables(arrays: Iterable[Stored]) -> list[Stored]:
    """The arrays, those that Keras 3 has numbered by their names where these are known."""
    arrays = list(arrays)
    shapes = {array.name: array.shape for array in arrays}
    return [replace(array, name=_name(array.name, shapes)) for array in arrays]


def _name(name: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None or name.startswith("optimizer/"):
        return name
    layer, number = numbered["layer"], int(numbered["number"])
    if layer.endswith("cell") and number < len(_OF_CELLS):
        return f"{layer}/{_OF_CELLS[number]}"
    if "embedding" in layer or number > 1:
        return name
    shape, kernel = shapes[name], shapes.get(f"{layer}/vars/0", ())
    if number == 0:
        return f"{layer}/kernel" if len(shape) > 1 else name
    if shape and len(shape) < len(kernel) and kernel[-len(shape) :] == shape:
        return f"{layer}/bias"
    return f"{layer}/pointwise_kernel" if len(shape) > 2 else name
