"""One setting of a campaign as `simulate` gives a run."""

from typing import Any

import numpy as np
import xarray as xr

from .._attributes import attributes_of
from .._jax_settings import PRNG
from ..models import Model
from ..optimizers import optimizer_settings
from ._setting import Setting
from ._store import Store


def setting_as_run(store: Store, index: int, levels: int) -> xr.Dataset:
    """The finished replicas of a setting, its values as attributes.

    Args:
        store: of the campaign.
        index: of the setting.
        levels: of a replica; the store may have room for more.

    Raises:
        InvalidInputError: chunks of it that are not as they were written.
    """
    store.require_whole((c for c in store.done() if c.setting == index), thorough=True)
    setting, data = store.spec.settings[index], store.opened()
    place = store.layout.place(index)
    finished = np.flatnonzero(data.finished[place].values)
    rows = (*place, slice(0, int(finished.max(initial=-1)) + 1))
    model = setting.build()
    names = list(model.matrix_names())
    coordinates: dict[str, Any] = {
        "replica": finished, "time": setting.interval * np.arange(setting.times),
    }  # fmt: skip
    if len(set(names)) > 1:
        coordinates["matrix"] = ("level", names)
    levels_there = data.levels[rows].values[finished][..., :levels]
    return xr.Dataset(
        {
            "levels": (("replica", "time", "level"), levels_there),
            "diverged": ("replica", data.diverged[rows].values[finished]),
            "diverged_at": ("replica", data.diverged_at[rows].values[finished]),
        },
        coords=coordinates,
        attrs=_attributes(setting, model),
    )


def _attributes(setting: Setting, model: Model) -> dict[str, Any]:
    learning = setting.learning
    batch = learning.batch_size
    return attributes_of(
        {
            "learning_rate": learning.learning_rate,
            "batch_size": batch if batch == np.inf else int(batch),
            **optimizer_settings(learning.rule()),
            "prng": PRNG,
            "updates": setting.recorded_updates,
            "record_every": setting.interval,
            "record_from": setting.burn_in_updates,
            "seed": setting.stream,
            "beta": model.beta,
            **model.settings(),
        }
    )
