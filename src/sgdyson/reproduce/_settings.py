"""The runs behind the figures: the paper's settings, at three depths of statistics."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import require
from ..models import GaussianRBM, Model, TeacherStudent

BATCH_SIZES = (4, 8, 16, 32, 64)
RBM_RATES = (0.02, 0.04, 0.06, 0.08, 0.1)
TEACHER_RATES = (0.1, 0.2, 0.3, 0.4, 0.5)
NOISES = (0.05, 0.075, 0.1)
MULTIPLICITIES = (2, 4, 16, 64)


@dataclass(frozen=True)
class Setting:
    """One run of `simulate`.

    Attributes:
        name: also of its Zarr store.
        group: which analysis it belongs to.
        model: what learns.
        learning_rate: alpha.
        batch_size: |B|.
        replicas: how many.
        updates: of each.
        record_every: updates between records.
        burn_in: updates left out of averages.
    """

    name: str
    group: str
    model: Model = field(repr=False)
    learning_rate: float
    batch_size: int
    replicas: int
    updates: int
    record_every: int
    burn_in: int

    def arguments(self, seed: int) -> dict[str, Any]:
        """Keyword arguments of `simulate`."""
        return {
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "replicas": self.replicas,
            "updates": self.updates,
            "record_every": self.record_every,
            "seed": seed,
        }


@dataclass(frozen=True)
class Preset:
    """How much is run.

    Attributes:
        rbm_batches: |B| at alpha = 0.1.
        rbm_rates: alpha at |B| = 16.
        rbm_replicas: replicas of an RBM setting.
        rbm_samples: records of each replica after burn-in, nearly independent.
        teacher_replicas: replicas of a teacher-student setting.
        passes: through the quenched data.
        ensemble_levels: levels behind a semicircle, in all.
        force_updates: successive updates behind the Coulomb force.
        literal: the paper's protocol for the RBM, to the letter.
    """

    rbm_batches: tuple[int, ...]
    rbm_rates: tuple[float, ...]
    rbm_replicas: int
    rbm_samples: int
    teacher_replicas: int
    passes: int
    ensemble_levels: int
    force_updates: int
    literal: bool = False


PRESETS = {
    "quick": Preset((4, 16, 64), (0.05,), 256, 6, 1024, 2, 20_000, 1000),
    "paper": Preset(BATCH_SIZES, RBM_RATES, 256, 40, 3000, 10, 100_000, 4000),
    "literal": Preset(BATCH_SIZES, RBM_RATES, 7500, 3, 3000, 10, 100_000, 4000, literal=True),
}


def settings(preset_name: str) -> list[Setting]:
    """All settings of a preset."""
    require(
        preset_name in PRESETS,
        f"preset = {preset_name!r} is unknown; choose one of {', '.join(PRESETS)}.",
    )
    preset = PRESETS[preset_name]
    return [
        *_rbm_settings(preset),
        *_teacher_settings(preset),
        *_semicircle_settings(preset),
        _force_setting(preset),
    ]


def _rbm_settings(preset: Preset) -> list[Setting]:
    model = GaussianRBM.scalar_field(10, 10, mass=2.0, rbm_mass=3.0, gibbs_sweeps=3)
    pairs = [(0.1, batch) for batch in preset.rbm_batches]
    pairs += [(rate, 16) for rate in preset.rbm_rates if rate != 0.1]
    return [_rbm_setting(model, preset, rate, batch) for rate, batch in pairs]


def _rbm_setting(model: Model, preset: Preset, rate: float, batch: int) -> Setting:
    """Burn-in until the slowest replica has learnt its last mode; records nearly independent.

    That mode grows as exp(0.028 alpha t), 3e14 times in 1200/alpha: more than the smallest of
    thousands of random initial levels needs. 100/alpha is three of the slowest relaxation times.
    """
    burn_in, apart = math.ceil(1200 / rate), math.ceil(100 / rate)
    updates, every = burn_in + preset.rbm_samples * apart, apart
    if preset.literal:
        updates, every = 100_000, 20_000
    name = f"rbm_alpha{rate:g}_batch{batch}"
    return Setting(name, "rbm", model, rate, batch, preset.rbm_replicas, updates, every, burn_in)


def _teacher_settings(preset: Preset) -> list[Setting]:
    triples = [(0.1, batch, 0.1) for batch in BATCH_SIZES]
    triples += [(rate, 16, 0.1) for rate in TEACHER_RATES if rate != 0.1]
    triples += [(0.1, 16, noise) for noise in NOISES if noise != 0.1]
    result = []
    for rate, batch, noise in triples:
        name = f"alpha{rate:g}_batch{batch}_noise{noise:g}"
        updates = 500 * preset.passes
        quenched = TeacherStudent((2.0, 2.0), noise=noise, data="quenched", shared_inputs=True)
        result.append(
            Setting(
                f"quenched_{name}",
                "quenched",
                quenched,
                rate,
                batch,
                preset.teacher_replicas,
                updates,
                updates,
                updates,
            )
        )
        online = TeacherStudent((2.0, 2.0), noise=noise)
        apart = math.ceil(5 / rate)
        result.append(
            Setting(
                f"online_{name}",
                "online",
                online,
                rate,
                batch,
                preset.teacher_replicas,
                8 * apart,
                apart,
                5 * apart,
            )
        )
    return result


def _semicircle_settings(preset: Preset) -> list[Setting]:
    result = []
    for n in MULTIPLICITIES:
        replicas = max(preset.ensemble_levels // (8 * n), 32)
        model = TeacherStudent(np.full(n, 2.0))
        result.append(
            Setting(f"semicircle_n{n}", "semicircle", model, 0.1, 1024, replicas, 600, 50, 201)
        )
    return result


def _force_setting(preset: Preset) -> Setting:
    """Every update recorded, from the fixed point; independent samples keep them uncorrelated."""
    target = GaussianRBM.scalar_field(10, 10, mass=2.0, rbm_mass=3.0)
    modes, vectors = np.linalg.eigh(target.target_kernel)
    model = GaussianRBM(
        target.target_kernel,
        rbm_mass=3.0,
        sampler="independent",
        initial_weights=np.sqrt(9.0 - modes)[:, None] * vectors.T,
    )
    burn_in = 800
    return Setting(
        "force", "force", model, 0.05, 64, 256, burn_in + preset.force_updates, 1, burn_in
    )
