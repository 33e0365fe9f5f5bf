"""Where the replicas of a campaign lie: in which chunk, in which files of the Zarr group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._frame import KINDS
from ._manifest import Entry
from ._setting import Setting
from ._spec import Spec

_BYTES = 1 << 24  # of levels in a chunk, about, unless one block of replicas has more
_REPLICAS = 256  # of a chunk, unless one block has more
_PARTS = 8  # of a setting, at least, unless one block has more: work for so many cores


@dataclass(frozen=True, order=True)
class Chunk:
    """Some replicas of one setting: the unit of work and of storage."""

    setting: int
    number: int


class Layout:
    """The chunks of a campaign, from its spec and the engine's blocks alone.

    Args:
        spec: spec of the campaign.
        levels: levels of a replica, at most.
        blocks: replicas that are computed together anyway, a power of two for each setting.
    """

    def __init__(self, spec: Spec, levels: int, blocks: Sequence[int]) -> None:
        self._spec, self.levels = spec, levels
        fitting = _BYTES // (8 * spec.first.times * levels)
        self.chunk_replicas = [
            max(block, _power_of_two(min(_REPLICAS, fitting, _most(setting) // _PARTS)))
            for setting, block in zip(spec.settings, blocks, strict=True)
        ]
        # all are powers of two: the smallest divides the others
        self.rows = min(self.chunk_replicas)  # of a Zarr chunk

    def replicas(self, chunk: Chunk, total: int) -> range:
        """The replicas of a chunk of a setting that has `total`."""
        size = self.chunk_replicas[chunk.setting]
        return range(chunk.number * size, min((chunk.number + 1) * size, total))

    def chunks(self, setting: int, total: int) -> list[Chunk]:
        """All chunks of a setting with so many replicas."""
        size = self.chunk_replicas[setting]
        return [Chunk(setting, number) for number in range(-(-total // size))]

    def place(self, setting: int) -> tuple[int, ...]:
        """The place of a setting in the grid."""
        shape = self._spec.shape
        return tuple(int(i) for i in np.unravel_index(setting, shape)) if shape else ()

    def files(self, setting: int, replicas: range) -> list[str]:
        """Names of the Zarr chunks that hold these replicas."""
        where = self.place(setting)
        numbers = range(replicas.start // self.rows, -(-replicas.stop // self.rows))
        rests = {name: (0, 0) if name == "levels" else () for name in KINDS}
        return [
            "/".join([name, "c", *map(str, (*where, number, *rest))])
            for name, rest in rests.items()
            for number in numbers
        ]

    def fits(self, entry: Entry) -> bool:
        """Whether a line is about a chunk that this campaign can have."""
        if entry.setting >= len(self._spec.settings):
            return False
        setting, size = self._spec.settings[entry.setting], self.chunk_replicas[entry.setting]
        total = setting.replicas if setting.target_error is None else (entry.number + 1) * size
        expected = self.replicas(Chunk(entry.setting, entry.number), total)
        replicas = range(*entry.replicas)
        return (
            len(replicas) > 0
            and replicas.start == expected.start
            and replicas.stop <= expected.stop
            and set(entry.files) == set(self.files(entry.setting, replicas))
        )


def _most(setting: Setting) -> int:
    """Replicas that a setting may come to have."""
    return setting.replicas if setting.target_error is None else setting.most_replicas


def _power_of_two(number: int) -> int:
    """The largest that is not above a number, and at least 1."""
    return 1 << (max(number, 1).bit_length() - 1)
