"""How accurate can a model become that learns with noise, and is noise ever good for it?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..._attributes import json_text
from ..._files import write_text
from ...analysis import Check, CheckTable
from ...stats import Estimate
from .._study import claim_study, save_figures, write_results
from ._figure import accuracy_figure
from ._floors import Floor, machine_floors, network_floors, student_floors
from ._generalisation import Generalised, machine_generalises, student_generalises
from ._samples_seen import Curve, machine_curves, student_curves

Say = Callable[[str], None]
Parts = dict[str, list[Any]]
_KINDS = {"floors": Floor, "curves": Curve, "generalisation": Generalised}
_MOST = 0.05  # of a floor that theory may be off by


def study_accuracy(out: Path, seed: int, say: Say, *, quick: bool = False) -> CheckTable:
    """Measure the floors under the errors of three models, and how well two of them generalise.

    `results.json`, `figures` and `parts` are written.

    Args:
        out: folder, made if need be; what is finished in it is not run again.
        seed: of all runs.
        say: is told what goes on.
        quick: few replicas, to look at.

    Returns:
        Checks of the floors, of the student's way to them, and of over-fitting without noise.

    Raises:
        InvalidInputError: a folder with other contents, scikit-learn missing.
    """
    out = claim_study(out, "accuracy", seed, quick)
    parts = {name: _kept(out, name, work, say) for name, work in _work(quick, seed).items()}
    checks = [*_floor_checks(parts), *_curve_checks(parts), *_overfitting_checks(parts)]
    save_figures([accuracy_figure(parts)], out)
    write_results(out, "accuracy", seed, checks, best=_best(parts), parts=_plain(parts))
    return CheckTable(checks)


def _work(quick: bool, seed: int) -> dict[str, Callable[[], list[Any]]]:
    """Sizes of all parts: some minutes on two cores, or some seconds each."""
    few = 8 if quick else 1
    return {
        "machine floors": lambda: machine_floors(256 // few, 2000 // few, seed),
        "student floors": lambda: student_floors(1024 // few, 400, seed),
        "network floors": lambda: network_floors(8 // min(few, 2), 3000 // few, seed),
        "student curves": lambda: student_curves(512 // few, 2000 // few, seed),
        "machine curves": lambda: machine_curves(256 // few, 4000 // few, seed),
        "machine generalisation": lambda: machine_generalises(
            (32, 128, 512), 16 // min(few, 4), 256 // few, 800 // min(few, 4), seed
        ),
        "student generalisation": lambda: student_generalises(
            (32, 128, 512), 2048 // few, 80 // min(few, 2), seed
        ),
    }


def _kept(out: Path, name: str, work: Callable[[], list[Any]], say: Say) -> list[Any]:
    """The numbers of a part: read if it is finished, otherwise made and written."""
    path = out / "parts" / f"{name.replace(' ', '-')}.json"
    if not path.exists():
        say(name)
        path.parent.mkdir(exist_ok=True)
        write_text(path, json_text([_plain(each) for each in work()], indent=1) + "\n")
    kind = _KINDS[name.split()[1]]
    return [kind(**{key: _back(key, value) for key, value in each.items()})
            for each in json.loads(path.read_text(encoding="utf-8"))]  # fmt: skip


def _plain(value: Any) -> Any:
    """As JSON has it; NaN is null."""
    if isinstance(value, Estimate):
        return value.to_dict()
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return value.item() if isinstance(value, np.integer) else value


def _back(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Estimate(**value)
    if isinstance(value, list):
        parts = [_back(key, entry) for entry in value]
        return np.array(parts) if key in ("samples", "predicted") else parts
    return np.nan if value is None and key in ("predicted", "leading", "overfit") else value


def _floor_checks(parts: Parts) -> list[Check]:
    return [
        Check(f"{model} floor alpha{f.learning_rate:g}_batch{f.batch_size:g}", "accuracy", quantity,
              {"learning_rate": f.learning_rate, "batch_size": f.batch_size}, f.measured,
              # a theory that may be further off than this would pass whatever is measured
              f.predicted, min(f.theory_error, _MOST * f.predicted))
        for model, quantity in (("machine", "<KL> in nats"), ("student", "<|W - W_t|^2>"))
        for f in parts[f"{model} floors"]
    ]  # fmt: skip


def _curve_checks(parts: Parts) -> list[Check]:
    """The student's error half way and at the end; both rates and schedule are exact."""
    return [
        Check(f"student {curve.name}, {curve.samples[place]:g} samples", "accuracy",
              "<|W - W_t|^2>", {"samples": float(curve.samples[place])}, curve.error[place],
              float(curve.predicted[place]))
        for curve in parts["student curves"] for place in (len(curve.error) // 2, -1)
    ]  # fmt: skip


def _overfitting_checks(parts: Parts) -> list[Check]:
    return [
        Check(f"{model} without noise, D = {each.samples}", "accuracy", quantity,
              {"samples": each.samples}, each.error[0], each.overfit)
        for model, quantity in (("machine", "<KL> in nats"), ("student", "<|W - W_t|^2>"))
        for each in parts[f"{model} generalisation"]
    ]  # fmt: skip


def _best(parts: Parts) -> dict[str, dict[str, float]]:
    """For each model and D the alpha/|B| of the least error; zero is learning without noise."""
    return {
        model: {
            str(each.samples): each.ratio[int(np.argmin([e.value for e in each.error]))]
            for each in parts[f"{model} generalisation"]
        }
        for model in ("machine", "student")
    }
