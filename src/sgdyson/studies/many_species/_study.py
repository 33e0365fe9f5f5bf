r"""Do the layers of a network fluctuate as one gas of many species?

A linear network of two layers learns a fourfold degenerate teacher. The product and each layer are
Coulomb gases of their own widths, all of which the joint Langevin process predicts. Measured are

* the width, by $\langle \sum_i (x_i - c)^2 \rangle = 2 \sigma^2 [n/2 + n(n-1)/4]$ about the mean
  level c,
* the density, against the exact one of n levels and the semicircle,
* the correlation of the traces of the layers: one noise moves both, so that theory has 1.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...analysis import Check, CheckTable
from ...campaign import Campaign, parse_spec, replaced, specs
from ...models import LinearNetwork
from ...stats import jackknife_of_means
from .._study import claim_study, save_figures, write_results
from ._figure import many_species
from ._species import Species, species


def study_many_species(
    out: Path, seed: int, say: Callable[[str], None], *, quick: bool = False
) -> CheckTable:
    """Measure the widths, densities and correlation of all layers of a linear network.

    Args:
        out: folder, made if need be; a finished campaign in it is not run again.
        seed: of the campaign.
        say: is told what goes on.
        quick: few replicas, to look at.

    Returns:
        A check of every width, and of the correlation.
    """
    out = claim_study(out, "many-species", seed, quick)
    raw = replaced(
        tomllib.loads(specs.text("many_species")),
        {"seed": seed, "replicas": 64 if quick else 512},
    )
    campaign = Campaign(parse_spec(raw, "many_species"), out / "campaigns" / "many_species")
    say("a linear network of two layers, six settings")
    campaign.run()
    checks: list[Check] = []
    gases: list[list[Species]] = []
    for index, setting in enumerate(campaign.spec.settings):
        data = campaign.open().isel(setting=index)
        levels = data.levels.values[: setting.replicas]
        levels = levels[~data.diverged.values[: setting.replicas]]
        names = campaign.spec.first.build().matrix_names()
        learning, model = setting.learning, setting.build()
        assert isinstance(model, LinearNetwork)
        theory = model.predict_matrices(
            learning.learning_rate, learning.batch_size, learning.rule()
        )
        gases.append(
            [
                species(name, levels[..., np.array(names) == name], prediction)
                for name, prediction in theory.items()
            ]
        )
        checks += [_width_check(gas) for gas in gases[-1]]
        checks.append(_correlation_check(gases[-1]))
    save_figures([many_species(gases)], out)
    write_results(out, "many-species", seed, checks, spec=campaign.spec.raw)
    return CheckTable(checks)


def _width_check(gas: Species) -> Check:
    predicted = float(gas.prediction.width[0] ** 2)
    return Check(
        name=f"{gas.name}/width/{_name(gas)}",
        figure="many_species",
        quantity="sigma^2",
        setting=_setting(gas),
        measured=gas.width2,
        predicted=predicted,
        theory_error=float(gas.prediction.next_order[0]) * predicted,
    )


def _correlation_check(gases: list[Species]) -> Check:
    """Correlation of the traces of the two layers, over replicas and times."""
    first, second = (gas.levels.sum(axis=-1) for gas in gases[1:3])
    first, second = first - first.mean(), second - second.mean()
    moments = np.stack([(a * b).mean(axis=1) for a, b in
                        ((first, second), (first, first), (second, second))], axis=1)  # fmt: skip
    correlation = jackknife_of_means(lambda m: m[..., 0] / np.sqrt(m[..., 1] * m[..., 2]), moments)
    return Check(
        name=f"correlation/{_name(gases[0])}",
        figure="many_species",
        quantity="correlation of the traces of W1 and W2",
        setting=_setting(gases[0]),
        measured=correlation,
        predicted=1.0,
        theory_error=float(gases[1].prediction.next_order[0]),
    )


def _setting(gas: Species) -> dict[str, float]:
    theory = gas.prediction
    return {"learning_rate": theory.learning_rate, "batch_size": theory.batch_size}


def _name(gas: Species) -> str:
    theory = gas.prediction
    return f"alpha{theory.learning_rate:g}_batch{theory.batch_size:g}"
