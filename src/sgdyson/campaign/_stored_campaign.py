"""A campaign on disk: what it asks for, and what of it is finished."""

from pathlib import Path
from typing import Self

import xarray as xr

from .._files import user_path
from ..engine.block import block_size
from ._claim import Part, claimed_part, read_claimed
from ._plan import Plan
from ._spec import Spec
from ._store import Store
from ._tally import Tally


class StoredCampaign:
    """What a campaign asks for, its store, and what is finished there; it runs nothing.

    Args:
        spec: see `read_spec`.
        out: folder of the store.
        part: `(3, 16)` for the third of sixteen parts, each with a store of its own.
    """

    def __init__(self, spec: Spec, out: Path | str, *, part: Part | None = None) -> None:
        self.spec = spec
        models = {s.model: s.build() for s in spec.settings}
        self._levels = {section: len(model.matrix_names()) for section, model in models.items()}
        blocks = {section: block_size(model, "cpu") for section, model in models.items()}
        self.store = Store(
            user_path(out),
            spec,
            max(self._levels.values()),
            [blocks[s.model] for s in spec.settings],
            part,
        )
        self.plan = Plan(spec, self.store)

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

    def open(self) -> xr.Dataset:
        """The data: `levels`, `diverged`, `finished` by value of every varied parameter.

        Raises:
            InvalidInputError: nothing there yet, or finished chunks that are not as they were
                written.
        """
        return self.store.open()

    def finished(self) -> tuple[int, int]:
        """Chunks that are finished, and chunks in all as far as is known."""
        totals = self.plan.totals()
        chunks = len(self.plan.chunks(totals))
        return chunks - len(self.plan.missing(totals)), chunks

    def progress(self) -> Tally:
        """Settings and replicas that are finished, and in all as far as is known."""
        return self.plan.progress()

    def replicas(self) -> int:
        """Replicas of all settings that are asked for; of many parts some may have none."""
        return sum(self.plan.own(self.plan.asked()))

    def seconds(self, index: int) -> float:
        """What the finished chunks of a setting took, of one thread."""
        done = self.store.done().items()
        return round(sum(entry.seconds for chunk, entry in done if chunk.setting == index), 3)
