"""The figures of a reproduction, by name, each with the checks it shows."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...analysis import Check, MeasuredRun
from ...errors import require
from ...figures import Figure
from ...models import TeacherStudent
from . import _checks as checks
from . import figures
from ._data import AnyRun, Results, most_common


class Entry(NamedTuple):
    """A figure: how it is drawn, and what it shows to be true."""

    draw: Callable[[Results[Any]], Figure]
    check: Callable[[Results[Any]], list[Check]]


def _nothing(results: Results[Any]) -> list[Check]:
    return []


def _noisy(
    planned: Sequence[AnyRun], measured: Sequence[MeasuredRun]
) -> list[tuple[float, MeasuredRun]]:
    """Label noise, and the run."""
    pairs = []
    for run, measured_run in zip(planned, measured, strict=True):
        assert isinstance(run.model, TeacherStudent)
        pairs.append((float(run.model.label_noise), measured_run))
    return pairs


def _teacher_levels(results: Results[Any]) -> Figure:
    pairs = _noisy(results.group("quenched"), results.quenched)
    require(len(pairs) > 0, "this figure shows a TeacherStudent with quenched data; give its run.")
    rate = most_common([run.learning_rate for _, run in pairs])
    batch = most_common([run.batch_size for _, run in pairs])
    main = [
        (noise, run) for noise, run in pairs if (run.learning_rate, run.batch_size) == (rate, batch)
    ]
    return figures.teacher_levels(sorted(main, key=lambda pair: pair[0]))


def _teacher_scaling(results: Results[Any]) -> Figure:
    return figures.teacher_scaling(
        _noisy(results.group("quenched"), results.quenched),
        _noisy(results.group("online"), results.online),
    )


_VARIED = ("noise", "alpha", "|B|")


def _families(results: Results[Any]) -> list[tuple[str, list[tuple[str, MeasuredRun]]]]:
    """Runs on fresh data in which one of noise, alpha and |B| is varied around the others."""
    pairs = _noisy(results.group("online"), results.online)
    require(len(pairs) > 0, "this figure shows a TeacherStudent with fresh data; give its runs.")
    values = {name: [_setting(noise, run)[name] for noise, run in pairs] for name in _VARIED}
    around = {name: most_common(values[name]) for name in _VARIED}
    families = []
    for name in _VARIED:
        others = [other for other in _VARIED if other != name]
        chosen = [
            place for place in range(len(pairs))
            if all(values[other][place] == around[other] for other in others)
        ]  # fmt: skip
        chosen.sort(key=values[name].__getitem__)
        families.append((name, [(f"{values[name][place]:g}", pairs[place][1]) for place in chosen]))
    return families


def _setting(noise: float, run: MeasuredRun) -> dict[str, float]:
    return {"noise": noise, "alpha": run.learning_rate, "|B|": run.batch_size}


def _rates(results: Results[Any]) -> list[tuple[str, MeasuredRun]]:
    """Runs of the RBM at the |B| of most, by their alpha."""
    batch = most_common([run.batch_size for run in results.rbm])
    of_batch = (run for run in results.rbm if run.batch_size == batch)
    chosen = sorted(of_batch, key=lambda run: run.ratio)
    return [(f"{run.learning_rate:g}", run) for run in chosen]


def _semicircle(results: Results[Any]) -> Figure:
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
