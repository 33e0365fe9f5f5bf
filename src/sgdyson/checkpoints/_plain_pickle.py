"""A pickle as data: its opcodes are followed, and whatever it names stays a name.

Nothing that a pickle names is imported, called or made, so that no pickle can do anything.
"""

import io
import pickle
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInputError


class Named:
    """Stands where a pickle has an object, a function or a type.

    Attributes:
        called: its module and name.
        arguments: what it was called with.
        state: what was set on it; None where nothing was.
        entries: what was put into it under a key.
        members: what was appended to it.
    """

    called = ""

    def __new__(cls, *arguments: Any, **_named: Any) -> "Named":
        made = object.__new__(cls)
        made.arguments, made.state = arguments, None
        made.entries, made.members = {}, []
        return made

    arguments: tuple[Any, ...]
    state: Any
    entries: dict[Any, Any]
    members: list[Any]

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        """The arguments are kept by `__new__`, which a pickle calls with or without this."""

    def __call__(self, *arguments: Any) -> "Named":
        """What it would return is a name, too."""
        return Named(self, *arguments)

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, value: Any) -> None:
        self.members.append(value)

    def extend(self, values: Any) -> None:
        self.members.extend(values)

    @property
    def fields(self) -> Mapping[Any, Any]:
        """Its attributes, as a pickle sets them: a dictionary, or a second one for slots."""
        states = self.state if isinstance(self.state, tuple) else (self.state,)
        return {key: value for state in states if isinstance(state, dict)
                for key, value in state.items()}  # fmt: skip


class Persistent:
    """Stands for what a pickle leaves to its reader, as the numbers of a tensor."""

    def __init__(self, key: Any) -> None:
        self.key = key


class _Reader(pickle._Unpickler):  # type: ignore[name-defined,misc] # its memo cannot be made huge
    def find_class(self, module: str, name: str) -> Any:
        return type("Named", (Named,), {"called": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> Persistent:
        return Persistent(pid)

    def get_extension(self, code: int) -> None:
        raise pickle.UnpicklingError(f"extension {code} of a registry that is not asked")


def read_plain(data: bytes, what: str) -> Any:
    """What a pickle holds: plain containers, numbers and texts, `Named` and `Persistent`.

    Args:
        data: the pickle.
        what: subject of the sentence that refuses it.

    Raises:
        InvalidInputError: no whole pickle.
    """
    try:
        return _Reader(io.BytesIO(data)).load()
    except Exception as error:  # of many kinds, by what is damaged
        words = " ".join(str(error).split())[:200]
        raise InvalidInputError(
            f"{what} cannot be read as a pickle ({type(error).__name__}: {words})."
        ) from error
