"""Zarr: campaigns, and single runs of `simulate`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from .._attributes import number_of
from .._types import Floats
from ..campaign import Campaign
from ..errors import InvalidInputError, require
from ._history import History


def read_campaign(folder: Path, failures: list[str] | None = None) -> Iterator[History]:
    """Every matrix of every setting of which replicas are finished.

    Args:
        folder: folder of the campaign.
        failures: takes a sentence for each setting that is not as it was written, while the others
            are read; without it the first such setting raises.
    """
    campaign = Campaign.from_folder(folder)
    for index, setting in enumerate(campaign.spec.settings):
        try:
            run = campaign.as_run(index)
        except InvalidInputError as error:
            if failures is None:
                raise
            failures.append(str(error))
            continue
        if not run.replica.size:
            continue
        model, learning = setting.build(), setting.learning
        levels = run.levels.values
        levels[run.diverged.values] = np.nan
        groups = setting.multiplets()  # of a model's first matrix
        for matrix, own in _by_matrix(run, levels):
            where = [_values(campaign, index)] if campaign.spec.varied else []
            yield History(
                source=_source(folder, *where, matrix),
                levels=own,
                learning_rate=learning.learning_rate,
                batch_size=learning.batch_size,
                label_noise=getattr(model, "label_noise", None),
                matrix=matrix,
                replicas=run.replica.values,
                multiplets=groups,
                stationary=setting.burn_in_updates > 0,
                beta=model.beta,
                shared_inputs=getattr(model, "shared_inputs", False),
            )
            groups = None


def _by_matrix(run: xr.Dataset, levels: Floats) -> Iterator[tuple[str | None, Floats]]:
    """The levels of each matrix, descending, and its name where there are several."""
    names = run.matrix.values if "matrix" in run.coords else np.full(levels.shape[-1], None)
    for name in dict.fromkeys(names.tolist()):
        yield name, -np.sort(-levels[..., names == name], axis=-1)


def _source(path: Path, *parts: str | None) -> str:
    inside = ", ".join(place for place in parts if place)
    return f"{path}: {inside}" if inside else str(path)


def _values(campaign: Campaign, index: int) -> str:
    """The varied parameters of a setting, `learning_rate=0.1, batch_size=16`."""
    spec = campaign.spec
    if spec.first.vary == "zip":
        places = [index] * len(spec.varied)
    else:
        places = [int(place) for place in np.unravel_index(index, spec.shape)]
    pairs = zip(spec.varied.items(), places, strict=True)
    return ", ".join(f"{key.rpartition('.')[2]}={values[place]}" for (key, values), place in pairs)


def read_run(store: Path) -> Iterator[History]:
    """Every matrix of a data set with `levels(replica, time, level)`."""
    try:
        run: xr.Dataset = xr.open_zarr(store, consolidated=False, chunks=None)
        values = run["levels"].transpose("replica", "time", "level").values
    except Exception as error:  # of many kinds: JSON, metadata of Zarr, its codecs
        raise InvalidInputError(
            f"{store} holds no levels(replica, time, level) that can be read"
            f" ({type(error).__name__}: {error})."
        ) from error
    require(
        values.dtype.kind in "fiu",
        f"{store}: levels hold {values.dtype}, not real numbers; save real ones.",
    )
    levels = np.array(values, np.float64)
    if "diverged" in run:
        levels[run.diverged.values.astype(bool)] = np.nan
    beta, notes = _dyson_index(run)
    recorded_from = number_of(run.attrs, "record_from") or 0
    for matrix, own in _by_matrix(run, levels):
        yield History(
            source=_source(store, matrix),
            levels=own,
            learning_rate=number_of(run.attrs, "learning_rate"),
            batch_size=number_of(run.attrs, "batch_size"),
            label_noise=number_of(run.attrs, "label_noise"),
            matrix=matrix,
            replicas=run.replica.values if "replica" in run.coords else None,
            stationary=bool(recorded_from > 0),
            beta=beta,
            notes=notes,
            shared_inputs=bool(number_of(run.attrs, "shared_inputs")),
        )


def _dyson_index(run: xr.Dataset) -> tuple[int, tuple[str, ...]]:
    """Dyson index of a run; 1 of one that does not tell, or that has no law here."""
    beta = number_of(run.attrs, "beta")
    if beta is None or beta in (1, 2, 4):
        return int(beta or 1), ()
    return 1, (f"beta = {beta:g} has no law here, and levels are held against that of beta = 1",)


def is_campaign(path: Path) -> bool:
    """A folder that `sgdyson run` wrote."""
    return (path / "spec.json").is_file()


def is_store(path: Path) -> bool:
    """A Zarr group."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup"))


def require_any(histories: list[Path], folder: Path) -> None:
    """Refuse a folder without histories."""
    require(
        bool(histories),
        f"{folder} holds no histories; give a campaign, a Zarr store, or .npz and .npy files.",
    )
