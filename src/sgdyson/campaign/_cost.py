"""What a campaign will take, and whether there is room for it."""

import time
from dataclasses import dataclass

import numpy as np

from .._capacity import require_disk, require_memory
from .._threads import cores
from ..engine.block import block_size
from ._executors import run_chunk
from ._setting import Setting
from ._spec import Spec
from ._store import Store

_BLOCK = 4096  # bytes of a disk, of which a file or a folder takes one at least
_SMALL_FILES = 8  # files and folders for the replicas of one Zarr chunk


@dataclass(frozen=True)
class Cost:
    """What a campaign will take.

    Attributes:
        settings: how many.
        updates: updates of all replicas together, burn-in included.
        seconds: on this machine, from a short calibration that leaves compilation out.
        disk: bytes, before compression.
        memory: bytes of the chunks under way at one time.
    """

    settings: int
    updates: float
    seconds: float
    disk: int
    memory: int


def cost_of(spec: Spec, store: Store) -> Cost:
    """Time, disk and memory, from a short calibration on at most three settings."""
    settings = spec.settings
    chosen = {0, len(settings) // 2, len(settings) - 1}
    rate = np.mean([_seconds_per_update(settings[index]) for index in chosen])
    updates = float(sum(s.replicas * s.total_updates for s in settings))
    numbers = settings[0].times * store.layout.levels
    return Cost(
        settings=len(settings),
        updates=updates,
        seconds=updates * float(rate) / cores(),
        disk=8 * numbers * sum(s.replicas for s in settings),
        memory=8 * numbers * max(store.layout.chunk_replicas) * 2 * cores(),
    )


def require_room(
    spec: Spec, store: Store, totals: list[int], missing: int, workers: int | None
) -> None:
    """Refuse what would end half way, for want of memory or of disk.

    Args:
        spec: of the campaign.
        store: where it is written.
        totals: replicas of each setting.
        missing: how many of all are not finished.
        workers: threads of this machine.

    Raises:
        InvalidInputError: more than there is.
    """
    times, levels = spec.first.times, store.layout.levels
    what = (
        f"{spec.first.name}, {missing} replicas of {times} records of {levels} levels in"
        f" {len(totals)} settings,"
    )
    chunk = 8 * times * levels * max(store.layout.chunk_replicas)
    require_memory(
        chunk * 2 * min(workers or cores(), max(missing, 1)),
        what,
        "record less often, or use fewer --workers",
    )
    files = _SMALL_FILES * sum(-(-total // store.layout.rows) for total in totals)
    require_disk(
        8 * times * levels * missing + (_BLOCK * files if missing else 0),
        store.folder,
        what,
        "choose an --out on a larger disk, fewer replicas or settings, or fewer records",
    )


def _seconds_per_update(setting: Setting) -> float:
    """Time of an update of one replica in one thread, measured; a run before it compiles."""
    updates = 200
    short = setting.model_copy(
        update={"updates": updates, "record_every": updates, "burn_in": 0, "time_unit": "update"}
    )
    replicas = range(block_size(setting.build(), "cpu"))
    run_chunk(short, replicas)
    began = time.perf_counter()
    run_chunk(short, replicas)
    return (time.perf_counter() - began) / (updates * len(replicas))
