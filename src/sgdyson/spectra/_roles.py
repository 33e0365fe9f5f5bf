"""What an array of a checkpoint is, by its name: weights, an average, or an optimiser's state."""

import re
from collections.abc import Collection
from functools import lru_cache

_SPLIT = re.compile(r"[./]")
_OPTIMISER = frozenset((
    "optimizer", "optimizers", "optim", "optimizer_state", "optimizer_states",
    "optimizer_state_dict", "optimizer_states_dict", "optim_state", "optim_state_dict", "opt_state",
    "opt_state_dict", "lr_scheduler", "lr_schedulers", "scheduler", "scheduler_state_dict",
    "grad_scaler", "adam", "adamw", "adamax", "nadam", "sgd", "rmsprop", "adagrad",
    "adadelta", "adafactor", "lamb", "lion", "ftrl", "muon", "exp_avg", "exp_avg_sq", "exp_inf",
    "max_exp_avg_sq", "exp_avg_diff", "exp_avg_res", "exp_avg_sq_row", "exp_avg_sq_col",
    "momentum_buffer", "square_avg", "grad_avg", "square_avgs", "acc_delta", "acc_grad",
    "rng_state", "rng_states", "random_state", "cuda_rng_state",
))  # fmt: skip
_ENDS = re.compile(r"(^|_)(exp_avg|exp_avg_sq|momentum_buffer|square_avg|max_exp_avg_sq)$")
_MOMENTS = {"mu": "nu", "nu": "mu"}  # of Optax, where both stand for the same parameter
_AVERAGES = re.compile(r"(^|_)(ema|swa|averaged|teacher_ema|polyak)(_|$)")


def is_optimiser_state(name: str, names: Collection[str] = ()) -> bool:
    """Whether an array belongs to the optimiser, by a part of its name.

    Args:
        name: name of the array.
        names: names of all arrays: `mu` and `nu` are moments only side by side.
    """
    parts, named = _read(name)
    if named:
        return True
    for place, word in enumerate(parts):
        if word in _MOMENTS:
            other = [*parts[:place], _MOMENTS[word], *parts[place + 1 :]]
            if ".".join(other) in names or "/".join(other) in names:
                return True
    return False


@lru_cache(maxsize=1 << 14)  # a tracker asks at each record
def _read(name: str) -> tuple[tuple[str, ...], bool]:
    """Parts of a name, and whether one of them tells."""
    parts = tuple(_SPLIT.split(name))
    return parts, any(word.lower() in _OPTIMISER or bool(_ENDS.search(word)) for word in parts)


def is_average(name: str) -> bool:
    """Whether an array is a moving average of weights, by a part of its name."""
    return any(_AVERAGES.search(word.lower()) for word in _SPLIT.split(name)[:-1])
