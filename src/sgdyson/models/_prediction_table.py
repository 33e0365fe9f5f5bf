"""A prediction as a table: one row a mode."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .._tabular import Table
from ..errors import NoPredictionError

if TYPE_CHECKING:
    from ._leading import LeadingOrder
    from ._prediction import Prediction

_HEADS = {
    "mode": "mode", "target_mode": "kappa", "level": "level", "mean_shift": "shift",
    "width": "width", "mean_spacing": "<S>", "relaxation_time": "relaxation",
    "relative_error": "rel. error", "learnt": "learnt",
}  # fmt: skip


def prediction_table(prediction: Prediction) -> Table:
    """What is known of each mode, with the error of the prediction itself.

    Where there is no stationary state, or an expansion is beyond its reach, that is a note: a table
    is there to be looked at, and stops nobody.
    """
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            numbers, order = _numbers(prediction), f"order {prediction.order}"
            notes = list(dict.fromkeys(str(warning.message) for warning in raised))
        except NoPredictionError as error:
            numbers, order = _leading(prediction.leading), "leading order"
            notes = [str(error)]
    columns: dict[str, Any] = {
        "mode": np.arange(len(prediction.levels)), "target_mode": prediction.target_modes,
        "level": prediction.levels, **numbers, "relaxation_time": prediction.relaxation_time,
        "learnt": prediction.learnt,
    }  # fmt: skip
    title = (
        f"Prediction, alpha = {prediction.learning_rate:g}, |B| = {prediction.batch_size:g},"
        f" beta = {prediction.beta}, {order}"
    )
    return Table(title, columns, _HEADS, notes)


def _numbers(prediction: Prediction) -> dict[str, Any]:
    errors = prediction.errors
    return {
        "mean_shift": prediction.mean_shift, "mean_shift_error": errors.mean_shift,
        "width": prediction.width, "width_error": errors.width,
        "mean_spacing": prediction.mean_spacing, "mean_spacing_error": errors.mean_spacing,
        "relative_error": prediction.next_order,
    }  # fmt: skip


def _leading(leading: LeadingOrder) -> dict[str, Any]:
    return {
        "mean_shift": leading.mean_shift, "width": leading.width,
        "mean_spacing": leading.mean_spacing, "relative_error": leading.next_order,
    }  # fmt: skip
