"""Parts of a campaign brought together."""

from collections.abc import Iterable
from pathlib import Path

from ._campaign import Campaign
from ._parts import Gathered, find_parts, gather_into, numbered


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
    campaigns = [Campaign.from_folder(folder) for folder in find_parts(parts)]
    numbers, of = numbered(campaigns)
    spec = campaigns[0].spec
    return gather_into(Campaign(spec, out if out is not None else spec.first.name), numbers, of)
