"""Run the notebooks of this folder, in place, as they stand in the gallery of the documentation.

    python examples/run.py [NAME ...]

Each runs in a fresh kernel and in an empty folder. What changes from day to day is left out of the
file: times, and displays that are empty in the end, such as progress bars.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
TIMEOUT = 300


def notebooks() -> list[Path]:
    """All of them, by name."""
    return sorted(HERE.glob("*.ipynb"))


def executed(path: Path) -> Any:
    """The notebook with fresh outputs; an exception in a cell is raised here."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=TIMEOUT, kernel_name="python3",
            resources={"metadata": {"path": folder}},
        ).execute()  # fmt: skip
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_empty(output)]
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python",
                                        "name": "python3"}}  # fmt: skip
    return notebook


def _is_empty(output: Any) -> bool:
    return output.output_type == "display_data" and not any(output.data.values())


if __name__ == "__main__":
    chosen = [HERE / f"{name}.ipynb" for name in sys.argv[1:]] or notebooks()
    for path in chosen:
        nbformat.write(executed(path), path)
