"""Adapters of a checkpoint as matrices: the change $s B A$, or $W_0 + s B A$ on a base model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from .._stored import Stored
from .._types import Floats
from ..errors import require
from ._adapter_config import CONFIG, AdapterConfig, config_beside
from ._adapters import pairs_in
from ._by_name import bare_name, by_name
from ._factor_pairs import Pair
from ._target_parameters import Targets


def adapted(
    arrays: Iterable[Stored], files: Sequence[Path], base: Sequence[Stored] | None = None
) -> Iterator[Stored]:
    """The arrays of a checkpoint, two factors of a layer as the matrix that they make.

    Args:
        arrays: of all shards.
        files: the shards, beside which the configuration lies.
        base: arrays of the model that the adapter changes; the change alone, if None.

    Raises:
        InvalidInputError: a base, and no adapter.
    """
    config = config_beside(files)
    if config is None:
        yield from _matrices(arrays, files, base, None)
        return
    for item in _matrices(arrays, files, base, config):
        yield replace(item, beside=(*item.beside, files[0].parent / CONFIG))


def _matrices(
    arrays: Iterable[Stored],
    files: Sequence[Path],
    base: Sequence[Stored] | None,
    config: AdapterConfig | None,
) -> Iterator[Stored]:
    items = list(pairs_in(arrays, config))
    if base is None:
        for item in items:
            if isinstance(item, Targets):
                yield from item.changes()
            else:
                yield item.stored() if isinstance(item, Pair) else item
        return
    require(
        any(isinstance(item, Pair | Targets) for item in items),
        f"{files[0]} holds no adapter (factors lora_A and lora_B); leave the base out.",
    )
    weights = by_name(base)
    inside = {item.own_base.name for item in items if isinstance(item, Pair) and item.own_base}
    for item in items:
        if isinstance(item, Targets):
            yield from item.on(weights)
        elif isinstance(item, Pair):
            yield _on(item, weights, config)
        elif item.name not in inside:
            yield item


def _on(pair: Pair, weights: Mapping[str, Stored], config: AdapterConfig | None) -> Stored:
    """A weight with its change, or the reason why it is not known."""
    own = pair.own_base
    weight = weights.get(bare_name(pair.name)) if own is None else own
    reason = pair.fault() or (config.base_fault() if config and own is None else None)
    if weight is None:
        reason = reason or "an adapter of a matrix that the base does not have"
    elif not pair.is_scaled:
        reason = reason or f"{pair.stored().words}, so that W_0 + s B A is not known"
    else:
        reason = reason or _unfit(pair, weight)
    if reason is not None or weight is None:
        return Stored(pair.name, "float64", (), reason=reason)
    where = "beside it" if own else "of the base"
    words = f"W_0 + s B A{' with the norms of DoRA' if pair.magnitude else ''}, W_0 {where}"
    return Stored(
        pair.name, "float64", weight.shape, partial(_sum, pair, weight), words=words,
        beside=weight.beside,
    )  # fmt: skip


def _unfit(pair: Pair, weight: Stored) -> str | None:
    """Why a base is not one to which the change can be added."""
    if weight.reason is not None:
        return f"W_0 is not read: {weight.reason}"
    if "float" not in weight.dtype:
        return f"W_0 is of {weight.dtype}, no real floating-point numbers"
    rows, *others = weight.shape
    if (rows, int(np.prod(others))) != pair.shape:
        return f"s B A of shape {pair.shape}, W_0 of {weight.shape}"
    return None


def _sum(pair: Pair, weight: Stored) -> Floats:
    return pair.on(weight.load())
