"""Campaigns ready to run: the paper's, and ours, as spec files.

`sgdyson new NAME --like rbm_batch` copies one, `--like linear_scaling/mlp` one of a folder.
"""

from importlib.resources import files


def names() -> list[str]:
    """All of them, in the order of the alphabet."""
    root = files(__name__)
    folders = [("", root), *((f"{part.name}/", part) for part in root.iterdir() if part.is_dir())]
    return sorted(
        prefix + part.name[:-5]
        for prefix, folder in folders
        for part in folder.iterdir()
        if part.name.endswith(".toml")
    )


def text(name: str) -> str:
    """The spec file of one."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
