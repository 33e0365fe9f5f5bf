"""What another campaign has finished, for one that asks for the same numbers.

A setting gives the same numbers whatever else is in its grid, and a replica whatever others there
are. So what was run for fewer replicas, or fewer values of a parameter, is read and not run again.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from ..errors import require
from ._claim import require_versions
from ._differences import numbers_of
from ._executors import Job, Result
from ._frame import KINDS
from ._layout import Chunk
from ._manifest import Entry
from ._setting import Setting
from ._stored_campaign import StoredCampaign


class Source:
    """A campaign whose finished replicas another one takes.

    Args:
        campaign: that has them.

    Raises:
        InvalidInputError: damaged files.
    """

    def __init__(self, campaign: StoredCampaign) -> None:
        self.campaign = campaign
        self._run = campaign.open()
        self._entries = campaign.store.done()
        settings = campaign.spec.settings
        self._places = {numbers_of(setting): i for i, setting in enumerate(settings)}
        self._asked: dict[int, int | None] = {}  # a stationary burn-in takes a prediction

    def index(self, number: int, setting: Setting) -> int | None:
        """Index of a setting here, which has a number of its own in the other campaign."""
        if number not in self._asked:
            self._asked[number] = self._places.get(numbers_of(setting))
        return self._asked[number]

    def leading(self, index: int, replicas: range) -> range:
        """Those of some replicas that are finished, up to the first that is not."""
        place = self.campaign.store.layout.place(index)
        finished = self._run.finished[(*place, slice(replicas.start, replicas.stop))].values
        # argmin of truth values: the first that is false
        count = len(finished) if finished.all() else int(np.argmin(finished))
        return range(replicas.start, replicas.start + count)

    def entry(self, index: int, replicas: range) -> Entry | None:
        """The chunk that holds these replicas and no other."""
        number = replicas.start // self.campaign.store.layout.chunk_replicas[index]
        entry = self._entries.get(Chunk(index, number))
        return entry if entry and range(*entry.replicas) == replicas else None

    def arrays(self, index: int, replicas: range) -> dict[str, np.ndarray]:
        """Finished replicas as they came out."""
        where = (*self.campaign.store.layout.place(index), slice(replicas.start, replicas.stop))
        arrays = {name: np.asarray(self._run[name][where].values) for name in KINDS}
        arrays["levels"] = arrays["levels"][..., : self.campaign.levels_of(index)]
        return arrays

    def seconds(self, index: int, replicas: range) -> float:
        """What they took, each as long as another of its chunk."""
        size = self.campaign.store.layout.chunk_replicas[index]
        total = 0.0
        for number in range(replicas.start // size, -(-replicas.stop // size)):
            entry = self._entries[Chunk(index, number)]
            start, stop = entry.replicas
            both = min(stop, replicas.stop) - max(start, replicas.start)
            total += entry.seconds * both / (stop - start)
        return total


def finished_elsewhere(
    jobs: Iterable[Job], other: StoredCampaign, data: list[str]
) -> Iterator[tuple[Job, Result]]:
    """Jobs, or what they begin with, of which another campaign has the replicas.

    Args:
        jobs: what is missing.
        other: the campaign that may have it.
        data: fingerprints of what the networks of this one learn.

    Raises:
        InvalidInputError: another version of what computes, other data, or damaged files.
    """
    folder = other.store.folder
    require_versions(folder, "run without --from")
    require(
        not data or not other.spec.data or data == other.spec.data,
        f"{folder} was run on other data to learn; run without --from.",
    )
    source = Source(other)
    for chunk, setting, replicas in jobs:
        index = source.index(chunk.setting, setting)
        ready = range(0) if index is None else source.leading(index, replicas)
        if index is not None and len(ready):
            yield (chunk, setting, ready), Result(source.arrays(index, ready), 0.0)
