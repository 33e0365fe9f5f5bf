"""Campaigns ready to run: the paper's, and ours, as spec files.

`sgdyson new NAME --like rbm_batch` copies one, `--like linear_scaling/mlp` one of a folder.
"""

from importlib.resources import files


def names() -> list[str]:
    """All of them, in the order of the alphabet."""
    root = files(__name__)
    folders = [
        ("", root),
        *((f"{entry.name}/", entry) for entry in root.iterdir() if entry.is_dir()),
    ]
    return sorted(
        prefix + entry.name[:-5]
        for prefix, folder in folders
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def text(name: str) -> str:
    """The spec file of one."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
