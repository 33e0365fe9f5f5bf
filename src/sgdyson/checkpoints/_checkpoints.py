"""Checkpoints: one, one in several shards, or a series along time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidInputError, require
from ..histories._arrays import load_arrays
from ._safetensors import read_safetensors

_TORCH = (".pt", ".pth", ".bin", ".ckpt")
_ENDINGS = (".safetensors", ".npz", *_TORCH)
_SHARD = re.compile(r"-\d+-of-\d+$")
_NUMBER = re.compile(r"(\d+)(?!.*\d)")
_WORDS = re.compile(r"(\D*)(\d*)")


@dataclass(frozen=True)
class Checkpoint:
    """Weights at one time.

    Attributes:
        step: the last number in the name of the file or folder; None for a single checkpoint.
        files: all its shards.
    """

    step: int | None
    files: tuple[Path, ...] = field(repr=False)

    def place(self, name: str) -> list[tuple[str, int]]:
        """Key of an array's place: block 9 before block 10, in files whose writers sort as text."""
        if self.files[0].suffix != ".safetensors":
            return []  # as they come
        return [(text, int(number or -1)) for text, number in _WORDS.findall(name)]

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and arrays, one shard after the other; nothing is unpickled but plain tensors.

        Raises:
            InvalidInputError: a file that is damaged, or that holds more than tensors.
        """
        for path in self.files:
            if path.suffix == ".safetensors":
                yield from read_safetensors(path)
            elif path.suffix == ".npz":
                yield from load_arrays(path).items()
            else:
                yield from _read_torch(path)


def checkpoints(path: Path | str) -> list[Checkpoint]:
    """The checkpoints at a path, in the order of their steps.

    Args:
        path: a `.safetensors`, `.npz`, `.pt`, `.pth`, `.bin` or `.ckpt` file; a folder with the
            shards of one checkpoint (`-00001-of-00003`); or a folder of such files or folders, a
            series whose last number in each name is the step.

    Raises:
        InvalidInputError: nothing there that can be read.
    """
    path = Path(path)
    require(path.exists(), f"{path} does not exist; give a checkpoint or a folder of them.")
    if path.is_file():
        require(
            path.suffix in _ENDINGS,
            f"{path}: no reader for {path.suffix!r}; give one of {', '.join(_ENDINGS)}.",
        )
        return [Checkpoint(None, (path,))]
    units = _weights_of(path)
    series = [(unit, _files(unit)) for unit in sorted(path.iterdir()) if unit.is_dir()]
    series = [(unit, files) for unit, files in series if files]
    if units and (len(units) == 1 or _is_sharded(units)):
        return [Checkpoint(None, tuple(units))]
    series += [(unit, [unit]) for unit in units]
    require(
        bool(series),
        f"{path} holds no weights; give a folder with one of {', '.join(_ENDINGS)}.",
    )
    found = [Checkpoint(_step(unit), tuple(files)) for unit, files in series]
    return sorted(found, key=lambda c: (c.step is None, c.step or 0, c.files))


def _weights_of(folder: Path) -> list[Path]:
    """Safetensors where a folder has both these and the same weights pickled."""
    found = [p for p in sorted(folder.iterdir()) if p.is_file() and p.suffix in _ENDINGS]
    safe = [p for p in found if p.suffix == ".safetensors"]
    model = [p for p in found if p.stem.startswith(("model", "pytorch_model"))]
    if safe:
        return safe
    return model or found


def _files(folder: Path) -> list[Path]:
    return _weights_of(folder)


def _is_sharded(files: list[Path]) -> bool:
    return all(_SHARD.search(path.stem) for path in files)


def _step(path: Path) -> int | None:
    found = _NUMBER.search(path.stem if path.is_file() else path.name)
    return int(found.group(1)) if found else None


def _read_torch(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    try:
        import torch
    except ImportError as error:
        raise InvalidInputError(
            f"{path} is a PyTorch file; install PyTorch to read it: pip install torch. Safetensors"
            " and npz files need nothing."
        ) from error
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds: a zip, a pickle, a tensor may be wrong
        raise InvalidInputError(
            f"{path} was not loaded: it is damaged, or holds more than tensors, which could run any"
            f" program ({str(error).splitlines()[0]})."
        ) from error
    for name, tensor in _flat("", found):
        whole = tensor.detach().to(torch.float64) if tensor.is_floating_point() else tensor
        yield name, whole.numpy()


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Tensors of nested dictionaries; `state_dict` and `model` add nothing to their names."""
    if hasattr(value, "is_floating_point"):
        yield prefix or "tensor", value
    elif isinstance(value, dict):
        for key, part in value.items():
            plain = key in ("state_dict", "model", "model_state_dict", "module") and not prefix
            yield from _flat(prefix if plain else f"{prefix}.{key}".lstrip("."), part)
