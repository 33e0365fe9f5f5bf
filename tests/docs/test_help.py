"""What `help()` and Shift-Tab show of public names: short types, sentences, examples that run."""

import ast
import doctest
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sgdyson

ROOT = Path(__file__).parents[2]
SOURCE = Path(sgdyson.__file__).parent
LONGEST = 60
sys.path.insert(0, str(ROOT / "docs" / "ext"))
public_packages, public_names = (
    getattr(importlib.import_module("coverage_check"), name)
    for name in ("public_packages", "public_names")
)


def public() -> dict[str, Any]:
    """Every public thing by its name with that of its package."""
    return {
        f"{package}.{name}": getattr(importlib.import_module(package), name)
        for package in public_packages()
        for name in public_names(package)
    }


def callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    for label, thing in public().items():
        if callable(thing):
            yield label, thing
        if inspect.isclass(thing):
            for name, member in vars(thing).items():
                plain = getattr(member, "__func__", getattr(member, "fget", member))
                if not name.startswith("_") and callable(plain):
                    yield f"{label}.{name}", plain


def annotations(function: Callable[..., Any]) -> Iterator[str]:
    """As `help()` shows them, less the quotes of those that are not evaluated."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a class of another library, written in C
        return
    for parameter in signature.parameters.values():
        yield inspect.formatannotation(parameter.annotation).strip("'\"")
    yield inspect.formatannotation(signature.return_annotation).strip("'\"")


EXAMPLES = sorted(
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    for path in SOURCE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", EXAMPLES)
def test_the_examples_of_docstrings_run(module: str) -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in finder.find(importlib.import_module(module), module):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_what_is_used_most_has_an_example() -> None:
    """Names that README, pages and examples use at least twice; of a registry, its entries have."""
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/tutorials/*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    fences = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
    code = "\n".join(body for language, body in fences.findall(text) if language == "python")
    code += "\n".join(re.findall(r"`([^`\n]+)`", fences.sub("", text)))
    code = re.sub(r"--out \w+", "", code)  # a folder's name is a word
    used = {
        label: thing
        for label, thing in public().items()
        if callable(thing)
        if len(re.findall(rf"\b{label.rpartition('.')[2]}\b", code)) >= 2
        # whose names are those of commands and of words
        if not {"figures", "phase_diagram"} & set(label.split("."))
    }
    assert len(used) >= 35
    assert [label for label in used if ">>> " not in (inspect.getdoc(used[label]) or "")] == []


def test_no_type_unfolds() -> None:
    """An alias of a long union is given a name, in `sgdyson._types` or by postponed evaluation."""
    every = [
        (label, text)
        for label, function in callables()
        if label != "sgdyson.campaign.Setting"  # whose signature is written by pydantic
        for text in annotations(function)
    ]
    assert len(every) > 1000
    assert [(label, text) for label, text in every if len(text) > LONGEST] == []


def test_array_like_is_shown_by_name() -> None:
    from sgdyson.stats import wigner_test

    assert str(inspect.signature(wigner_test)).startswith("(spacings: ArrayLike")


def test_docstrings_stand_alone() -> None:
    """A stranger reads one without the line above it."""
    fragments = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                text = ast.get_docstring(node) or ""
                if re.match(r"(Of|Likewise|See `)", text) or re.search(r"\blikewise\b", text):
                    fragments.append(f"{path.name}: {text.splitlines()[0]}")
    assert fragments == []
