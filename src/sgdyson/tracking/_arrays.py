"""From whatever holds the weights to named NumPy arrays; what is none has a reason."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..spectra import Skipped


def named_arrays(tree: Any) -> list[tuple[str, Any]]:
    """Names and leaves of a dictionary of arrays, or of any JAX pytree; no two names are equal."""
    seen: Counter[str] = Counter()
    named = []
    for name, leaf in _leaves(tree):
        seen[name] += 1
        named.append((name if seen[name] == 1 else f"{name} ({seen[name]})", leaf))
    return named


def copies(arrays: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Copies of what may have a spectrum, since the training will write over the originals."""
    return [(name, _copy(name, value)) for name, value in arrays]


def matrices_among(named: Iterable[tuple[str, Any]]) -> dict[str, np.ndarray]:
    """Those that may have a spectrum."""
    return {n: array for n, array in named if isinstance(array, np.ndarray) and array.ndim > 1}


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    if isinstance(tree, dict) and all(hasattr(value, "shape") for value in tree.values()):
        return [(str(name), value) for name, value in tree.items()]
    import jax

    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [
        (jax.tree_util.keystr(p, simple=True, separator=".") or "weights", x) for p, x in leaves
    ]


def _copy(name: str, value: Any) -> Any:
    """A `Skipped` in place of a leaf that NumPy does not take: one such must not hide the rest."""
    if isinstance(value, Skipped):
        return value
    if hasattr(value, "detach"):  # a tensor of PyTorch
        from ._torch_parameters import array_of

        return array_of(name, value)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and not isinstance(dtype, np.dtype):  # as a random key of JAX
        return Skipped(name, f"{dtype}, no real floating-point numbers")
    try:
        # vectors have no spectrum, and are not copied
        return np.array(value) if np.ndim(value) > 1 else np.asarray(value)
    except Exception as error:
        return Skipped(name, f"{type(value).__name__} that is no array ({_line(error)})")


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:100]
