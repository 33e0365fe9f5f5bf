"""A campaign from its spec to its data."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import IO, Self

import xarray as xr

from .._files import replacing, user_path
from .._terminal import tell
from ..errors import require
from ._as_run import setting_as_run
from ._claim import Part, holds_campaign, is_of, is_of_this_version
from ._cost import Cost, cost_of, require_room
from ._export import require_not_read, text_file, write_csv, write_netcdf
from ._growth import grow, require_growth
from ._layout import Chunk
from ._parts import folder_of
from ._plan import Plan
from ._spec import read_spec
from ._stored_campaign import StoredCampaign
from ._work import Work, more_for_precision


class Campaign(StoredCampaign):
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

    def run(
        self,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        progress: bool = True,
        reuse: Path | str | None = None,
        settings: Collection[int] | None = None,
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
            settings: indices of those to run, in the order of `spec.settings`; all by default. The
                others are left as they are, for a later call.

        Raises:
            InvalidInputError: a folder of a campaign that cannot grow to this one, told by the
                keys in which they differ, or one that cannot be written; workers below one; a
                scheduler that does not answer; a setting that is not there.
        """
        require(workers is None or workers >= 1, f"--workers {workers} must be at least 1.")
        plan = Plan(self.spec, self.store, settings)
        other = None if reuse is None else self._other(reuse)
        work = Work(workers, scheduler, progress)
        with self.store.locked(lambda: self._grow(work)):
            self.store.mend()
            totals = plan.totals()
            while True:
                work.finish(plan, totals, other)
                grown = more_for_precision(plan, totals)
                if grown == totals:
                    return self.open()
                totals = grown

    def as_run(self, index: int) -> xr.Dataset:
        """One setting as `simulate` gives it: its finished replicas, its values as attributes.

        Args:
            index: index of the setting, in the order of `spec.settings`.

        Raises:
            InvalidInputError: chunks of it that are not as they were written.
        """
        return setting_as_run(self.store, index, self.levels_of(index))

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

    def kept(self) -> int:
        """Replicas that need not be run, since the folder has them, of a smaller campaign or ours.

        Raises:
            InvalidInputError: a folder of a campaign that cannot grow to this one.
        """
        if not holds_campaign(self.store.folder):
            return 0
        if is_of(self.store.folder, self.spec):
            return sum(self.progress().counts)
        old = StoredCampaign.from_folder(self.store.folder)
        require_growth(old, self)
        return sum(old.progress().counts)

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

    def _grow(self, work: Work) -> None:
        """Make of the smaller campaign in the folder, once it is finished, this one."""

        def finish(campaign: StoredCampaign) -> None:  # without more replicas for precision
            campaign.store.mend()
            work.finish(campaign.plan, campaign.plan.totals())

        old = StoredCampaign.from_folder(self.store.folder)
        require_growth(old, self)
        asked, finished = self.plan.asked(), sum(old.progress().counts)
        require_room(self.spec, self.store, asked, max(sum(asked) - finished, 0), work.workers)
        if work.progress:
            tell(f"{old.store.folder} grows to {sum(asked)} replicas; {finished} are finished")
        grow(old, self, finish)

    def _other(self, folder: Path | str) -> StoredCampaign:
        other = StoredCampaign.from_folder(folder)
        own, theirs = self.store.folder.resolve(), other.store.folder.resolve()
        require(own != theirs, f"--from {folder} is --out itself, which goes on anyway; leave it.")
        return other
