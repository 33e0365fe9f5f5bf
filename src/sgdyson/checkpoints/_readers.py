"""The reader of each kind of file, by its ending."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from .._numpy_files import open_numpy
from .._stored import Contents
from ..errors import InvalidInputError, require
from ._safetensors import open_safetensors
from ._torch_files import open_torch, peek_torch

Reader = Callable[[Path], AbstractContextManager[Contents]]
_TORCH = (".pt", ".pth", ".bin", ".ckpt")
READERS: dict[str, Reader] = {
    ".safetensors": open_safetensors,
    ".npz": open_numpy,
    **dict.fromkeys(_TORCH, open_torch),
}
ENDINGS = tuple(READERS)


def reader_of(path: Path) -> Reader:
    """The reader of a file.

    Raises:
        InvalidInputError: none for this ending.
    """
    require(
        path.suffix in READERS,
        f"{path}: no reader for {path.suffix or 'files without ending'!r}; give one of"
        f" {', '.join(ENDINGS)}.",
    )
    return READERS[path.suffix]


def facts_in(path: Path) -> Mapping[str, int]:
    """Whole numbers in a file beside its arrays; none where it cannot be read."""
    try:
        if path.suffix in _TORCH:
            return peek_torch(path)
        with reader_of(path)(path) as contents:
            return contents.facts
    except InvalidInputError:
        return {}
