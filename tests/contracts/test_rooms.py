"""What a room keeps to itself; which rooms may import which is `lint-imports`' to tell."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import sgdyson

ROOT = Path(sgdyson.__file__).parent


def imports(path: Path) -> Iterator[list[str]]:
    """What a file imports of the package: room, then modules and names."""
    own = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = own[: len(own) - node.level + 1] + (node.module or "").split(".")
            for alias in node.names:
                yield [name for name in [*base, alias.name] if name]


def test_a_private_module_is_imported_in_its_own_room_alone():
    taken = [
        f"{path.relative_to(ROOT)} takes {'.'.join(names)}"
        for path in ROOT.rglob("*.py")
        for names in imports(path)
        if names[0] != path.relative_to(ROOT).parts[0]
        and any(name.startswith("_") for name in names[1:-1])
    ]
    assert taken == []


def test_spectra_checkpoints_and_tracked_runs_load_nothing_heavy():
    rooms = ["laws", "stats", "spectra", "figures", "checkpoints", "tracking"]
    script = (
        f"import sys, sgdyson; [getattr(sgdyson, room) for room in {rooms}];"
        "print(sorted(set(sys.argv[1:]) & set(sys.modules)))"
    )
    heavy = ["jax", "equinox", "optax", "pydantic", "dask", "torch", "zarr", "matplotlib", "plotly"]
    command = [sys.executable, "-c", script, *heavy]
    child = subprocess.run(command, capture_output=True, text=True)
    assert child.stdout == "[]\n", child.stderr


def test_every_room_is_reached_from_the_root():
    rooms = [path.parent.name for path in ROOT.glob("*/__init__.py")]
    assert {*rooms, *sgdyson.__all__} <= {*dir(sgdyson)}
    assert {name for name in dir(sgdyson) if name.startswith("_")} == {"__version__"}
    for room in rooms:
        assert getattr(sgdyson, room).__name__ == f"sgdyson.{room}"
