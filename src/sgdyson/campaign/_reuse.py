"""Chunks that another campaign has finished, for one that asks for the same numbers.

A setting gives the same numbers whatever else is in its grid, and a replica whatever others there
are. So what was run for fewer replicas, or fewer values of a parameter, is read and not run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..errors import require
from ._claim import require_versions
from ._executors import Job, Result
from ._frame import KINDS
from ._spec import Setting

if TYPE_CHECKING:
    from ._campaign import Campaign


def finished_elsewhere(
    jobs: Iterable[Job], other: Campaign, data: list[str]
) -> Iterator[tuple[Job, Result]]:
    """Jobs whose replicas another campaign has, each with its result.

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
    run = other.open()
    places = {_numbers(setting): i for i, setting in enumerate(other.spec.settings)}
    asked: dict[int, int | None] = {}  # by setting: a stationary burn-in takes a prediction
    for job in jobs:
        chunk, setting, replicas = job
        if chunk.setting not in asked:
            asked[chunk.setting] = places.get(_numbers(setting))
        index = asked[chunk.setting]
        if index is None or replicas.stop > run.sizes["replica"]:
            continue
        where = (*other.store.place(index), slice(replicas.start, replicas.stop))
        if not bool(run.finished[where].all()):
            continue
        arrays = {name: np.asarray(run[name][where].values) for name in KINDS}
        arrays["levels"] = arrays["levels"][..., : other.levels_of(index)]
        yield job, Result(arrays, 0.0)


def _numbers(setting: Setting) -> tuple[int, ...]:
    """What the numbers of a setting depend on."""
    return (setting.stream, setting.burn_in_updates, setting.interval, setting.times)
