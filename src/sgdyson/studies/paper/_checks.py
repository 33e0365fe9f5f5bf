"""The checks: each number of the paper, and ours, against its prediction."""

from typing import Any

import numpy as np

from ...analysis import Check, ComparedMultiplet, MeasuredForce, MeasuredRun
from ...models import TeacherStudent, quenched_mean_spacing
from ...stats import Estimate, jackknife_of_means
from ._data import Multiplicity, Results

MOST = 0.03  # of a number: theory that could be further off has no check
MOST_SINGLE = 0.05  # of the width of a single mode at |B| = 4, the strongest noise of the paper


def wigner_checks(results: Results[Any]) -> list[Check]:
    """Shape of the spacing law of each pair: <s^2> = 4/pi, where 3 pi/8 is 7 % less (beta = 2)."""
    return [
        _check(
            run,
            multiplet,
            "wigner",
            "<s^2> of the unit spacing",
            multiplet.pair.second_moment,
            4 / np.pi,
        )
        for run in (results.reference, results.gentlest)
        for multiplet in run.pairs
        if multiplet.pair
    ]


def density_checks(results: Results[Any]) -> list[Check]:
    """Fitted widths of every mode and run against sigma of the predicted law, order 1."""
    return [
        _check(
            run, multiplet, "densities", "sigma fitted", multiplet.width, multiplet.predicted_width
        )
        for run in results.rbm
        for multiplet in run.multiplets
        if multiplet.fit
    ]


def spacing_checks(results: Results[Any]) -> list[Check]:
    """<S> of every pair and run against the predicted law, order 1."""
    return [
        _check(run, multiplet, "scaling", "<S>", multiplet.pair.mean, multiplet.predicted_spacing)
        for run in results.rbm
        for multiplet in run.pairs
        if multiplet.pair
    ]


def slope_checks(results: Results[Any]) -> list[Check]:
    """The slope of the linear scaling rule as alpha/|B| vanishes: sqrt(2 pi), for each mode."""
    return [
        Check(
            name=f"scaling slope kappa={multiplet.target_mode:.3f}",
            figure="scaling",
            quantity="slope of <S> at small alpha/|B|",
            setting={"kappa": round(multiplet.target_mode, 4), "runs": len(results.rbm)},
            measured=line.intercept,
            predicted=float(np.sqrt(2 * np.pi)),
            # a line through the leading order's ratio leaves out the square of its next order
            theory_error=float(np.sqrt(2 * np.pi))
            * min(_leading_error(results.gentlest, multiplet) ** 2, MOST),
        )
        for multiplet, line in zip(results.gentlest.pairs, results.rbm_scaling.limit, strict=True)
    ]


def drift_checks(results: Results[Any]) -> list[Check]:
    """Mean lambda/kappa of every mode and run against the predicted law, order 1."""
    mass2 = results.model.rbm_mass**2
    checks = []
    for run in results.rbm:
        for multiplet in run.multiplets:
            kappa = multiplet.target_mode
            measured = multiplet.mean * (-1 / kappa)
            predicted = (mass2 - multiplet.predicted_mean) / kappa
            checks.append(
                Check(
                    name=f"{run.name} lambda/kappa kappa={kappa:.3f}",
                    figure="drift",
                    quantity="mean lambda/kappa",
                    setting=_setting(run) | {"kappa": round(kappa, 4)},
                    measured=Estimate(
                        mass2 / kappa + measured.value, measured.error, measured.effective_size
                    ),
                    predicted=predicted,
                    theory_error=min(multiplet.theory_errors.mean / kappa, MOST * predicted),
                )
            )
    return checks


def collapse_checks(results: Results[Any]) -> list[Check]:
    """Shape of the spacing law of the RBM at every alpha and |B| = 16: <s^2> = 4/pi."""
    return [
        _check(run, pair, "rbm_collapse", "<s^2> at this alpha", pair.pair.second_moment, 4 / np.pi)
        for run in results.rbm
        for pair in run.pairs
        if pair.pair and run.batch_size == 16
    ]


def teacher_surmise_checks(results: Results[Any]) -> list[Check]:
    """Shape of the student's spacing law at every noise, alpha and |B|, fresh data."""
    return [
        _check(run, pair, "teacher_wigner", "<s^2> of the unit spacing", pair.pair.second_moment,
               4 / np.pi)
        for run in results.online
        for pair in run.pairs
        if pair.pair
    ]  # fmt: skip


def teacher_density_checks(results: Results[Any]) -> list[Check]:
    """Fitted width of the student's pair density, fresh data."""
    return [
        _check(run, pair, "teacher_densities", "sigma fitted", pair.width, pair.predicted_width)
        for run in results.online
        for pair in run.pairs
        if pair.fit
    ]


def teacher_checks(results: Results[Any]) -> list[Check]:
    """<S> of the teacher-student model, fresh and quenched data."""
    checks = []
    for run in results.online:
        (multiplet,) = run.pairs
        assert multiplet.pair
        checks.append(_check(run, multiplet, "teacher_scaling", "<S>", multiplet.pair.mean,
                             multiplet.predicted_spacing))  # fmt: skip
    for planned, run in zip(results.group("quenched"), results.quenched, strict=True):
        (multiplet,) = run.pairs
        assert multiplet.pair
        assert isinstance(planned.model, TeacherStudent)
        checks.append(
            Check(
                name=f"{run.name} <S>",
                figure="teacher_scaling",
                quantity="<S> given the shared inputs",
                setting=_setting(run),
                measured=multiplet.pair.mean,
                predicted=quenched_mean_spacing(
                    planned.model, planned.learning_rate, planned.batch_size
                ),
            )
        )
    return checks


def semicircle_checks(results: Results[Any]) -> list[Check]:
    """Second and fourth moment of the level density: exact GOE values at every n."""
    return [check for semicircle in results.semicircles for check in _moment_checks(semicircle)]


def _moment_checks(semicircle: Multiplicity) -> list[Check]:
    r"""<tr M^2> = sigma^2 n(n+1)/2; n tr M^4/(tr M^2)^2 = (2n^2 + 5n + 5)/(n+1)^2."""
    n, sigma = semicircle.n, semicircle.prediction.width[0]
    centred = semicircle.levels - semicircle.prediction.levels
    moments = np.stack([(centred**k).sum(axis=2).mean(axis=1) for k in (2, 4)], axis=1)
    second = jackknife_of_means(lambda m: np.sqrt(m[..., 0] / (n * (n + 1) / 2)), moments)
    shape = jackknife_of_means(lambda m: n * m[..., 1] / m[..., 0] ** 2, moments)
    neglected = min(float(semicircle.prediction.next_order[0]), MOST)
    predicted = (2 * n**2 + 5 * n + 5) / (n + 1) ** 2
    setting = {"N": n}
    return [
        Check(f"{semicircle.name} sigma", "semicircle", "sigma from the second moment", setting,
              second, float(sigma), neglected * float(sigma)),
        Check(f"{semicircle.name} shape", "semicircle", "n <tr M^4>/<tr M^2>^2", setting,
              shape, predicted, neglected * predicted),
    ]  # fmt: skip


def threefold_checks(results: Results[Any]) -> list[Check]:
    """Checks of real, complex and quaternion weights: <S>, sigma, <s^2>, and beta by the force.

    A wrong beta is off by 8 % or more in <s^2>, by a factor of two in the force.
    """
    checks = []
    for run, force in results.threefold:
        (multiplet,) = run.pairs
        assert multiplet.pair
        setting = _setting(run) | {"beta": multiplet.pair.beta}
        name = f"threefold beta={multiplet.pair.beta}"
        second = multiplet.pair.surmise.var() + 1
        # the excess kurtosis of a student, of size next_order, is what the surmise leaves out
        checks += [
            _named(f"{name} <S>", setting, "<S>", multiplet.pair.mean, multiplet.predicted_spacing,
                   min(multiplet.next_order, MOST)),
            _named(f"{name} sigma", setting, "sigma fitted", multiplet.width,
                   multiplet.predicted_width, min(multiplet.next_order, MOST)),
            _named(f"{name} surmise", setting, "<s^2> of the unit spacing",
                   multiplet.pair.second_moment, second, min(multiplet.next_order, MOST)),
            _named(f"{name} force", setting, "beta of the force", force.measured_beta,
                   float(multiplet.pair.beta), min(multiplet.next_order, MOST)),
        ]  # fmt: skip
    return checks


def _named(
    name: str,
    setting: dict[str, float],
    quantity: str,
    measured: Estimate,
    predicted: float,
    relative: float,
) -> Check:
    return Check(name, "threefold", quantity, setting, measured, predicted, relative * predicted)


def force_checks(results: Results[Any]) -> list[Check]:
    """Strength of the 1/S force and of the diffusion."""
    return [check for force in results.forces for check in _force_checks(force)]


def _force_checks(force: MeasuredForce) -> list[Check]:
    setting = {"kappa": round(force.mode, 4)}
    name = f"force kappa={force.mode:.3f}"
    neglected = min(force.next_order, MOST) * force.level_diffusion
    return [
        Check(f"{name} repulsion", "coulomb_force", "g^2 from the drift", setting,
              force.measured_level_diffusion, force.level_diffusion, neglected),
        Check(f"{name} diffusion", "coulomb_force", "variance of a step / 4", setting,
              force.measured_diffusion / 4, force.level_diffusion, neglected),
    ]  # fmt: skip


def _leading_error(run: MeasuredRun, multiplet: ComparedMultiplet) -> float:
    return float(run.prediction.leading.next_order[multiplet.indices[0]])


def _setting(run: MeasuredRun) -> dict[str, float]:
    return {"learning_rate": run.learning_rate, "batch_size": run.batch_size}


def _check(
    run: MeasuredRun,
    compared: ComparedMultiplet,
    figure: str,
    quantity: str,
    measured: Estimate,
    predicted: float,
) -> Check:
    """A check with the theory error that the prediction states, as far as it is believed."""
    most = MOST_SINGLE if compared.multiplet.is_single and run.batch_size <= 4 else MOST
    return Check(
        name=f"{run.name} {quantity} kappa={compared.target_mode:.3f}",
        figure=figure,
        quantity=quantity,
        setting=_setting(run) | {"kappa": round(compared.target_mode, 4)},
        measured=measured,
        predicted=predicted,
        theory_error=min(compared.next_order, most) * predicted,
    )
