"""Replicas of a process of levels, in blocks on every core."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from .._capacity import require_memory
from .._checks import positive, settle, whole
from .._devices import devices
from .._jax_settings import own_settings
from .._progress import progress_bar
from .._threads import cores, one_blas_thread
from ..errors import require
from ._dataset import check_ensemble, labelled
from ._programs import Motion, Numbers, Programs, compiled

_ENTRIES = 4096  # of the matrices of levels by levels of all replicas in a block
_LARGEST = 256  # replicas in a block
_MATRICES = 4  # of levels by levels, for each replica, in a Newton step: at least so many


@dataclass(frozen=True)
class Steps:
    """How long a run is, and of how many replicas."""

    step: float
    steps: int
    record_every: int
    replicas: int
    seed: int

    def __post_init__(self) -> None:
        check_ensemble(self.replicas, self.seed)
        settle(self, step=positive("step", self.step), steps=whole("steps", self.steps))
        settle(self, record_every=whole("record_every", self.record_every))
        require(
            self.record_every <= self.steps,
            f"record_every = {self.record_every} must be a whole number from 1 to steps ="
            f" {self.steps}.",
        )

    @property
    def records(self) -> int:
        """Records after the first."""
        return self.steps // self.record_every

    def settings(self) -> dict[str, Any]:
        return {
            "step": self.step, "steps": self.steps, "record_every": self.record_every,
            "seed": int(self.seed),
        }  # fmt: skip


def run_ensemble(
    motion: Motion, plan: Steps, settings: dict[str, Any], progress: bool
) -> xr.Dataset:
    """Replicas that all begin at one place."""
    start, records, replicas = motion.start, plan.records, plan.replicas
    levels = np.empty((replicas, records + 1, len(start)))
    size = block_size(len(start))
    blocks = list(range(0, replicas, size))
    run = _Run(*compiled(motion, plan.step), int(plan.seed), plan.record_every)

    def work(device: jax.Device) -> None:
        with own_settings(), jax.default_device(device):
            while blocks:
                with suppress(IndexError):  # the last one was another worker's
                    first = blocks.pop(0)
                    run.block(first, size, start, levels[first : first + size], advance)

    # of few levels a second compilation costs more than a second core brings
    workers = devices(min(len(blocks), cores()) if size == 1 else 1)
    with (
        progress_bar(replicas * records, progress) as advance,
        one_blas_thread(),  # of several, on busy cores, most wait for each other
        ThreadPoolExecutor() as pool,
    ):
        for done in [pool.submit(work, device) for device in workers]:
            done.result()
    times = plan.step * plan.record_every * np.arange(records + 1)
    # NaN stays NaN: the last record tells of all
    diverged = np.any(~np.isfinite(levels[:, -1]), axis=1)
    return labelled(motion.levels(levels), times, diverged, {**settings, **plan.settings()})


def block_size(levels: int) -> int:
    """Replicas in a block: by the levels alone, so that a replica's numbers never change."""
    return min(max(_ENTRIES // levels**2, 1), _LARGEST)


def require_room(levels: int, replicas: int, records: int) -> None:
    """Refuse what does not fit into memory: matrices of a block, and all that is recorded.

    Raises:
        InvalidInputError: more than this machine has.
    """
    size = block_size(levels)
    matrices = 8 * size * _MATRICES * levels**2
    recorded = 8 * (replicas + size) * (records + 1) * levels
    require_memory(
        matrices + recorded,
        f"a process of {levels} levels in {replicas} replicas with {records} records",
    )


@dataclass(frozen=True)
class _Run:
    """Blocks of one run."""

    programs: Programs
    numbers: Numbers
    seed: int
    every: int

    def block(
        self, first: int, size: int, start: np.ndarray, kept: np.ndarray,
        advance: Callable[[float], None],
    ) -> None:  # fmt: skip
        """Write the records of the replicas from `first` on into `kept`, as far as it reaches."""
        kept[:, 0], records = start, kept.shape[1] - 1
        numbers = {name: jnp.asarray(number) for name, number in self.numbers.items()}
        how = (numbers, jax.random.key(self.seed), jnp.asarray(self.every))
        if size > 1:
            # always a whole block, whose shape decides the bits; what was not asked for is dropped
            members = jnp.asarray(np.arange(first, first + size, dtype=np.uint32))
            levels = jnp.asarray(np.broadcast_to(start, (size, len(start))))
            run = np.asarray(self.programs.several(*how, members, levels, records))
            kept[:, 1:] = run[: len(kept)]
            advance(records * len(kept))
            return
        levels = jnp.asarray(start)
        for slot in range(records):
            levels = self.programs.one(*how, jnp.uint32(first), levels, jnp.asarray(slot))
            kept[0, slot + 1] = levels
            advance(1)
