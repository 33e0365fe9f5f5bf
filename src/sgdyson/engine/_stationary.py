"""When levels are stationary, by the model's own prediction."""

from typing import Any

from .._checks import shown
from ..errors import InvalidInputError, NoPredictionError, require
from ..models import Model
from ..optimizers import Optimizer

STATIONARY = "stationary"


def first_record(
    model: Any, learning_rate: Any, batch_size: Any, optimizer: Any, record_from: Any
) -> Any:
    """Updates before the first record, where they were not given as a number.

    Raises:
        InvalidInputError: another word; a model or optimiser without a prediction.
    """
    if not isinstance(record_from, str) or not isinstance(model, Model):
        return record_from
    require(
        record_from == STATIONARY,
        f'record_from = {shown(record_from)} must be a number of updates, or "{STATIONARY}".',
    )
    require(
        optimizer is None or isinstance(optimizer, Optimizer),
        f'record_from = "{STATIONARY}" needs one of sgdyson.optimizers, whose relaxation is known;'
        " give a number of updates.",
    )
    try:
        prediction = model.predict(learning_rate, batch_size, optimizer)
        return prediction.settling_time(getattr(model, "initial_width", None))
    except NoPredictionError as error:
        raise InvalidInputError(
            f'record_from = "{STATIONARY}": {str(error).rstrip(".")}; give a number of updates.'
        ) from error
