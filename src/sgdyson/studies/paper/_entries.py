"""The figures of a reproduction, by name, each with the checks it shows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...analysis import Check, MeasuredRun
from ...errors import require
from ...figures import Figure
from ...models import TeacherStudent
from . import _checks as checks
from . import figures
from ._data import Results
from ._presets import Run


class Entry(NamedTuple):
    """A figure: how it is drawn, and what it shows to be true."""

    draw: Callable[[Results], Figure]
    check: Callable[[Results], list[Check]]


def _nothing(results: Results) -> list[Check]:
    return []


def _noisy(
    planned: Sequence[Run], measured: Sequence[MeasuredRun]
) -> list[tuple[float, MeasuredRun]]:
    """Label noise, and the run."""
    pairs = []
    for run, measured_run in zip(planned, measured, strict=True):
        assert isinstance(run.model, TeacherStudent)
        pairs.append((float(run.model.noise), measured_run))
    return pairs


def _teacher_levels(results: Results) -> Figure:
    pairs = _noisy(results.group("quenched"), results.quenched)
    main = [
        (noise, run) for noise, run in pairs if (run.learning_rate, run.batch_size) == (0.1, 16)
    ]
    return figures.teacher_levels(sorted(main, key=lambda pair: pair[0]))


def _teacher_scaling(results: Results) -> Figure:
    return figures.teacher_scaling(
        _noisy(results.group("quenched"), results.quenched),
        _noisy(results.group("online"), results.online),
    )


_AROUND = {"noise": 0.1, "alpha": 0.1, "|B|": 16}


def _families(results: Results) -> list[tuple[str, list[tuple[str, MeasuredRun]]]]:
    """Runs on fresh data in which one of noise, alpha and |B| is varied around 0.1, 0.1 and 16."""
    pairs = _noisy(results.group("online"), results.online)
    values = {name: [_setting(noise, run)[name] for noise, run in pairs] for name in _AROUND}
    families = []
    for name in _AROUND:
        others = [other for other in _AROUND if other != name]
        chosen = [
            place for place in range(len(pairs))
            if all(values[other][place] == _AROUND[other] for other in others)
        ]  # fmt: skip
        chosen.sort(key=values[name].__getitem__)
        families.append((name, [(f"{values[name][place]:g}", pairs[place][1]) for place in chosen]))
    return families


def _setting(noise: float, run: MeasuredRun) -> dict[str, float]:
    return {"noise": noise, "alpha": run.learning_rate, "|B|": run.batch_size}


def _rates(results: Results) -> list[tuple[str, MeasuredRun]]:
    """Runs of the RBM at |B| = 16 by their alpha."""
    chosen = sorted((run for run in results.rbm if run.batch_size == 16), key=lambda run: run.ratio)
    return [(f"{run.learning_rate:g}", run) for run in chosen]


def _semicircle(results: Results) -> Figure:
    return figures.semicircle(
        [
            (
                semicircle.levels,
                float(semicircle.prediction.levels[0]),
                float(semicircle.prediction.width[0]),
            )
            for semicircle in results.semicircles
        ]
    )


FIGURES = {
    "rbm_sketch": Entry(
        lambda r: figures.rbm_sketch(r.model.n_visible, r.model.n_hidden), _nothing
    ),
    "target_spectrum": Entry(
        lambda r: figures.target_spectrum(r.model.target_modes, r.model.rbm_mass), _nothing
    ),
    "learnt_levels": Entry(lambda r: figures.learnt_levels(r.reference), _nothing),
    "wigner": Entry(lambda r: figures.wigner(r.reference), checks.wigner_checks),
    "densities": Entry(lambda r: figures.densities(r.reference), checks.density_checks),
    "scaling": Entry(
        lambda r: figures.scaling(r.rbm, r.rbm_scaling, r.model),
        lambda r: checks.spacing_checks(r) + checks.slope_checks(r),
    ),
    "rbm_collapse": Entry(lambda r: figures.rbm_collapse(_rates(r)), checks.collapse_checks),
    "teacher_levels": Entry(_teacher_levels, _nothing),
    "teacher_wigner": Entry(
        lambda r: figures.teacher_wigner(_families(r)), checks.teacher_surmise_checks
    ),
    "teacher_densities": Entry(
        lambda r: figures.teacher_densities(_families(r)), checks.teacher_density_checks
    ),
    "teacher_scaling": Entry(_teacher_scaling, checks.teacher_checks),
    "drift": Entry(lambda r: figures.drift(r.rbm, r.model.rbm_mass, r.model), checks.drift_checks),
    "semicircle": Entry(_semicircle, checks.semicircle_checks),
    "coulomb_force": Entry(lambda r: figures.coulomb_force(r.forces), checks.force_checks),
    "threefold": Entry(lambda r: figures.threefold(r.threefold), checks.threefold_checks),
}


def chosen_figures(only: Sequence[str]) -> dict[str, Entry]:
    """The figures of these names, in the order of the paper; all of them for none."""
    unknown = [name for name in only if name not in FIGURES]
    require(
        not unknown,
        f"--only {' '.join(unknown)} is no figure; choose among {', '.join(FIGURES)}.",
    )
    return {name: entry for name, entry in FIGURES.items() if not only or name in only}
