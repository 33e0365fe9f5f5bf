"""The reader of each kind of file, by its ending, and of each kind of folder, by a file in it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from .._numpy_files import open_numpy
from .._stored import Contents
from ..errors import InvalidInputError, require
from ._dcp_folders import METADATA as DCP
from ._dcp_folders import open_dcp
from ._flax_files import open_flax
from ._gguf_files import open_gguf
from ._hdf5 import open_hdf5, open_keras
from ._onnx_files import open_onnx
from ._orbax_folders import METADATA as ORBAX
from ._orbax_folders import open_orbax
from ._safetensors import open_safetensors
from ._torch_files import open_torch, peek_torch

Reader = Callable[[Path], AbstractContextManager[Contents]]
_TORCH = (
    ".pt", ".pth", ".bin", ".ckpt", ".pth.tar", ".pt.tar", ".jit", ".torchscript", ".ptl",
)  # fmt: skip
READERS: dict[str, Reader] = {
    ".safetensors": open_safetensors,
    ".npz": open_numpy,
    ".npy": open_numpy,
    **dict.fromkeys(_TORCH, open_torch),
    ".keras": open_keras,
    **dict.fromkeys((".h5", ".hdf5"), open_hdf5),
    ".onnx": open_onnx,
    ".msgpack": open_flax,
    ".gguf": open_gguf,
}
FOLDERS: dict[str, Reader] = {ORBAX: open_orbax, DCP: open_dcp}  # by a file in them
ENDINGS = tuple(READERS)
_SORTED = (".safetensors", ".keras", ".h5", ".hdf5", ".msgpack")


def ending_of(path: Path) -> str:
    """The ending that tells the kind of a file, of one or two parts."""
    return "".join(path.suffixes[-2:]) if path.suffix == ".tar" else path.suffix


def marker_in(folder: Path) -> str | None:
    """The file that makes a folder a checkpoint by itself; None where there is none."""
    return next((name for name in FOLDERS if (folder / name).is_file()), None)


def sorts_names(path: Path) -> bool:
    """Whether the writers of this kind sort names as text, block 10 before block 9."""
    return path.suffix in _SORTED or (path.is_dir() and marker_in(path) == ORBAX)


def reader_of(path: Path) -> Reader:
    """The reader of a file, or of a folder that is one checkpoint.

    Raises:
        InvalidInputError: none for this ending, or folder.
    """
    if path.is_dir():
        marker = marker_in(path)
        require(marker is not None, f"{path} is a folder of no known kind of checkpoint.")
        return FOLDERS[str(marker)]
    ending = ending_of(path)
    require(
        ending in READERS,
        f"{path}: no reader for {ending or 'files without ending'!r}; give one of"
        f" {', '.join(ENDINGS)}.",
    )
    return READERS[ending]


def facts_in(path: Path) -> Mapping[str, int]:
    """Whole numbers in a file beside its arrays; none where it cannot be read."""
    try:
        if ending_of(path) in _TORCH:
            return peek_torch(path)
        with reader_of(path)(path) as contents:
            return contents.facts
    except InvalidInputError:
        return {}
