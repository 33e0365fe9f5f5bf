"""Short names of sources, and notes that many of them share told once."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_NAMED = 3  # sources of a note


def short_names(sources: Iterable[str]) -> dict[str, str]:
    """By source the last part of its path and the setting; more of the path where two are alike."""
    names: dict[str, str] = {}
    rest, depth = set(sources), 1
    while rest:
        chosen = {source: _tail(source, depth) for source in rest}
        taken = list(chosen.values())
        unique = {s for s, name in chosen.items() if taken.count(name) == 1 or name == s}
        # of what a longer name would not tell apart
        unique |= {s for s in rest if _tail(s, depth + 1) == chosen[s]}
        names |= {source: chosen[source] for source in unique}
        rest, depth = rest - unique, depth + 1
    return names


def _tail(source: str, depth: int) -> str:
    path, _, setting = source.partition(": ")
    parts = Path(path).parts
    tail = str(Path(*parts[-depth:])) if parts else path
    return tail + (f": {setting}" if setting else "")


def folded(notes: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Each note once, after the sources that it is about.

    Args:
        notes: of each source, by its name.
    """
    about: dict[str, list[str]] = {}
    for source, own in notes.items():
        for note in dict.fromkeys(own):
            about.setdefault(note, []).append(source)
    for note, sources in about.items():
        yield f"{_several(sources, len(notes))}: {note}"


def _several(sources: list[str], of: int) -> str:
    if len(sources) == of > 1:
        return f"all {of} histories"
    more = len(sources) - _NAMED
    named = ", ".join(sources[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named
