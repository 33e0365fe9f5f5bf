"""Data that networks learn: checked, and told apart by a hash."""

import hashlib

import numpy as np

from ..errors import InvalidInputError, require


def fingerprint(*arrays: np.ndarray) -> str:
    """The same for the same shapes, types and entries only."""
    words = hashlib.sha256()
    for array in arrays:
        # shape first: zeros of (2, 3) and of (3, 2) are the same bytes
        words.update(f"{array.dtype.str}{array.shape}".encode())
        words.update(np.ascontiguousarray(array).tobytes())
    # 64 bits tell a person's data sets apart; it is no signature
    return words.hexdigest()[:16]


def scikit_learn(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a data set that comes with scikit-learn.

    Raises:
        InvalidInputError: scikit-learn is missing.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise InvalidInputError(
            f"the data set {name} comes with scikit-learn; install it with:"
            ' pip install "sgdyson[data]".'
        ) from error
    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    return inputs, targets


def check_pairs(inputs: np.ndarray, targets: np.ndarray) -> None:
    """Refuse what is no table of finite inputs with a target a row."""
    require(
        inputs.ndim == 2 and inputs.size > 0 and bool(np.isfinite(inputs).all()),
        f"inputs of shape {inputs.shape} must be finite numbers with axes (row, feature).",
    )
    kind = targets.dtype.kind
    require(
        len(targets.shape) > 0 and len(targets) == len(inputs),
        f"targets of shape {targets.shape} must have a row for each of the {len(inputs)} inputs.",
    )
    require(
        (kind in "iu" and targets.ndim == 1 and bool((targets >= 0).all()))
        or (kind == "f" and targets.ndim <= 2 and bool(np.isfinite(targets).all())),
        f"targets of type {targets.dtype} and shape {targets.shape} must be classes 0, 1, 2, ..."
        " (whole numbers, one axis) or finite real numbers.",
    )
