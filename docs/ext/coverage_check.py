"""Does every public name have a docstring and a place in the built API reference?

So must what a public class inherits from one of ours that has no place there.

Public is what the `__init__.py` of a public package re-exports as `from ._x import Y as Y`. Run
after `mkdocs build`, as `python docs/ext/coverage_check.py [SITE]`; exits with 1 and a list
otherwise.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

ROOT = "sgdyson"
_FOR_FRAMEWORKS = ("Guarded",)  # its methods are called by Lightning and Transformers alone


def public_packages() -> Iterator[str]:
    """The root and every package below it without an underscore."""
    root = importlib.import_module(ROOT)
    yield ROOT
    for found in pkgutil.walk_packages(root.__path__, f"{ROOT}."):
        if found.ispkg and "._" not in found.name:
            yield found.name


def public_names(package: str) -> list[str]:
    """Names re-exported explicitly by a package."""
    module = importlib.import_module(package)
    tree = ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = [a.name for node in imports for a in node.names if a.asname == a.name]
    return [name for name in names if not name.startswith("_")]  # such as the version


def documented(site: Path) -> set[str]:
    """Names in the inventory of a built site."""
    body = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split()[0] for line in zlib.decompress(body).decode().splitlines()}


def problems(site: Path) -> list[str]:
    """One line for each public name that is undocumented."""
    listed = documented(site)
    found = []
    for package in public_packages():
        module = importlib.import_module(package)
        for name in public_names(package):
            value = getattr(module, name)
            home = f"{getattr(value, '__module__', package)}.{name}"
            if not (value.__doc__ or "").strip():
                found.append(f"{package}.{name} has no docstring")
            if not {f"{package}.{name}", home} & listed:
                found.append(f"{package}.{name} is missing from docs/reference")
            elif inspect.isclass(value):
                found += [
                    f"{package}.{name}.{member} is missing from docs/reference: inherited_members"
                    for member, owner in inherited(value)
                    if not any(f"{place}.{member}" in listed for place in (home, owner))
                    and f"{package}.{name}.{member}" not in listed
                ]
    return found


def inherited(cls: type) -> Iterator[tuple[str, str]]:
    """Documented methods and properties that a class has from another of ours, and its name."""
    for member in (name for name in dir(cls) if not name.startswith("_")):
        home = next(each for each in cls.__mro__ if member in vars(each))
        value = vars(home)[member]
        if home is cls or not home.__module__.startswith(ROOT) or home.__name__ in _FOR_FRAMEWORKS:
            continue
        if (callable(value) or isinstance(value, property)) and (value.__doc__ or "").strip():
            yield member, f"{home.__module__}.{home.__name__}"


def main() -> int:
    """Print what is missing, or how much was found."""
    found = problems(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        total = sum(len(public_names(package)) for package in public_packages())
        print(f"API reference: all {total} public names are documented")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
