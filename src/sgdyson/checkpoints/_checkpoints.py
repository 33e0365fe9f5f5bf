"""Checkpoints: one, one in several shards, or a series along time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .._input_files import open_regular
from .._stored import Stored
from ..errors import InvalidInputError, require
from ..spectra import Skipped, is_optimiser_state
from ._adapted import adapted
from ._cache import located
from ._folders import Listing, list_folder, require_any
from ._quantised import unquantised
from ._readers import facts_in, marker_in, reader_of, sorts_names
from ._shards import Index, Unit, read_json
from ._steps import steps_of

_MOST = 20  # in a sentence
_WORDS = re.compile(r"(\D*)(\d*)")


@dataclass(frozen=True)
class Checkpoint:
    """Weights at one time.

    Attributes:
        step: from inside the file, or from its name; None for a single checkpoint, and where
            neither tells.
        files: all its shards.
        label: name of the file or folder, without ending.
        missing: names of shards that are not there.
        index: names of arrays, each with that of its shard, where an index beside them says so.
        base: the model that an adapter changes, where it is asked for.
    """

    step: int | None
    files: tuple[Path, ...] = field(repr=False)
    label: str = ""
    missing: tuple[str, ...] = field(default=(), repr=False)
    index: Index = field(default=(), repr=False)
    base: Checkpoint | None = field(default=None, repr=False)

    def place(self, name: str) -> list[tuple[str, int]]:
        """Key of an array's place: block 9 before block 10, in files whose writers sort as text."""
        if not sorts_names(self.files[0]):
            return []  # as they come
        return natural(name)

    @contextmanager
    def open(self) -> Iterator[list[Stored]]:
        """What its shards hold, by their headers; what is no weights has the reason.

        Factors of an adapter come as their product, or added to its base.

        Raises:
            InvalidInputError: not one of the files can be read.
        """
        with ExitStack() as stack:
            elsewhere = [array for array, file in self.index if file in self.missing]
            arrays = _weights(_of_shards(self.files, self.index, stack), elsewhere)
            base = stack.enter_context(self.base.open()) if self.base else None
            yield list(adapted(arrays, self.files, base))

    def holds_adapter(self) -> bool:
        """Whether there are factors of an adapter among its arrays, by their headers."""
        with self.open() as stored:
            return any(item.factors is not None for item in stored)

    def arrays(self) -> Iterator[tuple[str, np.ndarray] | Skipped]:
        """Names and arrays, one shard after the other; what is not read comes as `Skipped`.

        Nothing is unpickled but plain tensors. Codes of quantised weights come multiplied by their
        scales.

        Raises:
            InvalidInputError: nothing that can be read.
        """
        with self.open() as stored:
            skipped = []
            for item in stored:
                array = loaded(item)
                if isinstance(array, Skipped):
                    skipped.append(array)
                yield array
            require(
                len(skipped) < len(stored) or not stored,
                f"{', '.join(map(str, self.files))}: nothing was read:"
                f" {'; '.join(f'{s.name}: {s.reason}' for s in skipped[:_MOST])}.",
            )


@dataclass
class Series:
    """The checkpoints at a path.

    Attributes:
        checkpoints: in the order of their steps.
        left_out: files that are none.
        notes: where steps are from, one phrase each.
    """

    checkpoints: list[Checkpoint]
    left_out: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def checkpoints(path: Path | str, base: Path | str | None = None) -> list[Checkpoint]:
    """The checkpoints at a path, in the order of their steps.

    Args:
        path: a file of safetensors, NumPy, PyTorch (TorchScript too), Keras, HDF5, ONNX, Flax or
            GGUF, by its ending; a folder with the shards of one checkpoint
            (`-00001-of-00003`), of Orbax, or of PyTorch's distributed checkpoints; a folder of
            such files or folders, a series; or `hf:ORG/NAME`, a model in the local cache of
            Hugging Face. The step is `global_step` or `epoch` inside the files (Lightning,
            Transformers), or the one number with a name (`step`, `epoch`, `checkpoint`) that
            varies.
        base: the model that adapters there belong to: their arrays are then $W_0 + s B A$.

    Raises:
        InvalidInputError: nothing there that can be read.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for step in (10, 2):
        ...         np.savez(Path(folder, f"step{step}.npz"), w=np.ones((3, 2)))
        ...     [(each.step, each.label) for each in checkpoints(folder)]
        [(2, 'step2'), (10, 'step10')]
    """
    return series_at(path, base).checkpoints


def only_checkpoint(path: Path | str, base: Path | str | None = None) -> Checkpoint:
    """The one checkpoint at a path.

    Raises:
        InvalidInputError: nothing there that can be read, or several.
    """
    series = series_at(path, base).checkpoints
    labels = ", ".join(each.label for each in series[:_MOST])
    require(
        len(series) == 1,
        f"{path} holds {len(series)} checkpoints ({labels}); give one of them.",
    )
    return series[0]


def series_at(path: Path | str, base: Path | str | None = None) -> Series:
    """The same, with what was left out and where the steps are from, each on its base."""
    series = _series_at(located(path))
    if base is not None:
        model = only_checkpoint(base)
        series.checkpoints = [replace(each, base=model) for each in series.checkpoints]
    return series


def _series_at(path: Path) -> Series:
    # Path.is_dir() raises for a name that is too long
    if not os.path.isdir(path):  # noqa: PTH112
        require(
            os.path.lexists(path),
            f"{path} does not exist; give a checkpoint or a folder of them.",
        )
        reader_of(path)
        open_regular(path).close()
        return Series([Checkpoint(None, (path,), path.stem)], notes=list(_alone(path)))
    if marker_in(path):
        return Series([Checkpoint(None, (path,), path.name)])
    listing = list_folder(path)
    require_any(listing, path)
    return _in_order(listing)


def _alone(path: Path) -> Iterator[str]:
    shard = re.search(r"-(\d+)-of-(\d+)$", path.stem)
    if shard:
        yield f"this is one of {int(shard[2])} shards; give their folder for all of them"


def _in_order(listing: Listing) -> Series:
    units = sorted(listing.units, key=lambda unit: natural(unit.label))
    several = len(units) > 1
    facts = [_facts(unit) if several else {} for unit in units]
    steps, notes = steps_of([unit.label for unit in units], facts)
    series = [
        Checkpoint(step, unit.files, unit.label, unit.missing, unit.index)
        for step, unit in zip(steps, units, strict=True)
    ]
    series.sort(key=lambda c: (c.step is None, c.step or 0))
    return Series(series, listing.left_out, notes)


def natural(text: str) -> list[tuple[str, int]]:
    """Key by which 9 comes before 10."""
    # of more digits than 18, as a foreign file may hold, the rest tells nothing; Python makes no
    # number of thousands of them
    return [(words, int(number[:18] or -1)) for words, number in _WORDS.findall(text)]


def _facts(unit: Unit) -> dict[str, int]:
    """Whole numbers that tell the step, in the trainer's own file or beside the weights."""
    state = read_json(unit.files[0].parent / "trainer_state.json")
    step = state.get("global_step") if isinstance(state, dict) else None
    if type(step) is int:
        return {"global_step": step}
    return dict(facts_in(unit.files[0]))


def _of_shards(files: Sequence[Path], index: Index, stack: ExitStack) -> Iterator[Stored]:
    """Arrays of all shards; one that cannot be read is named, unless it is the only one.

    So are arrays that the index places in a shard, and that none has.
    """
    known: dict[str, bool] = {}  # whether one of this name can be read
    opened = set[str]()
    for path in files:
        try:
            contents = stack.enter_context(reader_of(path)(path))
        except (InvalidInputError, OSError) as error:
            if len(files) == 1:
                raise InvalidInputError(str(error)) from error
            yield Stored(path.name, "", (), reason=str(error).rstrip("."))
            continue
        opened.add(path.name)
        for array in contents.arrays:
            if array.name in known:
                again = f"a second array of this name, in {path.name}"
                reason = array.reason or (again if known[array.name] else None)
                array = replace(array, name=f"{array.name} ({path.name})", reason=reason)
            known[array.name] = known.get(array.name, False) or array.reason is None
            yield array
    for name, file in index:
        if name not in known and file in opened:
            yield Stored(name, "", (), reason="named by the index, and in no shard")


def _weights(arrays: Iterable[Stored], elsewhere: Iterable[str]) -> Iterator[Stored]:
    """What is weights; state of the optimiser, and the same numbers once more, with the reason."""
    arrays = list(arrays)
    names, owners = {array.name for array in arrays}, dict[tuple[object, ...], str]()
    sorted_out = []
    for array in arrays:
        if array.reason is None and is_optimiser_state(array.name, names):
            array = replace(array, reason="state of the optimiser")
        if array.reason is None and array.share is not None:
            owner = owners.setdefault(array.share, array.name)
            array = replace(array, reason=None if owner == array.name else f"tied to {owner}")
        sorted_out.append(array)
    yield from unquantised(sorted_out, elsewhere)


def loaded(item: Stored, *, as_stored: bool = False) -> tuple[str, np.ndarray] | Skipped:
    """An array with its name, or why it is not read."""
    try:
        return item.name, item.load(as_stored=as_stored)
    except InvalidInputError as error:
        return Skipped(item.name, str(error))
