"""A prediction as a table: one row a mode."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .._tabular import Table
from ..errors import NoPredictionError
from ._leading import LeadingOrder

_HEADS = {
    "mode": "mode", "target_mode": "kappa", "level": "level", "mean_shift": "shift",
    "width": "width", "mean_spacing": "<S>", "relaxation_time": "relaxation",
    "relative_error": "rel. error", "learnt": "learnt",
}  # fmt: skip


def prediction_table(
    leading: LeadingOrder, order: int, to_this_order: Callable[[], dict[str, Any]]
) -> Table:
    """What is known of each mode, with the error of the prediction itself.

    Where there is no stationary state, or an expansion is beyond its reach, that is a note: a table
    is there to be looked at, and stops nobody.

    Args:
        leading: the leading order.
        order: of the prediction.
        to_this_order: gives its columns, or raises `NoPredictionError`.
    """
    with warnings.catch_warnings(record=True) as raised:
        # by default a warning is shown once at a place: the next table would lack its note
        warnings.simplefilter("always")
        try:
            numbers, named = to_this_order(), f"order {order}"
            notes = list(dict.fromkeys(str(warning.message) for warning in raised))
        except NoPredictionError as error:
            numbers, named = _of_leading(leading), "leading order"
            notes = [str(error)]
    columns: dict[str, Any] = {
        "mode": np.arange(len(leading.levels)), "target_mode": leading.target_modes,
        "level": leading.levels, **numbers, "relaxation_time": leading.relaxation_time,
        "learnt": leading.learnt,
    }  # fmt: skip
    title = (
        f"Prediction, alpha = {leading.learning_rate:g}, |B| = {leading.batch_size:g},"
        f" beta = {leading.beta}, {named}"
    )
    return Table(title, columns, _HEADS, notes)


def _of_leading(leading: LeadingOrder) -> dict[str, Any]:
    return {
        "mean_shift": leading.mean_shift, "width": leading.width,
        "mean_spacing": leading.mean_spacing, "relative_error": leading.next_order,
    }  # fmt: skip
