"""What lies in a folder: checkpoints, their shards, and files beside them that hold no weights."""

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .._failures import reason_of
from ..errors import InvalidInputError, require
from ..spectra import Skipped
from ._readers import ENDINGS, ending_of, marker_in
from ._shards import MISSING, Unit, grouped, indexed
from ._steps import fields_of

_MODEL = re.compile(
    r"(pytorch_model|model|diffusion_pytorch_model|consolidated|flax_model|tf_model)(\.\w+)?"
)
_ADAPTER = "adapter_model"
_FORMS = ("onnx", "openvino", "coreml", "tflite", "flax", "gguf", "original")  # of the same model
_STATE = re.compile(
    r"(optimizer|optim|scheduler|lr_scheduler|scaler|grad_scaler|rng_state|random_states?"
    r"|training_args|trainer_state)([._-]?\d*)|.*optim_states"
)


@dataclass
class Listing:
    """What a folder holds.

    Attributes:
        units: its checkpoints.
        left_out: files that are none of them.
    """

    units: list[Unit] = field(default_factory=list)
    left_out: list[Skipped] = field(default_factory=list)


def list_folder(folder: Path) -> Listing:
    """Checkpoints that are files of a folder, or folders in it."""
    listing, folders = _files_of(folder)
    below: list[Unit] = []
    whole = any(_is_model(unit) for unit in listing.units)
    for inner in folders:
        if whole and inner.name in _FORMS:
            listing.left_out.append(Skipped(inner.name, "another form of the model beside it"))
            continue
        try:
            inside, _ = _files_of(inner)
        except InvalidInputError as error:
            listing.left_out.append(Skipped(inner.name, str(error)))
            continue
        listing.left_out += (Skipped(f"{inner.name}/{s.name}", s.reason) for s in inside.left_out)
        if len(inside.units) == 1:
            (unit,) = inside.units
            below.append(Unit(inner.name, unit.files, unit.missing, unit.index))
        elif inside.units:
            reason = f"a folder of {len(inside.units)} checkpoints; give it by itself"
            listing.left_out.append(Skipped(inner.name, reason))
    listing.units = [*below, *listing.units]
    return listing


def _files_of(folder: Path) -> tuple[Listing, list[Path]]:
    """The checkpoints among the files of a folder, and the folders in it."""
    listing, folders, files = Listing(), list[Path](), list[Path]()
    for entry in _entries(folder):
        kind = _kind(entry)
        if kind == "folder" and marker_in(entry):
            files.append(entry)
        elif kind == "folder":
            folders.append(entry)
        elif ending_of(entry) not in ENDINGS:
            continue
        elif kind != "file":
            listing.left_out.append(Skipped(entry.name, kind))
        elif _STATE.fullmatch(entry.stem):
            reason = "state of the optimiser or the training, by its name"
            listing.left_out.append(Skipped(entry.name, reason))
        else:
            files.append(entry)
    whole = list(grouped(folder, files))
    known = {path.name for path in files} | {name for unit in whole for name in unit.missing}
    listing.left_out += (Skipped(name, MISSING) for name in indexed(folder) if name not in known)
    units, left_out = _choose(whole)
    listing.units, listing.left_out = units, listing.left_out + left_out
    return listing, [inner for inner in folders if not inner.name.startswith(".")]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be listed: {reason_of(error)}.") from error


def _kind(entry: Path) -> str:
    """Whether an entry is a "file" or a "folder", or the reason why it is not opened."""
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return "a link to nothing" if entry.is_symlink() else f"not there ({reason_of(error)})"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "no regular file; nothing is read from it"


def _choose(units: list[Unit]) -> tuple[list[Unit], list[Skipped]]:
    """One of the forms in which a folder holds its model, and the files that are others."""
    models = sorted((unit for unit in units if _is_model(unit)), key=_order)
    others = [unit for unit in units if not _is_model(unit) and unit.label != _ADAPTER]
    adapters = sorted((unit for unit in units if unit.label == _ADAPTER), key=_order)
    chosen, left_out = _once(others)
    if models and not any(fields_of(unit.label) for unit in chosen):
        left_out += chosen
        chosen = []
    if models or adapters:
        first = (models or adapters)[0]
        files = (*first.files, *(adapters[0].files if models and adapters else ()))
        chosen.append(Unit(first.label, files, first.missing, first.index))
        left_out += [*models[1:], *(adapters[1:] if adapters else ())]
    beside = chosen[-1].files[0].name if chosen else ""
    return chosen, [
        Skipped(path.name, f"beside {beside}: of the forms of one model one is read")
        for unit in left_out
        for path in unit.files
    ]


def _is_model(unit: Unit) -> bool:
    return bool(_MODEL.fullmatch(unit.label))


def _order(unit: Unit) -> tuple[bool, bool, bool, bool]:
    """Whole ones first, safetensors before pickles, shards before what was put together of them."""
    return (
        bool(unit.missing), unit.files[0].suffix != ".safetensors",
        unit.label.startswith("consolidated"), "." in unit.label,
    )  # fmt: skip


def _once(units: list[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Units of different names; of those with the same, the safetensors."""
    by_label: dict[str, list[Unit]] = {}
    for unit in units:
        by_label.setdefault(unit.label, []).append(unit)
    for same in by_label.values():
        same.sort(key=_order)
    return [same[0] for same in by_label.values()], [
        u for same in by_label.values() for u in same[1:]
    ]


def require_any(listing: Listing, folder: Path) -> None:
    """Refuse a folder without checkpoints, with what was left out."""
    reasons = "".join(f"; {left.name}: {left.reason}" for left in listing.left_out)
    require(
        bool(listing.units),
        f"{folder} holds no weights; give a folder with one of {', '.join(ENDINGS)}{reasons}.",
    )
