"""Parts of a campaign brought together."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .._capacity import require_disk
from .._failures import reason_of
from .._files import user_path
from ..errors import InvalidInputError, require
from ._campaign import Campaign
from ._claim import claimed_part, holds_campaign, require_versions
from ._differences import differences


class Gathered(NamedTuple):
    """What was gathered.

    Attributes:
        campaign: the whole, in its folder.
        chunks: how many were copied.
        missing: a sentence for each thing that it lacks; empty if it is finished.
    """

    campaign: Campaign
    chunks: int
    missing: list[str]


def gather(parts: Iterable[Path | str], out: Path | str | None = None) -> Gathered:
    """Make one campaign of its parts: the same bits as of one run.

    Every file is hashed on its way. Called again, it takes what was finished meanwhile.

    Args:
        parts: folders of parts, or folders that hold some.
        out: folder of the whole; named after the campaign unless given.

    Returns:
        The campaign, and what it still lacks, by the numbers of the parts.

    Raises:
        InvalidInputError: the name of a part of another spec, of another version, or that is there
            twice; damaged files; a folder that holds something else.
    """
    campaigns = [Campaign.from_folder(folder) for folder in _find_parts(parts)]
    numbers, of = _numbered(campaigns)
    spec = campaigns[0].spec
    return _gather_into(Campaign(spec, out if out is not None else spec.first.name), numbers, of)


def _gather_into(whole: Campaign, parts: dict[int, Campaign], of: int) -> Gathered:
    """Copy what parts have finished, hashed on the way, into one store.

    Args:
        whole: with a folder that is new, or holds what was gathered before.
        parts: by their numbers.
        of: how many there are.
    """
    store, copied = whole.store, 0
    with store.locked():
        store.mend()
        store.make_room(max(max(part.plan.totals()) for part in parts.values()))
        there = store.done()
        new = [
            (part, chunk, entry)
            for part in parts.values()
            for chunk, entry in part.store.done().items()
            if chunk not in there
        ]
        size = sum(record.size for *_, entry in new for record in entry.files.values())
        require_disk(size, store.folder, "what the parts have finished", "choose another --out")
        for part, chunk, entry in new:
            try:
                # copies: a whole that shared files with its parts would lose them to whoever edits
                # a part
                store.adopt(chunk, entry, part.store, link=False)
            except OSError as error:
                raise InvalidInputError(
                    f"{store.folder} could not take a chunk of {part.store.folder}"
                    f" ({reason_of(error)}); the same command goes on."
                ) from error
            copied += 1
    return Gathered(whole, copied, _missing(whole, parts, of))


def _find_parts(paths: Iterable[Path | str]) -> list[Path]:
    """Folders of parts: those given, or those in the ones given.

    Raises:
        InvalidInputError: a folder that holds none.
    """
    folders = []
    for path in map(user_path, paths):
        require(path.is_dir(), f"{path} is no folder; give that of the parts.")
        inside = [path] if holds_campaign(path) else sorted(filter(holds_campaign, path.iterdir()))
        require(
            bool(inside),
            f"{path} holds no part of a campaign; give what `sgdyson run --part` wrote.",
        )
        folders += inside
    return folders


def _numbered(campaigns: Sequence[Campaign]) -> tuple[dict[int, Campaign], int]:
    """Parts by their numbers, and how many there are, once they belong together.

    Raises:
        InvalidInputError: the name of one of another spec, of another version, of other parts, or
            that is there twice.
    """
    first, parts = campaigns[0], dict[int, Campaign]()
    of = 0
    for campaign in campaigns:
        folder = campaign.store.folder
        part = claimed_part(folder)
        if part is None:
            raise InvalidInputError(
                f"{folder} holds a whole campaign, and no part of one; leave it."
            )
        require_versions(folder, "run that part again")
        of = of or part[1]
        require(
            part[1] == of,
            f"{folder} is one of {part[1]} parts, and {first.store.folder} one of {of}; gather"
            " those of one division.",
        )
        _require_same(first, campaign)
        twice = parts.get(part[0])
        require(
            twice is None,
            f"{folder} is part {part[0]}, and so is {twice and twice.store.folder}; leave one out.",
        )
        parts[part[0]] = campaign
    return parts, of


def _require_same(first: Campaign, other: Campaign) -> None:
    if first.spec.digest != other.spec.digest:
        replicas = [setting.replicas for setting in first.spec.settings]
        back = [setting.replicas for setting in other.spec.settings]
        reasons = differences(first.spec, other.spec, replicas) or differences(
            other.spec, first.spec, back
        )
        reason = "; ".join(reasons) or "other data to learn"
        raise InvalidInputError(
            f"{other.store.folder} is of another spec than {first.store.folder} ({reason}); run it"
            " again, or leave it out."
        )


def _missing(whole: Campaign, parts: dict[int, Campaign], of: int) -> list[str]:
    """What is not there, by the numbers of the parts."""
    absent, sentences = [], []
    for number in range(1, of + 1):
        part = parts.get(number)
        if part is None:
            if Campaign(whole.spec, whole.store.folder, part=(number, of)).replicas():
                absent.append(str(number))
            continue
        tally = part.progress()
        if tally.counts != tally.totals:
            sentences.append(f"part {number} of {of} is not finished ({tally.text()})")
    if absent:
        name = "part" if len(absent) == 1 else "parts"
        verb = "is" if len(absent) == 1 else "are"
        sentences.insert(0, f"{name} {', '.join(absent)} of {of} {verb} missing")
    return sentences
