"""One array of a checkpoint: its matrices and what was found of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from .._stored import Stored
from .._threads import one_blas_thread
from .._version import __version__
from ..errors import InvalidInputError, require
from ..spectra import MatrixSpectrum, Skipped, spectrum, spectrum_of_product, weight_matrices
from ._checkpoints import Checkpoint, loaded
from ._choice import Choice
from ._device import values_on
from ._identity import identity

_FAULTS = (InvalidInputError, np.linalg.LinAlgError, ArithmeticError, RuntimeError, RuntimeWarning)
Shapes = Mapping[str, tuple[int, ...]]
Factors = Callable[[], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Options:
    """What decides which matrices an array has, and what is found of them.

    Attributes:
        split: see `weight_matrices`.
        layout: see `weight_matrices`.
        choice: of matrices.
        settings: of `spectrum`.
        device: of PyTorch, which finds the singular values; NumPy if None.
    """

    split: int | Mapping[str, int]
    layout: str | Mapping[str, str]
    choice: Choice
    settings: Mapping[str, Any]
    device: str | None = None

    def claim(self) -> dict[str, Any]:
        """What the numbers depend on beside the files, for a journal of them."""
        own = {"sgdyson": __version__, "smallest": self.choice.smallest}
        given = {"split": self.split, "layout": self.layout, "device": self.device, **self.settings}
        return own | {k: dict(v) if isinstance(v, Mapping) else v for k, v in given.items()}


@dataclass(frozen=True)
class Found:
    """What an array holds.

    Attributes:
        spectra: of its matrices, or why one has none, in their order.
        left_out: matrices that were not chosen.
    """

    spectra: list[MatrixSpectrum | Skipped] = field(default_factory=list)
    left_out: int = 0


def measure(
    item: Stored,
    shapes: Shapes,
    options: Options,
    reading: AbstractContextManager[object] | None = None,
) -> Found:
    """Read an array and measure its matrices, each in the type in which it is stored.

    Args:
        item: the array.
        shapes: shapes of all arrays of its checkpoint.
        options: of the survey.
        reading: held while its file is read, which several threads share.
    """
    choice = replace(options.choice)
    if item.factors is not None and options.split == 1:
        return _of_product(item, item.factors, choice, options.settings, reading)
    with reading or nullcontext():
        array = loaded(item, as_stored=True)
    matrices = weight_matrices([array], options.split, options.layout, shapes, as_stored=True)
    finding = {"find": values_on(options.device)} if options.device else {}
    spectra = list(_spectra(matrices, choice, {**options.settings, **finding}))
    return Found(spectra, choice.left_out)


def _spectra(
    matrices: Iterator[tuple[str, Any] | Skipped], choice: Choice, settings: Mapping[str, Any]
) -> Iterator[MatrixSpectrum | Skipped]:
    for matrix in matrices:
        if isinstance(matrix, Skipped):
            yield matrix
        elif choice.takes(matrix[1]):
            yield _or_why_not(matrix[0], partial(spectrum, *matrix, **settings))


def _of_product(
    item: Stored,
    factors: Factors,
    choice: Choice,
    settings: Mapping[str, Any],
    reading: AbstractContextManager[object] | None,
) -> Found:
    """A product of thin factors, by the factors: the product itself is not made."""
    if not choice.takes(item):
        return Found([], choice.left_out)

    known = {key: value for key, value in settings.items() if key != "method"}

    def measured() -> MatrixSpectrum:
        with reading or nullcontext():
            pair = factors()
        return spectrum_of_product(item.name, *pair, **known)

    return Found([_or_why_not(item.name, measured)], choice.left_out)


def _or_why_not(name: str, measured: Callable[[], MatrixSpectrum]) -> MatrixSpectrum | Skipped:
    """A spectrum, or the reason of what could not be measured."""
    try:
        return measured()
    except _FAULTS as error:
        return Skipped(name, str(error).rstrip("."))


def measure_there(checkpoint: Checkpoint, key: str, number: int, options: Options) -> Found:
    """Measure an array on another machine, which reads the files by itself.

    Args:
        checkpoint: its files.
        key: its `identity` where the work was divided.
        number: of the array, among those that are chosen by name.
        options: of the survey.

    Raises:
        InvalidInputError: other files than there, or none.
    """
    try:
        with one_blas_thread(), checkpoint.open() as stored:
            same = identity(checkpoint, stored) == key
            require(same, f"{checkpoint.files[0]} is another file, or has been written anew.")
            shapes = {item.name: item.shape for item in stored}
            chosen = replace(options.choice).named(stored)
            return measure(chosen[number], shapes, options)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"a worker does not read what is read here ({str(error).rstrip('.')}); workers read the"
            " checkpoint by themselves: put it where all of them see it."
        ) from error
