"""A notebook in a kernel of its own, and every message that it sends."""

from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbclient import NotebookClient


class _Listening(NotebookClient):
    """Keeps the messages, of which the notebook itself holds only what is left at the end."""

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        self.heard.append(msg)
        return super().process_message(msg, cell, cell_index)


@dataclass
class Notebook:
    """What was run, cell by cell."""

    outputs: list[list[Any]]
    messages: list[Any] = field(repr=False)

    def data(self, cell: int) -> dict[str, str]:
        """What the value of the last line of a cell is shown as."""
        (result,) = (o for o in self.outputs[cell] if o["output_type"] == "execute_result")
        return result["data"]

    def updates(self) -> list[dict[str, str]]:
        """Every state of displays that change in place."""
        kinds = {"display_data", "update_display_data"}
        return [m["content"]["data"] for m in self.messages if m["msg_type"] in kinds]


def run_cells(*cells: str) -> Notebook:
    """Run cells, top to bottom; an exception in one of them is raised here."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = _Listening(notebook, timeout=120, kernel_name="python3")
    client.heard = []
    client.execute()
    return Notebook([cell["outputs"] for cell in notebook["cells"]], client.heard)
