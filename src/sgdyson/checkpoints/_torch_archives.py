"""Tensors of a zip file of PyTorch, a TorchScript program too, without PyTorch: nothing is run.

A file of `torch.save` is a pickle, `data.pkl`, that names storages, and their numbers in `data/`. A
TorchScript archive is the same with code beside it, of which nothing is read; a frozen one has its
weights in `constants.pkl` and `constants/`.
"""

import zipfile
from collections.abc import Iterator
from typing import Any

from .._stored import FACTS, Contents, Stored
from ._plain_pickle import Named
from ._torch_calls import Numbers, described

_PASSED_ON = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
              "torch.jit._pickle.restore_type_tag",
              "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_intlist",
              "torch._tensor._rebuild_from_type_v2")  # fmt: skip
_REBUILT = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
            "torch._utils._rebuild_tensor")  # fmt: skip
_MODELS = ("state_dict", "model_state_dict", "model", "module")
_PARTS = (  # a pickle, the folder of its numbers, what its names begin with
    ("data.pkl", "data/", ""), ("constants.pkl", "constants/", "constants"),
)  # fmt: skip
_DEEPEST = 50


def archive_contents(archive: zipfile.ZipFile, size: int, what: str) -> Contents:
    """The tensors of an archive of `size` bytes, in their order; a fault of one is its reason.

    Raises:
        InvalidInputError: no pickle in it, or none that can be read.
    """
    arrays, facts = list[Stored](), dict[str, int]()
    for pickled, folder, prefix in _PARTS:
        numbers = Numbers(archive, size, folder)
        if pickled == "data.pkl" or pickled in numbers.members:
            content = numbers.pickle(pickled, what)
            arrays += _walk(content, numbers, prefix)
            facts |= _facts(content)
    return Contents(arrays, facts)


def archive_pickle(archive: zipfile.ZipFile, size: int, what: str) -> Any:
    """What was saved, with names in place of tensors and other objects."""
    return Numbers(archive, size, "data/").pickle("data.pkl", what)


def _tensor_of(value: Any) -> Any:
    """The call that rebuilds a tensor, out of what is wrapped around it; else the value."""
    for _ in range(_DEEPEST):
        if not (isinstance(value, Named) and value.called in _PASSED_ON and value.arguments):
            break
        value = _inner(value)
    return value


def _inner(value: Named) -> Any:
    if value.called.endswith("_from_type_v2") and len(value.arguments) > 2:
        called, _, arguments = value.arguments[:3]  # a subclass of tensors, which adds a type
        if isinstance(called, type) and issubclass(called, Named) and isinstance(arguments, tuple):
            return called(*arguments)
    return value.arguments[0]


def _walk(content: Any, numbers: Numbers, prefix: str) -> Iterator[Stored]:
    waiting, known = [(prefix, content, 0)], dict[int, str]()
    while waiting:
        name, value, depth = waiting.pop()
        value = _tensor_of(value)
        if isinstance(value, Named) and value.called in _REBUILT:
            yield described(name or "tensor", value, numbers)
            continue
        if isinstance(value, dict) and {"state", "param_groups"} <= set(value):
            yield Stored(name or "state", "container", (), reason="state of the optimiser")
            continue
        inner = _inside(name, value)
        if inner is None:
            if isinstance(value, Named):
                reason = (
                    "a quantised or sparse tensor, which needs PyTorch"
                    if "_rebuild" in value.called
                    else "an object of another package"
                )
                yield Stored(name or "object", "object", (), reason=reason)
            continue
        if id(value) in known or depth > _DEEPEST:
            reason = f"the same as {known[id(value)]}" if id(value) in known else "too deep"
            if inner:
                yield Stored(name, "container", (), reason=reason)
            continue
        known[id(value)] = name or "the whole"
        waiting += [(key, item, depth + 1) for key, item in reversed(inner)]


def _inside(name: str, value: Any) -> list[tuple[str, Any]] | None:
    """Parts of a container; None of what is none. The model among them adds nothing to names."""
    if isinstance(value, Named):
        if value.called == "collections.OrderedDict":
            value = value.entries
        elif value.called.startswith("__torch__."):
            value = value.fields
        else:
            return None
    if isinstance(value, dict):
        models = [key for key in _MODELS if _is_dictionary(value.get(key))]
        model = models[0] if len(models) == 1 and not name else None
        return [("" if key == model else f"{name}.{key}" if name else str(key), item)
                for key, item in value.items()]  # fmt: skip
    if isinstance(value, list | tuple):
        return [(f"{name}.{key}" if name else str(key), item) for key, item in enumerate(value)]
    return None


def _is_dictionary(value: Any) -> bool:
    ordered = isinstance(value, Named) and value.called == "collections.OrderedDict"
    return ordered or isinstance(value, dict)


def _facts(content: Any) -> dict[str, int]:
    pairs = content.items() if isinstance(content, dict) else ()
    return {key: value for key, value in pairs if key in FACTS and type(value) is int}
