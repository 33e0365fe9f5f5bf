"""The campaigns behind the figures, at three depths of statistics, and the runs they consist of."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...campaign import Setting, Spec, parse_spec, replaced
from ...campaign import specs as spec_files
from ...errors import require
from ...models import Model, TeacherStudent

GROUPS = {
    "rbm": ("rbm_batch", "rbm_rate"),
    "online": ("teacher_online",),
    "quenched": ("teacher_quenched",),
    "semicircle": ("semicircle",),
    "force": ("coulomb_force",),
    "threefold": ("threefold",),
}
_LITERAL = {
    "replicas": 7500, "time_unit": "update", "burn_in": 0, "updates": 100_000,
    "record_every": 20_000,
}  # fmt: skip
# what a preset changes in the spec files, which hold every other number
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "quick": {
        "rbm_batch": {"updates": 600, "learning.batch_size": [4, 16, 64]},
        "rbm_rate": {"updates": 600, "learning.learning_rate": [0.05]},
        "teacher_online": {"replicas": 1024},
        "teacher_quenched": {"replicas": 1024, "updates": 1000, "record_every": 1000},
        "semicircle": {"replicas": [39, 156, 625, 1250]},
        "coulomb_force": {"updates": 1000},
        "threefold": {"replicas": 128, "updates": 500},
    },
    "paper": {},
    "literal": {"rbm_batch": _LITERAL, "rbm_rate": _LITERAL},
}


@dataclass(frozen=True)
class Run:
    """One setting of a campaign.

    Attributes:
        name: of the run.
        campaign: name of its spec file.
        index: of the setting in its campaign.
        setting: every value.
        model: what learns.
        discard: updates left out of averages, from the first record on.
    """

    name: str
    campaign: str
    index: int
    setting: Setting
    model: Model
    discard: int

    @property
    def learning_rate(self) -> float:
        """The step size, alpha."""
        return self.setting.learning.learning_rate

    @property
    def batch_size(self) -> int:
        """Samples in a mini-batch, |B|."""
        return int(self.setting.learning.batch_size)


def specs(preset: str, seed: int) -> dict[str, Spec]:
    """The campaigns of a preset, by name."""
    require(
        preset in PRESETS,
        f"preset = {preset!r} is unknown; choose one of {', '.join(PRESETS)}.",
    )
    changes = PRESETS[preset]
    return {
        name: _spec(name, {"seed": seed, **changes.get(name, {})})
        for names in GROUPS.values()
        for name in names
    }


def runs(group: str, planned: Mapping[str, Spec]) -> list[Run]:
    """The runs of a group."""
    return [
        _run(group, name, index, setting)
        for name in GROUPS[group]
        for index, setting in enumerate(planned[name].settings)
    ]


def _spec(name: str, changes: dict[str, Any]) -> Spec:
    return parse_spec(replaced(tomllib.loads(spec_files.text(name)), changes), name)


def _run(group: str, campaign: str, index: int, setting: Setting) -> Run:
    model = setting.build()
    if group == "quenched":  # the state after the last pass
        discard = setting.recorded_updates
    else:  # the literal protocol records from the start: its file's burn-in, none otherwise
        written = _spec(campaign, {}).first.model_copy(update={"learning": setting.learning})
        discard = max(written.burn_in_updates - setting.burn_in_updates, 0)
    return Run(_name(group, setting, model), campaign, index, setting, model, discard)


def _name(group: str, setting: Setting, model: Model) -> str:
    how = f"alpha{setting.learning.learning_rate:g}_batch{setting.learning.batch_size:g}"
    if group == "force":
        return group
    if not isinstance(model, TeacherStudent):
        return f"{group}_{how}"
    if group == "threefold":
        return f"{group}_beta{model.beta}"
    return (
        f"{group}_n{model.n}"
        if group == "semicircle"
        else f"{group}_{how}_noise{model.label_noise:g}"
    )
