"""Arrays of two checkpoints side by side, by names without what wrappers put in front."""

from collections import Counter
from collections.abc import Iterable

from .._stored import Stored

_WRAPPERS = ("module", "_orig_mod", "model", "params", "base_model", "state_dict", "model_weights")
_INSIDE = "base_layer"  # where peft keeps the weights that an adapter changes


def by_name(arrays: Iterable[Stored]) -> dict[str, Stored]:
    """Arrays of two axes or more by their bare names, or by the full ones where two are alike."""
    wide = [each for each in arrays if each.reason is None and len(each.shape) > 1]
    bare = [bare_name(each.name) for each in wide]
    number = Counter(bare)
    return {
        name if number[name] == 1 else each.name: each
        for name, each in zip(bare, wide, strict=True)
    }


def bare_name(name: str) -> str:
    """A name without what wrappers put in front of it."""
    parts = [part for part in name.replace("/", ".").split(".") if part != _INSIDE]
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts.pop(0)
    return ".".join(parts)
