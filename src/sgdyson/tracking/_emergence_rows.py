"""The outliers of all matrices at a path, as rows of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError, require
from ._checkpoint_emergence import emergence_of_checkpoints
from ._emergence import Emergence, emergence
from ._run import Run, open_run


def emergence_at(
    path: Path | str,
    *,
    false_alarm: float = 0.01,
    vectors: int = 8,
    split: int | Mapping[str, int] = 1,
    layout: str | Mapping[str, str] = "auto",
    base: Path | str | None = None,
) -> dict[str, Emergence]:
    """Emergence in a tracked run, or in a folder of checkpoints, by name of the matrix.

    Args:
        path: of the store of a run; or as of `emergence_of_checkpoints`.
        false_alarm: chance of an outlier in a record of noise.
        vectors: of checkpoints, leading levels whose vectors are compared.
        split: of checkpoints, parts of fused matrices.
        layout: of checkpoints, which axes are rows and columns.
        base: of adapters, the model that they belong to.

    Raises:
        InvalidInputError: neither is there, or no matrix with a bulk.
    """
    if not Path(path, "zarr.json").exists():  # every store has one, and no folder of checkpoints
        return emergence_of_checkpoints(
            path, vectors=vectors, false_alarm=false_alarm, split=split, layout=layout, base=base
        )
    run = Run(open_run(path))
    results, reasons = {}, []
    for name in run.names:
        try:
            results[name] = emergence(run, name, false_alarm)
        except InvalidInputError as error:  # the others may have a bulk
            reasons.append(str(error))
    require(bool(results), " ".join(reasons) or f"{path} holds no matrix.")
    return results


def emergence_rows(found: Mapping[str, Emergence]) -> list[dict[str, Any]]:
    """A row for each stay of an outlier, errors as `NAME_error`; None where not known.

    Args:
        found: by name of the matrix.
    """
    rows = []
    for name, outliers in found.items():
        columns = outliers.to_dict()
        for values in zip(*columns.values(), strict=True):
            rows.append({"name": name, **dict(zip(columns, values, strict=True))})
    heads = dict.fromkeys(head for row in rows for head in row)
    return [{head: row.get(head) for head in heads} for row in rows]
