"""Figures of the Gaussian RBM over many settings: what alpha/|B| does, and what theory says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....analysis import MeasuredRun, Scaling
from ....figures import Figure, Line, Mark, Panel, Points
from ....models import Model, Prediction
from .._data import most_common

_POINTS = 8  # of a predicted curve, which is nearly straight


def scaling(runs: Sequence[MeasuredRun], points: Scaling, model: Model) -> Figure:
    """Figure 6: the linear scaling rule, and the predicted curves that leave it."""
    pairs = len(runs[0].pairs)
    panels: list[list[Mark]] = [[], [], []]
    for colour, (name, chosen) in enumerate(_families(runs)):
        index = np.array([pairs * run + mode for run in chosen for mode in range(pairs)])
        u, s, w = points.variable[index], points.spacing[index], points.width[index]
        ds, dw = points.spacing_error[index], points.width_error[index]
        panels[0].append(Points(u, s, y_error=ds, label=name, colour=colour))
        panels[1].append(Points(u, w, y_error=dw, label=name, colour=colour))
        panels[2].append(Points(w, s, x_error=dw, y_error=ds, label=name, colour=colour))
        for panel, curves in zip(
            panels, _predicted_curves(model, [runs[i] for i in chosen], colour), strict=False
        ):
            panel.extend(curves)
    grid = np.array([0.0, 1.05 * points.variable.max()])
    slope = np.sqrt(2 * np.pi)
    for panel in panels[:2]:
        panel.append(
            Line(grid, slope * grid, label=r"$\sqrt{2\pi}\,u$, leading order", dashed=True)
        )
    ends = np.array([0.0, 1.05 * points.width.max()])
    panels[2].append(Line(ends, ends, label="equal", dashed=True))
    variable = r"$u=\sqrt{(\alpha/|B|)\,\kappa^2\Omega}$"
    width = r"$\sqrt{\pi}\,\sigma$"
    spacing = r"$\langle S\rangle$"
    return Figure(
        name="scaling",
        title="The linear scaling rule",
        caption="Mean spacing and fitted width of every degenerate pair against the scaling"
        " variable (with the correlation of the persistent chain), alpha and |B| varied alone."
        " Curves: the predicted law of each pair, order 1; dashed: the leading order, which it"
        " leaves where alpha/|B| is no longer small.",
        panels=[
            Panel(panels[0], variable, spacing),
            Panel(panels[1], variable, width),
            Panel(panels[2], width, spacing),
        ],
    )


def drift(runs: Sequence[MeasuredRun], rbm_mass: float, model: Model) -> Figure:
    """Further figure: lambda/kappa against alpha/|B|, effects of the drift."""
    marks: list[Mark] = []
    runs = sorted(runs, key=lambda run: run.ratio)
    ratio = np.array([run.ratio for run in runs])
    rate = most_common([run.learning_rate for run in runs])
    predicted = _predictions(model, [run for run in runs if run.learning_rate == rate])
    along = np.array([0.0, *(each.learning_rate / each.batch_size for each in predicted)])
    for colour, multiplet in enumerate(runs[0].multiplets):
        kappa = multiplet.target_mode
        means = [run.multiplets[colour].mean for run in runs]
        marks.append(
            Points(
                ratio,
                np.array([(rbm_mass**2 - mean.value) / kappa for mean in means]),
                y_error=np.array([mean.error / kappa for mean in means]),
                label=rf"$\kappa={kappa:.2f}$",
                colour=colour,
            )
        )
        shift = _of_level(predicted, "mean_shift", multiplet.indices[0])
        marks.append(Line(along, np.array([1.0, *(1 - shift / kappa)]), colour=colour))
    return Figure(
        name="drift",
        title="The drift shifts the learnt modes",
        caption="Mean of lambda = mu^2 - x, over kappa, against alpha/|B|. Lines: the means of the"
        f" predicted law at alpha = {rate:g} (order 1), no free parameter.",
        panels=[Panel(marks, r"$\alpha/|B|$", r"$\langle\lambda\rangle/\kappa$")],
    )


def _predicted_curves(
    model: Model, runs: Sequence[MeasuredRun], colour: int
) -> tuple[list[Mark], list[Mark]]:
    """<S> and sqrt(pi) sigma of every pair against u, the leading order over sqrt(2 pi)."""
    predicted = _predictions(model, runs)
    leading = [each.leading for each in predicted]
    spacings: list[Mark] = []
    widths: list[Mark] = []
    for multiplet in runs[0].pairs:
        level = multiplet.indices[0]
        u = np.array([each.mean_spacing[level] for each in leading]) / np.sqrt(2 * np.pi)
        label = "predicted" if colour == 0 and not spacings else None
        spacing = _of_level(predicted, "mean_spacing", level)
        spacings.append(Line(u, spacing, label=label, colour=colour))
        width = np.sqrt(np.pi) * _of_level(predicted, "width", level)
        widths.append(Line(u, width, label=label, colour=colour))
    return spacings, widths


def _families(runs: Sequence[MeasuredRun]) -> list[tuple[str, list[int]]]:
    """Runs at the alpha of most by |B|, the others by alpha."""
    alpha = most_common([run.learning_rate for run in runs])
    batch = [i for i, run in enumerate(runs) if run.learning_rate == alpha]
    rate = [i for i, run in enumerate(runs) if run.learning_rate != alpha]
    sizes = sorted({runs[i].batch_size for i in rate})
    families = [
        (rf"$\alpha={alpha:g}$, $|B|$ varied", batch),
        (rf"$|B|={','.join(f'{b:g}' for b in sizes)}$, $\alpha$ varied", rate),
    ]
    return [(name, chosen) for name, chosen in families if chosen]


def _predictions(model: Model, runs: Sequence[MeasuredRun]) -> list[Prediction]:
    """Across the settings of these runs, of which either alpha or |B| is the same, ratio rising."""
    rates = np.array([run.learning_rate for run in runs])
    batches = np.array([run.batch_size for run in runs])
    if np.ptp(rates) > 0:
        chosen = [(a, int(batches[0])) for a in np.geomspace(rates.min(), rates.max(), _POINTS)]
    else:
        whole = np.unique(np.rint(np.geomspace(batches.min(), batches.max(), _POINTS)))
        chosen = [(float(rates[0]), int(batch)) for batch in whole[::-1]]
    return [model.predict(alpha, batch) for alpha, batch in chosen]


def _of_level(predicted: Sequence[Prediction], name: str, level: int) -> np.ndarray:
    """One number of one level along the curve."""
    return np.array([getattr(each, name)[level] for each in predicted])
