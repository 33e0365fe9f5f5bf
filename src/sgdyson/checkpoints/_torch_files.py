"""Tensors of a PyTorch file: nothing in it is run.

With PyTorch by its own `weights_only`; a TorchScript program, and any zip file where PyTorch is not
installed, by `_torch_archives`. Only the format from before 2020 needs PyTorch.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .._input_files import open_regular, size_of
from .._stored import FACTS, Contents, Stored
from .._zip_files import member_fault, open_zip
from ..errors import InvalidInputError, require
from ._torch_archives import archive_contents
from ._torch_tensors import describe

_PLAIN = ("state_dict", "model_state_dict", "model", "module")
_DEEPEST = 50
_RUNS = frozenset((
    "builtins", "__builtin__", "os", "posix", "nt", "sys", "subprocess", "shutil", "socket",
    "runpy", "importlib", "pty", "ctypes", "code", "commands", "webbrowser", "operator",
))  # fmt: skip


class _Foreign:
    """Stands where an object of another package was stored, of which nothing is brought back."""

    def __new__(cls, *_args: Any, **_fields: Any) -> "_Foreign":
        return object.__new__(cls)

    def __setstate__(self, _state: Any) -> None:
        pass

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@contextmanager
def open_torch(path: Path) -> Iterator[Contents]:
    """The tensors of nested dictionaries and lists, in their order; a fault of one is its reason.

    Raises:
        InvalidInputError: PyTorch is not installed, or does not load the file.
    """
    if _is_archive(path) and (_is_program(path) or find_spec("torch") is None):
        with open_regular(path) as handle, open_zip(path, handle) as archive:
            yield archive_contents(archive, size_of(handle), str(path))
        return
    content = _load(path)
    yield Contents(list(_stored(content)), _facts(content))


def peek_torch(path: Path) -> Mapping[str, int]:
    """The whole numbers beside the tensors of a zip file, which stay on the disk."""
    if find_spec("torch") is None:
        with open_torch(path) as contents:
            return contents.facts
    return _facts(_load(path, mapped=True))


def _is_archive(path: Path) -> bool:
    with open_regular(path) as handle:
        return handle.read(4) == b"PK\x03\x04"


def _is_program(path: Path) -> bool:
    """Whether an archive is of TorchScript: code beside the numbers."""
    with open_regular(path) as handle, open_zip(path, handle) as archive:
        return any(re.search(r"(^|/)code/", name) for name in archive.namelist())


def _facts(content: Any) -> dict[str, int]:
    pairs = content.items() if isinstance(content, dict) else ()
    return {key: value for key, value in pairs if key in FACTS and type(value) is int}


def _load(path: Path, mapped: bool = False) -> Any:
    try:
        import torch
    except ImportError as error:
        raise InvalidInputError(
            f"{path} is a PyTorch file from before 2020; install PyTorch to read it: pip install"
            " torch."
        ) from error
    is_zip = _is_archive(path)
    if is_zip:
        _look_through(path)
    try:
        with warnings.catch_warnings(), _foreign(torch, path) if is_zip else nullcontext():
            warnings.simplefilter("ignore")  # of kinds of tensors that are skipped in any case
            return torch.load(path, "cpu", weights_only=True, mmap=mapped and is_zip)
    except InvalidInputError:
        raise
    except Exception as error:  # of many kinds: a zip, a pickle, a tensor may be wrong
        raise InvalidInputError(f"{path} was not loaded: {_reason(error)}.") from error


def _look_through(path: Path) -> None:
    """Refuse an archive that unpacks to more than it is."""
    with open_regular(path) as handle, open_zip(path, handle) as archive:
        size, infos = size_of(handle), archive.infolist()
        faults = (member_fault(info, size) for info in infos)
        fault = next((fault for fault in faults if fault), None)
        require(fault is None, f"{path} was not loaded: a member is {fault}.")
        require(
            all(info.compress_type == zipfile.ZIP_STORED for info in infos)
            and sum(info.file_size for info in infos) <= size,
            f"{path} was not loaded: its members are compressed or overlap, as PyTorch never"
            " writes them.",
        )


def _foreign(torch: Any, path: Path) -> AbstractContextManager[Any]:
    """Let objects of other packages come back as empty stand-ins, where PyTorch can do that.

    A name by which a program could be run is left as it is, and refused by PyTorch.
    """
    listed = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if listed is None:
        return nullcontext()
    names = [name for name in listed(path) if name.partition(".")[0] not in _RUNS]
    context: AbstractContextManager[Any] = torch.serialization.safe_globals(
        [(_Foreign, name) for name in names]
    )
    return context


def _reason(error: Exception) -> str:
    text = str(error)
    named = re.search(r"GLOBAL ([\w.]+)", text)
    if named:
        return f"it holds {named[1]}, which only a pickle that is run would bring back"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"PyTorch says {type(error).__name__}" + (f" ({lines[0][:200]})" if lines else "")


def _stored(content: Any) -> Iterator[Stored]:
    """Tensors of nested containers; one that stands in two places is met once."""
    known: dict[int, str] = {}
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, _Foreign):
            yield Stored(name or "object", "object", (), reason="an object of another package")
        elif hasattr(value, "is_floating_point") and hasattr(value, "layout"):
            yield describe(name or "tensor", value)
        elif isinstance(value, dict) and {"state", "param_groups"} <= set(value):
            yield Stored(name or "state", "container", (), reason="state of the optimiser")
        elif isinstance(value, dict | list | tuple) and value:
            if id(value) in known or depth > _DEEPEST:
                reason = f"the same as {known[id(value)]}" if id(value) in known else "too deep"
                yield Stored(name, "container", (), reason=reason)
                continue
            known[id(value)] = name or "the whole"
            inside = [(f"{name}.{key}" if name else key, inner, depth + 1)
                      for key, inner in _pairs(name, value)]  # fmt: skip
            waiting += reversed(inside)


def _pairs(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Parts of a container with their keys; the one that is the model adds nothing to names."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    models = [key for key in _PLAIN if isinstance(value, dict) and isinstance(value.get(key), dict)]
    plain = models[0] if len(models) == 1 and not name else None
    yield from (("" if key == plain else str(key), inner) for key, inner in pairs)
