"""What this machine has, held against what a request would take, before the work begins.

A request that is too large is refused in one sentence; left alone it would die half way, or take
the machine down with it.
"""

import os
import shutil
from pathlib import Path

from .errors import require

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def require_memory(need: float, what: str, remedy: str = "ask for less") -> None:
    """Refuse what does not fit into memory; where the system does not tell how much, nothing.

    Args:
        need: bytes.
        what: subject of the sentence, with its value: `"replicas = 1000000000000"`.
        remedy: what the user can do instead.

    Raises:
        InvalidInputError: more than is available.
    """
    available = available_memory()
    require(
        available is None or need <= available,
        f"{what} would take {in_words(need)} of memory, and {in_words(available or 0)} are"
        f" available; {remedy}.",
    )


def require_disk(need: float, folder: Path, what: str, remedy: str = "ask for less") -> None:
    """Refuse what does not fit on the disk of a folder, which need not exist yet.

    Args:
        need: bytes.
        folder: that will be written to.
        what: subject of the sentence, with its value.
        remedy: what the user can do instead.

    Raises:
        InvalidInputError: more than is free.
    """
    free = free_disk(folder)
    require(
        free is None or need <= free,
        f"{what} would take {in_words(need)} on disk, and {in_words(free or 0)} are free in"
        f" {folder}; {remedy}.",
    )


def in_words(number: float) -> str:
    """Bytes to three digits: "24.1 GB"."""
    size = float(min(number, 10**300))  # a whole number of Python may be too large for a float
    for unit in _UNITS[:-1]:
        # from there three digits would say 1e+03
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} {_UNITS[-1]}"


def free_disk(folder: Path) -> int | None:
    """Bytes free for this user; None where the system does not tell."""
    for existing in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(existing).free
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
    return None


def available_memory() -> int | None:
    """Bytes that this process may yet take, without swapping; None where no one tells."""
    limits = [_free_of_the_machine(), *_free_of_the_groups(), _free_of_the_process()]
    return min((limit for limit in limits if limit is not None), default=None)


def _free_of_the_machine() -> int | None:
    try:
        for line in (_PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:  # all there is, where no one tells what of it is free
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _free_of_the_groups() -> list[int]:
    """What the control groups of a container leave, of either version."""
    free = []
    for folder in _groups():
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
        if limit is not None:
            free.append(max(limit - max((used or 0) - _cached(folder), 0), 0))
    return free


def _groups() -> list[Path]:
    """Folders of this process's group and of those above it: each may have a limit."""
    try:
        lines = (_PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    folders = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers in ("", "memory"):
            top = _CGROUPS / controllers if controllers else _CGROUPS
            path = top / name.lstrip("/")
            folders += [path, *(above for above in path.parents if above.is_relative_to(top))]
    return folders


def _cached(folder: Path) -> int:
    """Files in the page cache count as used, and are given up when memory is asked for."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
        return int(dict(line.split(None, 1) for line in lines).get("inactive_file", 0))
    except (OSError, ValueError):
        return 0


def _number(file: Path) -> int | None:
    """The number in a file of one number; None where it says `max`."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _free_of_the_process() -> int | None:
    """What `ulimit -v` leaves of the address space."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int((_PROC / "self" / "statm").read_text().split()[0])
        return max(limit - pages * os.sysconf("SC_PAGE_SIZE"), 0)
    except (ImportError, OSError, ValueError):
        return None
