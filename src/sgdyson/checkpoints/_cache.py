"""Models in the local cache of Hugging Face, by their repository: nothing is fetched."""

import os
import re
from pathlib import Path

from ..errors import InvalidInputError, require

PREFIX = "hf:"
_WEIGHTS = "*.safetensors", "*.bin"  # the first kind that a model has
_NAME = re.compile(r"(?P<repository>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")


def located(path: Path | str) -> Path:
    """The folder of `hf:ORG/NAME` or `hf:ORG/NAME@REVISION`; any other path as it is.

    Raises:
        InvalidInputError: no such name, or no such model in the cache.
    """
    text = str(path)
    if not text.startswith(PREFIX) or os.path.lexists(text):
        return Path(path)
    name = _NAME.fullmatch(text.removeprefix(PREFIX))
    if name is None:
        raise InvalidInputError(f"{text} is no hf:ORG/NAME or hf:ORG/NAME@REVISION.")
    home = _cache() / f"models--{name['repository'].replace('/', '--')}"
    require(
        home.is_dir(),
        f"{text} is not in {_cache()}, and nothing is fetched; download it first, or give"
        " --download.",
    )
    return _snapshot(home, name["revision"], text)


def _cache() -> Path:
    """As `huggingface_hub` finds it."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = os.environ.get("HF_HOME") or Path(home, "huggingface")
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(named or Path(home, "hub")).expanduser()


def _snapshot(home: Path, revision: str | None, text: str) -> Path:
    """The folder of a branch or tag, by its reference, or of a commit; by default of `main`."""
    reference = home / "refs" / (revision or "main")
    snapshots = home / "snapshots"
    known = sorted(folder.name for folder in snapshots.iterdir()) if snapshots.is_dir() else []
    # a revision may hold dots and slashes, and is not to lead out of the cache
    if reference.is_file() and reference.resolve().is_relative_to(home.resolve()):
        commit = reference.read_text(encoding="utf-8", errors="replace").strip()
    elif revision is None:
        commit = known[0] if len(known) == 1 else ""
    else:
        commit = next((name for name in known if name.startswith(revision)), "")
    require(
        commit in known,
        f"{text}: {revision or 'main'} is not among its {len(known)} snapshots in {home}"
        f"{': ' + ', '.join(known[:5]) if known else ''}.",
    )
    return snapshots / commit


def fetch(path: Path | str) -> None:
    """Bring the weights of `hf:ORG/NAME` into the cache; of any other path nothing.

    These are its files of safetensors, or those of PyTorch where it has no such; no program.

    Raises:
        InvalidInputError: huggingface_hub is not installed, or does not get it.
    """
    name = _NAME.fullmatch(str(path).removeprefix(PREFIX))
    if not str(path).startswith(PREFIX) or name is None:
        return
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise InvalidInputError(
            f"{path}: install huggingface_hub to download it: pip install huggingface_hub."
        ) from error
    try:
        for kind in _WEIGHTS:
            folder = snapshot_download(
                name["repository"], revision=name["revision"], allow_patterns=[kind, "*.json"]
            )
            if any(Path(folder).rglob(kind)):
                return
    except Exception as error:  # of many kinds: the network, the name, a password
        words = " ".join(str(error).split())[:300]
        raise InvalidInputError(f"{path} was not downloaded: {words}") from error
