"""The store of a campaign: one Zarr group, and a manifest that says which chunks are whole.

A chunk is some replicas of one setting: one Zarr chunk or, where the engine computes more replicas
together, several. Its files are written and put on the disk, then its line in the manifest, with
their hashes: whatever stops the process or the machine in between costs that one chunk.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from .._files import replacing
from ..errors import InvalidInputError, require
from ._claim import Part, is_of, recognise, take
from ._frame import KINDS, dimensions, empty_group
from ._generations import settle
from ._group_files import GroupFiles
from ._layout import Chunk, Layout
from ._lock import exclusive
from ._manifest import Content, Entry, Frame, Manifest, Opened
from ._spec import Spec


class Store:
    """A campaign's folder.

    Args:
        folder: holds `data.zarr`, `manifest.jsonl` and `spec.json`.
        spec: spec of the campaign.
        levels: levels of a replica, at most.
        blocks: replicas that are computed together anyway, a power of two for each setting.
        part: which part of the campaign it is for; None for all of it.

    Raises:
        InvalidInputError: a folder of another spec or with foreign contents, or one that cannot
            be written.
    """

    def __init__(
        self,
        folder: Path,
        spec: Spec,
        levels: int,
        blocks: Sequence[int],
        part: Part | None = None,
    ) -> None:
        self.folder, self.spec, self.part = folder, spec, part
        self.layout = Layout(spec, levels, blocks)
        self._group = GroupFiles(folder)
        self._arrays: dict[str, zarr.Array[Any]] = {}

    @property
    def data(self) -> Path:
        """The Zarr group."""
        return self._group.data

    @contextmanager
    def locked(self, grow: Callable[[], None] | None = None) -> Iterator[None]:
        """The folder is ours, and ours alone among all processes.

        Args:
            grow: what makes a campaign of less, which the folder may hold, one of this spec.
        """
        take(self.folder, self.spec, self.part)
        if grow is None:
            recognise(self.folder, self.spec, self.part)
        with exclusive(self.folder / ".lock"):
            settle(self.folder)
            if grow is not None and not is_of(self.folder, self.spec):
                grow()
            recognise(self.folder, self.spec, self.part)  # another may have taken it in between
            yield

    def mend(self) -> None:
        """After a kill or a fault: take what is not whole off the manifest, and sweep it away."""
        self._manifest.mend()
        self._group.sweep()
        self.forget([chunk for chunk, entry in self.done().items() if self._wrong(entry)])

    def done(self) -> dict[Chunk, Entry]:
        """Chunks with finished replicas, from the manifest.

        Raises:
            InvalidInputError: a manifest that is not as it was written.
        """
        entries: dict[Chunk, Entry] = {}
        for entry in self._lines():
            if isinstance(entry, Opened):
                entries.pop(Chunk(entry.setting, entry.number), None)
            if isinstance(entry, Entry):
                chunk = Chunk(entry.setting, entry.number)
                require(
                    chunk not in entries and self.layout.fits(entry),
                    f"{self._manifest.path} has a line of setting {chunk.setting}, chunk"
                    f" {chunk.number}, that does not belong there; delete the line.",
                )
                entries[chunk] = entry
        return entries

    def make_room(self, replicas: int) -> None:
        """Metadata and coordinates for so many replicas, before anything is written."""
        before = self._frame()
        if (
            before is None
            or before.replicas < replicas
            or any(self._group.faults(before.files, True))
        ):
            most = max(replicas, before.replicas if before else 0)
            self._write_frame(most)
        with zarr.config.set({"array.write_empty_chunks": True}):  # as it is when opened
            group = zarr.open_group(self.data, mode="r+", use_consolidated=False)
            for name in KINDS:
                array = group[name]
                assert isinstance(array, zarr.Array)
                self._arrays[name] = array

    def write(
        self, chunk: Chunk, replicas: range, arrays: Mapping[str, np.ndarray], seconds: float
    ) -> None:
        """Write replicas of a chunk, see them on the disk, then say so in the manifest.

        They are those that it begins with, or follow those that it has.
        """
        start = chunk.number * self.layout.chunk_replicas[chunk.setting]
        before = self.done().get(chunk) if replicas.start > start else None
        # Said first: were the machine to stop after the files are changed, their old line would be
        # believed.
        if before is not None:  # its files will not be those of its line
            self._manifest.append(Opened(setting=chunk.setting, number=chunk.number))
        self._write_arrays(chunk, replicas, arrays)
        replicas = range(start, replicas.stop)
        entry = Entry(
            setting=chunk.setting, number=chunk.number,
            replicas=(replicas.start, replicas.stop),
            seconds=round(seconds + (before.seconds if before else 0), 3),
            files=self._group.record(self.layout.files(chunk.setting, replicas)),
        )  # fmt: skip
        self._manifest.append(entry)

    def _write_arrays(
        self, chunk: Chunk, replicas: range, arrays: Mapping[str, np.ndarray]
    ) -> None:
        where = self.layout.place(chunk.setting)
        for name, values in arrays.items():
            array = self._arrays[name]
            region: list[int | slice] = [*where, slice(replicas.start, replicas.stop)]
            if name == "levels":  # of a model with fewer levels than others of the grid
                missing = array.shape[-1] - values.shape[-1]
                values = np.pad(values, [(0, 0), (0, 0), (0, missing)], constant_values=np.nan)
            array[tuple(region)] = values

    def adopt(self, chunk: Chunk, entry: Entry, source: "Store", *, link: bool) -> None:
        """Take a chunk of another store, of the same shape, file by file.

        Args:
            chunk: what it is, here.
            entry: what it is, there.
            source: the other store.
            link: the files get a second name, where the disk can, instead of copies.

        Raises:
            InvalidInputError: files that are not as they were written.
        """
        replicas = range(*entry.replicas)
        names = self.layout.files(chunk.setting, replicas)
        theirs = source.layout.files(entry.setting, replicas)
        files = {
            name: entry.files[old].bring(source.data / old, self.data / name, link=link)
            for name, old in zip(names, theirs, strict=True)
        }
        self._group.sync(names)
        where = {"setting": chunk.setting, "number": chunk.number, "files": files}
        self._manifest.append(entry.model_copy(update=where))

    def bad(self) -> list[Chunk]:
        """Hash every finished chunk again; those that differ."""
        done = self.done().items()
        return sorted(chunk for chunk, entry in done if self._wrong(entry, thorough=True))

    def bad_frame(self) -> list[str]:
        """Files of metadata and coordinates that are not as they were written."""
        frame = self._frame()
        return sorted(name for name, _ in self._group.faults(frame.files, True)) if frame else []

    def names(self) -> set[str]:
        """Names in the Zarr group that are ours: of arrays, of coordinates, of metadata."""
        frame = self._frame()
        return {name.partition("/")[0] for name in frame.files} if frame else set()

    def forget(self, chunks: list[Chunk]) -> None:
        """Take chunks off the manifest."""
        if chunks:
            gone = set(chunks)
            self._manifest.keep([
                entry for entry in self._lines()
                if isinstance(entry, Frame) or Chunk(entry.setting, entry.number) not in gone
            ])  # fmt: skip

    def require_whole(self, chunks: Iterable[Chunk], *, thorough: bool = False) -> None:
        """Refuse to read what would come out as gaps or as other numbers.

        Args:
            chunks: that are going to be read, finished ones.
            thorough: hash each file, even if its size and time are as they were.

        Raises:
            InvalidInputError: the first file that is not as it was written.
        """
        frame, done = self._frame(), self.done()
        require(frame is not None, f"{self.folder} holds no data yet; run the campaign first.")
        assert frame is not None
        self._group.refuse(self._group.faults(frame.files, True), "metadata")
        for chunk in chunks:
            what = f"setting {chunk.setting}, chunk {chunk.number}"
            self._group.refuse(self._group.faults(done[chunk].files, thorough), what)

    def open(self) -> xr.Dataset:
        """The data, read when used, with `finished` (..., replica) from the manifest.

        Raises:
            InvalidInputError: files that are not as they were written.
        """
        self.require_whole(self.done())
        return self.opened()

    def opened(self) -> xr.Dataset:
        """The data as `open` gives it, once the files that will be read are known to be whole."""
        done = self.done()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Zarr's on files that others keep in the folder
            run: xr.Dataset = xr.open_zarr(
                self.data, consolidated=False, chunks=None, zarr_format=3
            )
        total = run.sizes["replica"]
        finished = np.zeros((len(self.spec.settings), total), dtype=bool)
        for chunk, entry in done.items():
            finished[chunk.setting, slice(*entry.replicas)] = True
        dims = (*dimensions(self.spec), "replica")
        return run.assign_coords(replica=np.arange(total)).assign(
            finished=(dims, finished.reshape(*self.spec.shape, total))
        )

    @cached_property
    def _manifest(self) -> Manifest:
        return Manifest(self.folder, self.spec.digest)

    def _lines(self) -> list[Content]:
        try:
            return self._manifest.read()
        except InvalidInputError:
            require(
                is_of(self.folder, self.spec),
                f"{self.folder} holds another spec than this one, or has grown since it was"
                " opened; open it again.",
            )
            raise

    def _frame(self) -> Frame | None:
        """The metadata as they were last written; None before."""
        frames = [entry for entry in self._lines() if isinstance(entry, Frame)]
        return frames[-1] if frames else None

    def _write_frame(self, replicas: int) -> None:
        files = empty_group(self.spec, replicas, self.layout.levels, self.layout.rows)
        for name, content in files.items():
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as scratch:
                scratch.write_bytes(content)
        self._manifest.append(Frame(replicas=replicas, files=self._group.record(list(files))))

    def _wrong(self, entry: Entry, *, thorough: bool = False) -> bool:
        return any(self._group.faults(entry.files, thorough))
