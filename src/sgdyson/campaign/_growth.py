"""A campaign that grows where it is: its folder comes to hold more, and loses nothing.

All that was asked for so far is finished first. Then the larger campaign is built beside it, of
files that get a second name where their shape is the same, and takes its place: see `_generations`.
"""

from collections.abc import Callable

from .._capacity import require_disk
from .._failures import reason_of
from ..errors import InvalidInputError, require
from ._claim import claimed_part, in_words, take
from ._differences import differences, numbers_of
from ._frame import KINDS
from ._generations import GROWING, replace
from ._layout import Chunk
from ._reuse import Source
from ._stored_campaign import StoredCampaign


def require_growth(old: StoredCampaign, new: StoredCampaign) -> None:
    """Refuse a spec that has not all the numbers of a campaign.

    Raises:
        InvalidInputError: the keys in which they differ.
    """
    folder = old.store.folder
    part = claimed_part(folder)
    require(
        part is None and new.store.part is None,
        f"{folder} holds {in_words(part)} of another spec, and parts do not grow; choose another"
        " --out, or gather the parts and let the whole grow.",
    )
    reasons = differences(old.spec, new.spec, old.progress().totals)
    require(
        not reasons,
        f"{folder} holds a campaign that cannot grow to this spec: {'; '.join(reasons)}; a campaign"
        " gets more replicas and more values, and loses none, so choose another --out, with --from"
        " for what is the same.",
    )


def grow(
    old: StoredCampaign, new: StoredCampaign, finish: Callable[[StoredCampaign], None]
) -> None:
    """Make of a campaign one of a larger spec, in its folder, which is locked.

    Args:
        old: what the folder holds.
        new: what it is to hold.
        finish: runs what is missing of a campaign.

    Raises:
        InvalidInputError: a disk that is full.
    """
    finish(old)
    folder = old.store.folder
    try:
        _build(Source(old), StoredCampaign(new.spec, folder / GROWING))
        replace(folder, old.store.names() | set(KINDS))
    except OSError as error:
        raise InvalidInputError(
            f"{folder} could not grow ({reason_of(error)}); what it holds is good, and the"
            " same command goes on from it."
        ) from error


def _build(source: Source, new: StoredCampaign) -> None:
    """All that the other campaign has, in a store of its own."""
    old, store = source.campaign.store, new.store
    plan = _plan(source, new)
    is_same = (old.layout.rows, old.layout.levels, old.spec.first.times) == (
        store.layout.rows, store.layout.levels, store.spec.first.times,
    )  # fmt: skip
    entries = [source.entry(index, replicas) if is_same else None for _, index, replicas in plan]
    bytes_of_a_replica = 8 * store.spec.first.times * store.layout.levels
    rewritten = sum(
        len(replicas) for (_, _, replicas), entry in zip(plan, entries, strict=True) if not entry
    )
    require_disk(
        bytes_of_a_replica * rewritten, store.folder, f"what {old.folder} has, written anew,",
        "make room there",
    )  # fmt: skip
    take(store.folder, new.spec)
    store.make_room(max(_totals(source, new)))
    for (chunk, index, replicas), entry in zip(plan, entries, strict=True):
        if entry is not None:
            # a second name costs nothing, and the first goes with the old campaign
            store.adopt(chunk, entry, old, link=True)
        else:
            arrays = source.arrays(index, replicas)
            store.write(chunk, replicas, arrays, source.seconds(index, replicas))


def _plan(source: Source, new: StoredCampaign) -> list[tuple[Chunk, int, range]]:
    """Chunks of the larger campaign, with the setting and the replicas that the other has."""
    plan = []
    for index, total in enumerate(_totals(source, new)):
        there = source.index(index, new.spec.settings[index])
        if there is None:
            continue
        for chunk in new.store.layout.chunks(index, total):
            ready = source.leading(there, new.store.layout.replicas(chunk, total))
            if len(ready):
                plan.append((chunk, there, ready))
    return plan


def _totals(source: Source, new: StoredCampaign) -> list[int]:
    """Replicas of each setting: those asked for, or those that were added for precision."""
    finished = source.campaign.progress().counts
    here = {numbers_of(s): n for s, n in zip(source.campaign.spec.settings, finished, strict=True)}
    asked = new.progress().totals
    settings = new.spec.settings
    return [max(n, here.get(numbers_of(s), 0)) for s, n in zip(settings, asked, strict=True)]
