"""The store of a campaign: one Zarr group, and a manifest that says which chunks are whole.

A chunk is some replicas of one setting: one Zarr chunk or, where the engine computes more replicas
together, several. Its files are written first, then its line in the manifest, with their hashes:
whatever stops the process in between costs that one chunk.
"""

import fcntl
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from .. import __version__
from ..errors import InvalidInputError, require
from ._spec import Setting, Spec

_BYTES = 1 << 24  # of levels in a chunk, about, unless one block of replicas has more
_REPLICAS = 256  # of a chunk, unless one block has more
_PARTS = 8  # of a setting, at least, unless one block has more: work for so many cores
_KINDS: dict[str, tuple[Any, Any]] = {
    "levels": ("float64", np.nan), "diverged": ("bool", False), "diverged_at": ("int64", -1),
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Chunk:
    """Some replicas of one setting: the unit of work and of storage."""

    setting: int
    number: int


class Store:
    """A campaign's folder.

    Args:
        folder: holds `data.zarr`, `manifest.jsonl` and `spec.json`.
        spec: of the campaign.
        levels: of a replica, at most.
        blocks: replicas that are computed together anyway, a power of two for each setting.

    Raises:
        InvalidInputError: a folder of another spec or with foreign contents, or one that cannot
            be written.
    """

    def __init__(self, folder: Path, spec: Spec, levels: int, blocks: Sequence[int]) -> None:
        self.folder, self.spec, self.levels = folder, spec, levels
        fitting = _BYTES // (8 * spec.first.times * levels)
        self.chunk_replicas = [
            max(block, _power_of_two(min(_REPLICAS, fitting, _most(setting) // _PARTS)))
            for setting, block in zip(spec.settings, blocks, strict=True)
        ]
        self._rows = min(self.chunk_replicas)  # of a Zarr chunk
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self._manifest = folder / "manifest.jsonl"

    @property
    def data(self) -> Path:
        """The Zarr group."""
        return self.folder / "data.zarr"

    def claim(self) -> None:
        """Create the store, or recognise it."""
        try:
            if (self.folder / "spec.json").is_file():
                self._compare()
                self._sweep()
                return
            # what a kill in the middle of creation leaves is ours; `spec.json` comes last
            ours = {".lock", ".partial", ".spec.json.partial", "data.zarr"}
            found = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()
            foreign = min(found - ours, default="")
            require(
                not foreign,
                f"{self.folder} is not empty (it holds {foreign}) and no campaign; choose another"
                " --out.",
            )
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.data, ignore_errors=True)
            self._create(self.folder / ".partial")
            (self.folder / ".partial").rename(self.data)
            _write_whole(self.folder / "spec.json", json.dumps(self._claim(), indent=2) + "\n")
        except OSError as error:
            raise InvalidInputError(
                f"{self.folder} cannot be used ({error.strerror or error}); choose a folder that"
                " can be written."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = (self.folder / ".lock").open("w")
        except OSError as error:
            raise InvalidInputError(
                f"{self.folder} cannot be written ({error.strerror}); choose another --out."
            ) from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InvalidInputError(
                    f"{self.folder} is being written by another process; wait for it to end."
                ) from error
            yield

    def replicas(self, chunk: Chunk, total: int) -> range:
        """The replicas of a chunk of a setting that has `total`."""
        size = self.chunk_replicas[chunk.setting]
        return range(chunk.number * size, min((chunk.number + 1) * size, total))

    def chunks(self, setting: int, total: int) -> list[Chunk]:
        """All chunks of a setting with so many replicas."""
        size = self.chunk_replicas[setting]
        return [Chunk(setting, number) for number in range(-(-total // size))]

    def done(self) -> dict[Chunk, dict[str, Any]]:
        """Finished chunks, from the manifest; a line cut short by a kill does not count."""
        found: dict[Chunk, dict[str, Any]] = {}
        if self._manifest.is_file():
            for line in self._manifest.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    found[Chunk(entry["setting"], entry["number"])] = entry
                except (json.JSONDecodeError, KeyError, TypeError):
                    continue
        return found

    def make_room(self, replicas: int) -> None:
        """Lengthen the axis of replicas to at least so many, before anything is written."""
        group = zarr.open_group(self.data, mode="r+", use_consolidated=False)
        axis = len(self.spec.shape)
        for name in _KINDS:
            array = group[name]
            assert isinstance(array, zarr.Array)
            self._arrays[name] = array
            if array.shape[axis] < replicas:
                array.resize((*array.shape[:axis], replicas, *array.shape[axis + 1 :]))

    def write(
        self, chunk: Chunk, replicas: range, arrays: Mapping[str, np.ndarray], seconds: float
    ) -> None:
        """Write a chunk whole, then say so in the manifest."""
        where = self.place(chunk.setting)
        with zarr.config.set({"array.write_empty_chunks": True}):
            for name, values in arrays.items():
                array = self._arrays[name]
                region: list[int | slice] = [*where, slice(replicas.start, replicas.stop)]
                if name == "levels":  # of a model with fewer levels than others of the grid
                    missing = array.shape[-1] - values.shape[-1]
                    values = np.pad(values, [(0, 0), (0, 0), (0, missing)], constant_values=np.nan)
                array[tuple(region)] = values
        entry = {
            "setting": chunk.setting, "number": chunk.number,
            "replicas": [replicas.start, replicas.stop], "seconds": round(seconds, 3),
            "sha256": {name: _hash(self._files(name, where, replicas)) for name in arrays},
        }  # fmt: skip
        self._append(json.dumps(entry))

    def bad(self) -> list[Chunk]:
        """Hash every finished chunk again; those that differ."""
        found = []
        for chunk, entry in self.done().items():
            where, replicas = self.place(chunk.setting), range(*entry["replicas"])
            hashes = {name: _hash(self._files(name, where, replicas)) for name in entry["sha256"]}
            if hashes != entry["sha256"]:
                found.append(chunk)
        return sorted(found)

    def forget(self, chunks: list[Chunk]) -> None:
        """Take chunks off the manifest."""
        if chunks:
            kept = [
                json.dumps(entry) for chunk, entry in self.done().items() if chunk not in chunks
            ]
            _write_whole(self._manifest, "".join(line + "\n" for line in kept))

    def open(self) -> xr.Dataset:
        """The data, read when used, with `finished` (..., replica) from the manifest."""
        run: xr.Dataset = xr.open_zarr(self.data, consolidated=False, chunks=None)
        total = run.sizes["replica"]
        finished = np.zeros((len(self.spec.settings), total), dtype=bool)
        for chunk, entry in self.done().items():
            finished[chunk.setting, slice(*entry["replicas"])] = True
        dims = (*self._dims(), "replica")
        return run.assign_coords(replica=np.arange(total)).assign(
            finished=(dims, finished.reshape(*self.spec.shape, total))
        )

    def place(self, setting: int) -> tuple[int, ...]:
        """Of a setting in the grid."""
        shape = self.spec.shape
        return tuple(int(i) for i in np.unravel_index(setting, shape)) if shape else ()

    def _files(self, name: str, where: tuple[int, ...], replicas: range) -> list[Path]:
        """Of the Zarr chunks that hold these replicas."""
        rest = (0, 0) if name == "levels" else ()
        numbers = range(replicas.start // self._rows, -(-replicas.stop // self._rows))
        return [self.data.joinpath(name, "c", *map(str, (*where, n, *rest))) for n in numbers]

    def _append(self, line: str) -> None:
        text = self._manifest.read_bytes()[-1:] if self._manifest.is_file() else b""
        with self._manifest.open("ab") as handle:
            # a line that a kill cut short must not swallow this one
            handle.write((b"\n" if text not in (b"", b"\n") else b"") + line.encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())

    def _sweep(self) -> None:
        """Remove what a kill in the middle of a write has left beside the files of the data."""
        for partial in self.data.rglob("*.partial"):
            partial.unlink()

    def _claim(self) -> dict[str, Any]:
        return {
            "digest": self.spec.digest, "sgdyson_version": __version__, "spec": self.spec.raw,
        }  # fmt: skip

    def _compare(self) -> None:
        try:
            found = json.loads((self.folder / "spec.json").read_text(encoding="utf-8"))["digest"]
        except (json.JSONDecodeError, KeyError, TypeError):
            found = "unreadable"
        require(
            found == self.spec.digest,
            f"{self.folder} holds a campaign of another spec or version ({str(found)[:12]}, not"
            f" {self.spec.digest[:12]}); choose another --out, or go back to its spec.",
        )

    def _dims(self) -> tuple[str, ...]:
        if self.spec.first.vary == "zip" and self.spec.varied:
            return ("setting",)
        return tuple(key.rpartition(".")[2] for key in self.spec.varied)

    def _create(self, partial: Path) -> None:
        shutil.rmtree(partial, ignore_errors=True)
        spec, dims, first = self.spec, self._dims(), self.spec.first
        is_zip = dims == ("setting",)
        coords: dict[str, Any] = {"time": first.record_every * np.arange(first.times)}
        for key, values in spec.varied.items():
            name = key.rpartition(".")[2]
            coords[name] = ("setting" if is_zip else name, _plain(values))
        per_setting = {
            "burn_in": [setting.burn_in_updates for setting in spec.settings],
            "record_every": [setting.interval for setting in spec.settings],
            "stream": [setting.stream for setting in spec.settings],
        }
        for name, numbers in per_setting.items():
            if name not in coords:
                coords[name] = (dims, np.asarray(numbers, np.int64).reshape(spec.shape))
        models = {setting.model: setting for setting in spec.settings}.values()
        names, *others = {setting.build().matrix_names() for setting in models}
        # in a grid of models level i belongs to a matrix of each; a single matrix needs no name
        if not others and len(set(names)) > 1:
            coords["matrix"] = ("level", list(names))
        attrs = {"sgdyson_version": __version__, "digest": spec.digest,
                 "time_unit": first.time_unit,
                 "first_setting": first.model_dump_json()}  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Zarr's on text, whose encoding it may yet change
            xr.Dataset(coords=coords, attrs=attrs).to_zarr(
                partial, mode="w", consolidated=False, zarr_format=3
            )
        group = zarr.open_group(partial, mode="r+", use_consolidated=False)
        for name, (dtype, fill) in _KINDS.items():
            rest = (first.times, self.levels) if name == "levels" else ()
            names = ("replica", "time", "level") if rest else ("replica",)
            group.create_array(
                name, shape=(*spec.shape, first.replicas, *rest), dtype=dtype, fill_value=fill,
                chunks=(*(1 for _ in spec.shape), self._rows, *rest),
                dimension_names=(*dims, *names),
            )  # fmt: skip


def _plain(values: list[Any]) -> np.ndarray:
    """Numbers as numbers; names and lists as text."""
    array = np.asarray(values) if all(isinstance(v, int | float) for v in values) else None
    return array if array is not None else np.asarray([str(value) for value in values])


def _hash(paths: list[Path]) -> str:
    if not all(path.is_file() for path in paths):
        return "missing"
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _most(setting: Setting) -> int:
    """Replicas that a setting may come to have."""
    return setting.replicas if setting.target_error is None else setting.most_replicas


def _power_of_two(number: int) -> int:
    """The largest that is not above a number, and at least 1."""
    return 1 << (max(number, 1).bit_length() - 1)


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
