"""A function that is compiled once and loaded on every device that runs it.

`jax.jit` compiles anew for each device, which takes seconds; a compiled program is loaded on
another CPU device in a tenth of one.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

import equinox as eqx
import jax
from jax.experimental import serialize_executable

from .._checks import first_line
from ..errors import InvalidInputError

_KEPT = 128  # programs of one function; the least recently used one is forgotten


class Program:
    """A pure function of arrays and of settings that are fixed at compilation.

    Args:
        function: takes and returns pytrees; arrays in them are traced, anything else is fixed.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._programs: OrderedDict[Hashable, _Loaded] = OrderedDict()

    def __call__(self, device: jax.Device, *arguments: Any) -> Any:
        """Run on this device; the arrays among the arguments should lie there."""
        arrays, fixed = eqx.partition(arguments, eqx.is_array)
        program = self._program(arrays, fixed)
        return program.on(device, arrays)(arrays)

    def _program(self, arrays: Any, fixed: Any) -> "_Loaded":
        leaves, tree = jax.tree.flatten(fixed)
        forms = tuple((leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(arrays))
        # static fields are part of the tree, plain numbers are its leaves: both are compiled in
        key: Hashable = (tree, tuple(leaves), forms)
        with self._lock:
            if key not in self._programs:
                # nothing is compiled under this lock, or one program would wait for another
                self._programs[key] = _Loaded(
                    lambda given: self._function(*eqx.combine(given, fixed))
                )
            self._programs.move_to_end(key)
            while len(self._programs) > _KEPT:
                self._programs.popitem(last=False)
            return self._programs[key]


class _Loaded:
    """One program on the devices that have asked for it so far."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._on: dict[jax.Device, Callable[[Any], Any]] = {}
        self._first: Any = None

    def on(self, device: jax.Device, arrays: Any) -> Callable[[Any], Any]:
        # held while it compiles: a second device waits for the first, and loads what that one made
        with self._lock:
            if device not in self._on:
                self._on[device] = self._load(device, arrays)
            return self._on[device]

    def _load(self, device: jax.Device, arrays: Any) -> Callable[[Any], Any]:
        if self._first is not None and device.platform == "cpu" and not _jax_keeps_programs():
            with suppress(jax.errors.JaxRuntimeError):  # sorting, for one, is not serialised
                program, taken, returned = serialize_executable.serialize(self._first)
                return serialize_executable.deserialize_and_load(
                    program, taken, returned, backend=device.client, execution_devices=[device]
                )
        here = jax.sharding.SingleDeviceSharding(device)
        compiled = self._traced(arrays, here).compile()
        if self._first is None:
            self._first = compiled
        return compiled

    def _traced(self, arrays: Any, here: jax.sharding.Sharding) -> jax.stages.Lowered:
        try:
            return jax.jit(self._function, in_shardings=here).lower(arrays)
        except InvalidInputError:
            raise
        except Exception as error:  # of many kinds: model and optimiser may be a user's own
            raise InvalidInputError(
                f"JAX cannot trace an update of this model and optimizer: {first_line(error)}"
            ) from error


def _jax_keeps_programs() -> bool:
    """A program out of the user's compilation cache is not whole once serialised a second time."""
    settings = jax.config.values
    return bool(settings["jax_enable_compilation_cache"] and settings["jax_compilation_cache_dir"])
