"""Which replicas a campaign runs here, and which of them are missing."""

from collections.abc import Collection
from functools import cached_property

from ..errors import require
from ._executors import Job
from ._layout import Chunk
from ._parts import stretch
from ._spec import Spec
from ._store import Store
from ._tally import Tally


class Plan:
    """What a campaign asks of its store: all of a spec, or a part of it.

    Totals are replicas of each setting: more than were asked for, where precision took more.

    Args:
        spec: of the campaign.
        store: what is finished, and which part of the campaign it is for.
        chosen: indices of the settings to run; None for all.

    Raises:
        InvalidInputError: a setting that is not there.
    """

    def __init__(self, spec: Spec, store: Store, chosen: Collection[int] | None = None) -> None:
        self.spec, self.store, self._chosen = spec, store, chosen
        there = range(len(spec.settings))
        require(
            chosen is None or all(index in there for index in chosen),
            f"settings = {chosen} must be indices of the {len(there)} settings of the campaign.",
        )

    def asked(self) -> list[int]:
        """Replicas of each setting that the spec asks for."""
        sizes = zip(self.spec.settings, self.store.layout.chunk_replicas, strict=True)
        return [
            setting.replicas
            if setting.target_error is None
            else -(-setting.replicas // size) * size
            for setting, size in sizes
        ]

    def totals(self) -> list[int]:
        """Those asked for, or those already added for precision."""
        totals = self.asked()
        for chunk, entry in self.store.done().items():
            totals[chunk.setting] = max(totals[chunk.setting], entry.replicas[1])
        return totals

    def own(self, totals: list[int]) -> list[int]:
        """Those of the totals that are to be run here: all of them unless this is a part."""
        if self.store.part is None and self._chosen is None:
            return totals  # of a request that is too large to be counted, too
        own = [0] * len(totals)
        for chunk in self.chunks(totals):
            own[chunk.setting] += len(self.store.layout.replicas(chunk, totals[chunk.setting]))
        return own

    def chunks(self, totals: list[int]) -> list[Chunk]:
        """Every chunk that is to be run here."""
        chunks = [
            chunk for i, total in enumerate(totals) for chunk in self.store.layout.chunks(i, total)
        ]
        return [chunk for chunk in chunks if self.is_ours(chunk)]

    def missing(self, totals: list[int]) -> list[Job]:
        """What is not finished of the totals."""
        finished, settings = self.store.done(), self.spec.settings
        jobs = []
        for chunk in self.chunks(totals):
            replicas = self.store.layout.replicas(chunk, totals[chunk.setting])
            if chunk in finished:  # or what it begins with
                replicas = range(finished[chunk].replicas[1], replicas.stop)
            if len(replicas):
                jobs.append((chunk, settings[chunk.setting], replicas))
        return jobs

    def progress(self) -> Tally:
        """What is finished of the totals."""
        totals = self.totals()
        counts = [0] * len(totals)
        for chunk, entry in self.store.done().items():
            if self.is_ours(chunk):
                counts[chunk.setting] += len(range(*entry.replicas))
        return Tally(counts, self.own(totals))

    def is_ours(self, chunk: Chunk) -> bool:
        """Whether a chunk is to be run here."""
        first, last = self._bounds
        if self._chosen is not None and chunk.setting not in self._chosen:
            return False
        return first <= (Chunk(chunk.setting, 0) if self._is_adaptive else chunk) < last

    @property
    def _is_adaptive(self) -> bool:
        """Settings come to have more chunks, so that parts are stretches of settings."""
        return self.spec.first.target_error is not None

    @cached_property
    def _bounds(self) -> tuple[Chunk, Chunk]:
        """The first chunk of this part, and the first that is beyond it."""
        end = Chunk(len(self.spec.settings), 0)
        if self.store.part is None:
            return Chunk(0, 0), end
        works = self._works()
        own = stretch([updates for _, updates in works], self.store.part)
        starts = [*(chunk for chunk, _ in works), end]
        return starts[own.start], starts[own.stop]

    def _works(self) -> list[tuple[Chunk, float]]:
        """What parts are made of, with the updates that each takes."""
        updates = [float(setting.total_updates) for setting in self.spec.settings]
        if self._is_adaptive:
            return [(Chunk(i, 0), each) for i, each in enumerate(updates)]
        return [
            (chunk, updates[i] * len(self.store.layout.replicas(chunk, total)))
            for i, total in enumerate(self.asked())
            for chunk in self.store.layout.chunks(i, total)
        ]
