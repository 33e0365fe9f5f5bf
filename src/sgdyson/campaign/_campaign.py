"""A campaign from its spec to its data."""

import os
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self

import jax
import numpy as np
import xarray as xr

from .._attributes import attributes_of
from .._files import replacing, user_path
from .._jax_settings import PRNG
from .._progress import progress_bar
from .._terminal import tell
from .._threads import cores
from ..engine.block import block_size
from ..errors import InvalidInputError, require
from ..models import Model
from ..optimizers import optimizer_settings
from ._claim import Part, claimed_part, holds_campaign, is_of, is_of_this_version, read_claimed
from ._cost import Cost, cost_of, require_room
from ._executors import Job, Result, run_chunks
from ._export import require_not_read, text_file, write_csv, write_netcdf
from ._growth import grow, require_growth
from ._parts import folder_of, stretch
from ._precision import replicas_for
from ._reuse import finished_elsewhere
from ._spec import Spec, read_spec
from ._store import Chunk, Store
from ._tally import Tally

_AT_ONCE = 4  # settings for each thread that are under way together


class Campaign:
    """Every setting of a spec, on disk; what is finished is never run again.

    Args:
        spec: see `read_spec`.
        out: folder of the store.
        part: `(3, 16)` for the third of sixteen parts, each with a store of its own.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sgdyson.campaign.starter import write_starter
        >>> from contextlib import chdir
        >>> with tempfile.TemporaryDirectory() as folder, chdir(folder):
        ...     campaign = Campaign.from_file(write_starter("scaling"))
        ...     len(campaign.spec.settings)  # two learning rates, two batch sizes
        4
    """

    def __init__(self, spec: Spec, out: Path | str, *, part: Part | None = None) -> None:
        self.spec = spec
        models = {s.model: s.build() for s in spec.settings}
        self._levels = {section: _levels(model) for section, model in models.items()}
        blocks = {section: block_size(model, "cpu") for section, model in models.items()}
        self.store = Store(
            user_path(out),
            spec,
            max(self._levels.values()),
            [blocks[s.model] for s in spec.settings],
            part,
        )

    @classmethod
    def from_file(
        cls, path: Path | str, out: Path | str | None = None, *, part: Part | None = None
    ) -> Self:
        """The campaign of a spec file, or a part of it.

        Args:
            path: path of the file.
            out: folder of the store; named after the campaign unless given.
            part: `(3, 16)` for the third of sixteen parts; each has a folder of its own in `out`,
                which is then called after the campaign and `-parts` unless given.

        Raises:
            InvalidInputError: every mistake in the file, a line each.
        """
        spec = read_spec(path)
        if part is None:
            return cls(spec, out if out is not None else spec.first.name)
        parts = user_path(out if out is not None else f"{spec.first.name}-parts")
        return cls(spec, folder_of(part, parts), part=part)

    @classmethod
    def from_folder(cls, folder: Path | str) -> Self:
        """The campaign that was begun in a folder.

        Raises:
            InvalidInputError: a folder that holds none.
        """
        folder = user_path(folder)
        return cls(read_claimed(folder), folder, part=claimed_part(folder))

    def levels_of(self, index: int) -> int:
        """Levels of a replica of a setting."""
        return self._levels[self.spec.settings[index].model]

    def run(
        self,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        progress: bool = True,
        reuse: Path | str | None = None,
    ) -> xr.Dataset:
        """Run what is not finished, and open the result.

        The same bits whatever the executor, the number of workers, the order, or how often it was
        stopped. A folder that holds a campaign of fewer replicas, or of fewer values of its
        parameters, grows: only what is new is run.

        Args:
            workers: threads of this machine; all cores by default.
            scheduler: address of a Dask scheduler, instead of this machine.
            progress: show a bar, where there is a terminal.
            reuse: folder of another campaign, with fewer replicas or values, say: what it has
                finished of the same settings is taken from there, to the same bits.

        Raises:
            InvalidInputError: a folder of a campaign that cannot grow to this one, told by the
                keys in which they differ, or one that cannot be written; workers below one; a
                scheduler that does not answer.
        """
        require(
            workers is None or workers >= 1,
            f"--workers {workers} must be at least 1.",
        )
        other = None if reuse is None else self._other(reuse)

        def finish(campaign: Campaign) -> None:
            """What is missing, without more replicas for precision."""
            campaign.store.mend()
            campaign._run_to(campaign._totals(), workers, scheduler, progress)

        def grow_here() -> None:
            old = Campaign.from_folder(self.store.folder)
            require_growth(old, self)
            asked = self._asked()
            kept = sum(old.progress().counts)
            require_room(self.spec, self.store, asked, max(sum(asked) - kept, 0), workers)
            if progress:
                tell(f"{old.store.folder} grows to {sum(asked)} replicas; {kept} are finished")
            grow(old, self, finish)

        with self.store.locked(grow_here):
            self.store.mend()
            totals = self._totals()
            while True:
                self._run_to(totals, workers, scheduler, progress, other)
                grown = self._grown(totals)
                if grown == totals:
                    return self.open()
                totals = grown

    def open(self) -> xr.Dataset:
        """The data: `levels`, `diverged`, `finished` by value of every varied parameter.

        Raises:
            InvalidInputError: nothing there yet, or finished chunks that are not as they were
                written.
        """
        return self.store.open()

    def as_run(self, index: int) -> xr.Dataset:
        """One setting as `simulate` gives it: its finished replicas, its values as attributes.

        Args:
            index: index of the setting, in the order of `spec.settings`.

        Raises:
            InvalidInputError: chunks of it that are not as they were written.
        """
        chosen = (chunk for chunk in self.store.done() if chunk.setting == index)
        self.store.require_whole(chosen, thorough=True)
        setting, data = self.spec.settings[index], self.store.opened()
        place = self.store.place(index)
        finished = np.flatnonzero(data.finished[place].values)
        rows = (*place, slice(0, int(finished.max(initial=-1)) + 1))
        levels = data.levels[rows].values[finished][..., : self._levels[setting.model]]
        model, learning = setting.build(), setting.learning
        batch, names = learning.batch_size, list(model.matrix_names())
        coordinates: dict[str, Any] = {
            "replica": finished, "time": setting.interval * np.arange(setting.times),
        }  # fmt: skip
        if len(set(names)) > 1:
            coordinates["matrix"] = ("level", names)
        return xr.Dataset(
            {
                "levels": (("replica", "time", "level"), levels),
                "diverged": ("replica", data.diverged[rows].values[finished]),
                "diverged_at": ("replica", data.diverged_at[rows].values[finished]),
            },
            coords=coordinates,
            attrs=attributes_of(
                {
                    "learning_rate": learning.learning_rate,
                    "batch_size": batch if batch == np.inf else int(batch),
                    **optimizer_settings(learning.rule()),
                    "prng": PRNG,
                    "updates": setting.recorded_updates,
                    "record_every": setting.interval,
                    "record_from": setting.burn_in_updates,
                    "seed": setting.stream,
                    **model.settings(),
                }
            ),
        )

    def to_netcdf(self, path: Path | str) -> None:
        """Write one netCDF-4 file that xarray opens: arrays, coordinates, names and units.

        What is not finished is NaN there, and `finished` says so. Needs the extra `netcdf`.

        Args:
            path: path of the file; one that exists is replaced when the new one is whole.

        Raises:
            InvalidInputError: nothing there yet, damaged chunks, a file that cannot be written, or
                h5netcdf is missing.
        """
        require_not_read(self, Path(path))
        with replacing(path) as scratch:
            write_netcdf(self, scratch)

    def to_csv(self, path: Path | str | IO[str]) -> None:
        """Write a table with a row for each level of each record of each finished replica.

        Its columns are the varied parameters, `replica`, `time`, `level`, `matrix` where there are
        several, `levels`, `diverged` and `diverged_at`.

        Args:
            path: path of the file, which is replaced when the new one is whole, or a text stream.

        Raises:
            InvalidInputError: nothing there yet, damaged chunks, a file that cannot be written.
        """
        if not isinstance(path, Path | str):
            write_csv(self, path)
            return
        require_not_read(self, Path(path))
        with text_file(path) as stream:
            write_csv(self, stream)

    def finished(self) -> tuple[int, int]:
        """Chunks that are finished, and chunks in all as far as is known."""
        totals = self._totals()
        return len(self._all(totals)) - len(self._missing(totals)), len(self._all(totals))

    def kept(self) -> int:
        """Replicas that need not be run, since the folder has them, of a smaller campaign or ours.

        Raises:
            InvalidInputError: a folder of a campaign that cannot grow to this one.
        """
        if not holds_campaign(self.store.folder):
            return 0
        if is_of(self.store.folder, self.spec):
            return sum(self.progress().counts)
        old = Campaign.from_folder(self.store.folder)
        require_growth(old, self)
        return sum(old.progress().counts)

    def progress(self) -> Tally:
        """Settings and replicas that are finished, and in all as far as is known."""
        totals = self._totals()
        counts = [0] * len(totals)
        for chunk, entry in self.store.done().items():
            counts[chunk.setting] += len(range(*entry.replicas))
        return Tally(counts, self._own(totals))

    def replicas(self) -> int:
        """Replicas of all settings that are asked for; of many parts some may have none."""
        return sum(self._own(self._asked()))

    def seconds(self, index: int) -> float:
        """What the finished chunks of a setting took, of one thread."""
        done = self.store.done().items()
        return round(sum(entry.seconds for chunk, entry in done if chunk.setting == index), 3)

    def verify(self) -> list[Chunk]:
        """Hash all finished chunks again; the bad ones returned will be run again by `run`.

        In a folder that cannot be written, or that another version wrote, they are told, and stay
        on the manifest.
        """
        folder = self.store.folder
        if not os.access(folder, os.W_OK) or not is_of_this_version(folder):
            return self.store.bad()
        with self.store.locked():
            bad = self.store.bad()
            self.store.forget(bad)
            return bad

    def cost(self) -> Cost:
        """Time, disk and memory, from a short calibration on at most three settings."""
        return cost_of(self.spec, self.store)

    def _asked(self) -> list[int]:
        """Replicas of each setting that the spec asks for."""
        sizes = zip(self.spec.settings, self.store.chunk_replicas, strict=True)
        return [
            setting.replicas
            if setting.target_error is None
            else -(-setting.replicas // size) * size
            for setting, size in sizes
        ]

    def _totals(self) -> list[int]:
        """Replicas of each setting: those asked for, or those already added for precision."""
        totals = self._asked()
        for chunk, entry in self.store.done().items():
            totals[chunk.setting] = max(totals[chunk.setting], entry.replicas[1])
        return totals

    def _own(self, totals: list[int]) -> list[int]:
        """Replicas of each setting that are to be run here: all of them unless this is a part."""
        if self.store.part is None:
            return totals  # of a request that is too large to be counted, too
        own = [0] * len(totals)
        for chunk in self._all(totals):
            own[chunk.setting] += len(self.store.replicas(chunk, totals[chunk.setting]))
        return own

    def _all(self, totals: list[int]) -> list[Chunk]:
        """Every chunk that is to be run here, all of them unless this is a part."""
        chunks = [chunk for i, total in enumerate(totals) for chunk in self.store.chunks(i, total)]
        return [chunk for chunk in chunks if self._is_ours(chunk)]

    def _is_ours(self, chunk: Chunk) -> bool:
        first, last = self._bounds
        key = Chunk(chunk.setting, 0) if self.spec.first.target_error is not None else chunk
        return first <= key < last

    @cached_property
    def _bounds(self) -> tuple[Chunk, Chunk]:
        """The first chunk of this part, and the first that is beyond it."""
        end = Chunk(len(self.spec.settings), 0)
        if self.store.part is None:
            return Chunk(0, 0), end
        asked, updates = self._asked(), [s.total_updates for s in self.spec.settings]
        works = [
            (chunk, float(updates[i] * len(self.store.replicas(chunk, asked[i]))))
            for i in range(len(asked))
            for chunk in self.store.chunks(i, asked[i])
        ]
        if self.spec.first.target_error is not None:
            works = [(Chunk(i, 0), float(updates[i])) for i in range(len(asked))]
        own = stretch([weight for _, weight in works], self.store.part)
        starts = [*(chunk for chunk, _ in works), end]
        return starts[own.start], starts[own.stop]

    def _other(self, folder: Path | str) -> "Campaign":
        other = Campaign.from_folder(folder)
        own, theirs = self.store.folder.resolve(), other.store.folder.resolve()
        require(own != theirs, f"--from {folder} is --out itself, which goes on anyway; leave it.")
        return other

    def _take(self, totals: list[int], other: "Campaign", progress: bool) -> None:
        """What another campaign has finished."""
        jobs, taken = self._missing(totals), 0
        for (chunk, _, replicas), result in finished_elsewhere(jobs, other, self.spec.data):
            self._keep(chunk, replicas, result)
            taken += 1
        if progress and jobs:
            tell(f"{taken} of {len(jobs)} chunks are taken from {other.store.folder}")

    def _missing(self, totals: list[int]) -> list[Job]:
        finished, settings = self.store.done(), self.spec.settings
        jobs = []
        for chunk in self._all(totals):
            replicas = self.store.replicas(chunk, totals[chunk.setting])
            if chunk in finished:  # or what it begins with
                replicas = range(finished[chunk].replicas[1], replicas.stop)
            if len(replicas):
                jobs.append((chunk, settings[chunk.setting], replicas))
        return jobs

    def _run_to(
        self,
        totals: list[int],
        workers: int | None,
        scheduler: str | None,
        progress: bool,
        other: "Campaign | None" = None,
    ) -> None:
        """So many replicas of each setting."""
        missing = sum(self._own(totals)) - sum(self.progress().counts)
        require_room(self.spec, self.store, totals, missing, workers)
        self.store.make_room(max(totals))
        if other is not None:
            self._take(totals, other, progress)
        self._run_missing(totals, workers, scheduler, progress)

    def _run_missing(
        self, totals: list[int], workers: int | None, scheduler: str | None, progress: bool
    ) -> None:
        jobs = self._missing(totals)
        if scheduler is None:
            in_turn = _in_turn(_AT_ONCE * (workers or cores()))
            jobs.sort(key=lambda job: in_turn(job[0]))
        updates = [setting.total_updates for setting in self.spec.settings]
        amount = sum(len(replicas) * updates[chunk.setting] for chunk, _, replicas in jobs)
        tally = self.progress()
        with progress_bar(amount, progress and bool(jobs), note=tally.text) as advance:
            say = tell if progress else _silent
            results = run_chunks(iter(jobs), workers, scheduler, advance, say)
            with closing(results):
                for (chunk, _, replicas), result in results:
                    self._keep(chunk, replicas, result)
                    tally.add(chunk.setting, len(replicas))
                    advance(0)

    def _keep(self, chunk: Chunk, replicas: range, result: Result) -> None:
        try:
            self.store.write(chunk, replicas, *result)
        except OSError as error:
            raise InvalidInputError(
                f"{self.store.folder} could not take a chunk ({error.strerror or error}); the"
                " finished ones are good, and the same command goes on from them."
            ) from error

    def _grown(self, totals: list[int]) -> list[int]:
        """More replicas where the error is above its target."""
        target = self.spec.first.target_error
        if target is None:
            return totals
        data, grown = self.open(), []
        for index, (setting, total) in enumerate(zip(self.spec.settings, totals, strict=True)):
            if not self._is_ours(Chunk(index, 0)):
                grown.append(total)
                continue
            kept, size = self._kept(data, index, total), self.store.chunk_replicas[index]
            grown.append(replicas_for(target, setting, kept, total, size))
        return grown

    def _kept(self, data: xr.Dataset, index: int, total: int) -> np.ndarray:
        """Levels (replica, time, level) of a setting, without diverged replicas."""
        rows = (*self.store.place(index), slice(0, total))
        return np.asarray(data.levels[rows].values[~data.diverged[rows].values])


def _silent(_: str) -> None:
    pass


def _in_turn(settings: int) -> Callable[[Chunk], tuple[int, int, int]]:
    """So many settings together, a chunk of each in turn: threads compile them side by side."""
    return lambda chunk: (chunk.setting // settings, chunk.number, chunk.setting)


def _levels(model: Model) -> int:
    with jax.enable_x64(True):
        weights = jax.eval_shape(model.init, jax.random.key(0))
    shapes = jax.tree.map(lambda leaf: np.zeros((1, *leaf.shape)), weights)
    return int(model.levels(shapes).shape[-1])
