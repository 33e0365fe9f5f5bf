"""The gallery: every notebook of `examples/` as a page, with the outputs that stand in its file.

Nothing runs here; `python examples/run.py` runs notebooks, and a test holds that they do.
"""

import base64
import html
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDER = (
    "paper", "own_kernel", "own_network", "own_spectrum", "dyson_gas", "watch_pytorch",
    "dyson_test", "checkpoint", "campaign_on_dask",
)  # fmt: skip
PICTURES = {"image/png": "png", "image/gif": "gif"}


class Page:
    """One notebook: its text in Markdown, its pictures by file name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pictures: dict[str, bytes] = {}
        notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
        first = notebook.cells[0].source.splitlines()
        self.title = first[0].removeprefix("# ")
        self.question = next(line for line in first[1:] if line.strip())
        self.text = "\n\n".join(part for cell in notebook.cells for part in self._cell(cell))

    def _cell(self, cell: Any) -> list[str]:
        if cell.cell_type == "markdown":
            return [cell.source]
        code = f"```python\n{cell.source}\n```"
        return [code, *(self._output(output) for output in cell.outputs)]

    def _output(self, output: Any) -> str:
        if output.output_type == "stream":
            return f"```text\n{output.text.rstrip()}\n```"
        data = output.data
        for kind, ending in PICTURES.items():
            if kind in data:
                file = f"{self.name}-{len(self.pictures) + 1}.{ending}"
                self.pictures[file] = base64.b64decode(data[kind])
                return f"![{html.escape(self.title)}]({file})"
        if "<table" in data.get("text/html", "") and "<style" not in data["text/html"]:
            return f'<div class="notebook">{data["text/html"]}</div>'
        return f"```text\n{data['text/plain']}\n```"

    def card(self) -> str:
        """Title, question and last picture."""
        films = [file for file in self.pictures if file.endswith(".gif")]
        picture = (films or list(self.pictures))[-1]
        link = f"({self.name}.md)"
        image = f"![{html.escape(self.title)}]({picture})"
        return f"### [{self.title}]{link}\n\n{self.question}\n\n[{image}]{link}"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, their pictures, the overview, and the notebooks themselves."""
    pages = [Page(name) for name in ORDER]
    _add(files, config, "gallery/index.md", _overview(pages))
    for page in pages:
        link = f"[Download this notebook]({page.name}.ipynb)"
        _add(files, config, f"gallery/{page.name}.md", f"{page.text}\n\n{link}\n")
        notebook = (EXAMPLES / f"{page.name}.ipynb").read_bytes()
        _add(files, config, f"gallery/{page.name}.ipynb", notebook)
        for file, content in page.pictures.items():
            _add(files, config, f"gallery/{file}", content)
    return files


def _overview(pages: list[Page]) -> str:
    cards = "\n\n".join(f'<div markdown class="card">\n\n{page.card()}\n\n</div>' for page in pages)
    return (
        "# Gallery\n\nNotebooks, each from a question to a picture. They stand in `examples/` of"
        " the repository, and the tests run them.\n\n"
        f'<div class="gallery" markdown>\n\n{cards}\n\n</div>\n'
    )


def _add(files: Files, config: MkDocsConfig, uri: str, content: str | bytes) -> None:
    files.append(File.generated(config, uri, content=content))
