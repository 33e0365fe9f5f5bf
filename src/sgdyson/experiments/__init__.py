"""Campaigns ready to run: the paper's, and ours, as spec files.

`sgdyson new NAME --like rbm_batch` copies one.
"""

from importlib.resources import files


def names() -> list[str]:
    """All of them, in the order of the alphabet."""
    return sorted(
        part.name[:-5] for part in files(__name__).iterdir() if part.name.endswith(".toml")
    )


def text(name: str) -> str:
    """The spec file of one."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
