"""Shards: files that together are one checkpoint, and those of them that are not there."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from .._input_files import open_regular, parse_json, read_bounded, size_of
from ..errors import InvalidInputError
from ._readers import ENDINGS

_SHARD = re.compile(r"(?P<stem>.*?)[-_.](?P<number>\d{1,6})-of-(?P<total>\d{1,6})")
_MOST_SHARDS = 10_000
MISSING = "a shard that is missing"
_INDEXED = (".safetensors", ".bin")  # whose index calls arrays as they are called in the shards
Index: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Unit:
    """Files that together are one checkpoint.

    Attributes:
        label: name of the file or folder, without ending.
        files: all its shards that are there, in order.
        missing: names of shards that are not.
        index: names of arrays, each with that of its shard, where an index beside them says so.
    """

    label: str
    files: tuple[Path, ...]
    missing: tuple[str, ...] = ()
    index: Index = ()


def grouped(folder: Path, files: Iterable[Path]) -> Iterator[Unit]:
    """Shards together, in their order, and every other file alone."""
    groups: dict[tuple[str, int, str], dict[int, Path]] = {}
    for path in files:
        match = _SHARD.fullmatch(path.stem)
        if match and int(match["total"]) <= _MOST_SHARDS:
            key = (match["stem"], int(match["total"]), path.suffix)
            groups.setdefault(key, {})[int(match["number"])] = path
        else:
            yield Unit(path.stem, (path,), index=_index(folder, path.name))
    for (stem, total, suffix), shards in groups.items():
        missing = tuple(_missing(stem, total, suffix, shards))
        files_in_order = tuple(shards[number] for number in sorted(shards))
        yield Unit(stem, files_in_order, missing, _index(folder, stem + suffix))


def _missing(stem: str, total: int, suffix: str, shards: dict[int, Path]) -> Iterator[str]:
    first = 0 if 0 in shards else 1
    digits = len(re.findall(r"\d+", next(iter(shards.values())).stem)[-1])
    joint = next(iter(shards.values())).stem[len(stem)]
    for number in range(first, first + total):
        if number not in shards:
            yield f"{stem}{joint}{number:0{digits}}-of-{total:0{digits}}{suffix}"


def indexed(folder: Path) -> Iterator[str]:
    """Names of the files of this folder in which an index places arrays."""
    for path in sorted(folder.glob("*.index.json")):
        index = read_json(path)
        places = index.get("weight_map") if isinstance(index, dict) else None
        names = list(places.values()) if isinstance(places, dict) else []
        plain = {name for name in names if isinstance(name, str) and Path(name).name == name}
        yield from sorted(name for name in plain if name.endswith(ENDINGS))


def _index(folder: Path, name: str) -> Index:
    """Names of arrays and of their files, by the index of a model; nothing it names is opened."""
    index = read_json(folder / f"{name}.index.json") if name.endswith(_INDEXED) else None
    places = index.get("weight_map") if isinstance(index, dict) else None
    pairs = places.items() if isinstance(places, dict) else ()
    return tuple((array, file) for array, file in pairs if isinstance(file, str))


def read_json(path: Path) -> Any:
    """A small document beside the weights; None where there is none that can be read."""
    try:
        with open_regular(path) as handle:
            text = read_bounded(handle, size_of(handle), str(path))
            return parse_json(text, str(path))[0]
    except (InvalidInputError, OSError):
        return None
