"""Arguments that are numbers: taken in any of their types, or refused in one sentence."""

import math
from typing import Any

import numpy as np

from ._types import Floats
from .errors import InvalidInputError, require


def whole(name: str, value: Any, least: int = 1, most: int = 2**31 - 1) -> int:
    """A whole number within bounds, of any type of whole numbers; a 0-d array counts as one.

    Raises:
        InvalidInputError: anything else, truth values among them; the message names `name`.
    """
    plain = _plain(value)
    rule = f" of at least {least}" if least else ", not negative"
    require(
        isinstance(plain, int) and not isinstance(plain, bool) and plain >= least,
        f"{name} = {shown(value)} must be a whole number{rule}.",
    )
    require(plain <= most, f"{name} = {shown(value)} must be at most {most}.")
    return int(plain)


def seed_of(name: str, value: Any) -> int:
    """A seed: a whole number that JAX takes.

    Raises:
        InvalidInputError: anything else; the message names `name`.
    """
    # jax.random.key takes a signed 64-bit integer, and overflows at the next one
    return whole(name, value, least=0, most=2**63 - 1)


def whole_numbers(name: str, values: Any) -> tuple[int, ...]:
    """Several whole numbers of at least 1, or none, as a tuple.

    Raises:
        InvalidInputError: one that is none, or no list; the message names `name`.
    """
    try:
        return tuple(whole(name, value) for value in values)
    except (InvalidInputError, TypeError) as error:  # one is none, or there are not several
        raise InvalidInputError(
            f"{name} = {shown(values)} must be whole numbers of at least 1, such as (32,)."
        ) from error


def finite(name: str, value: Any) -> float:
    """A finite number.

    Raises:
        InvalidInputError: anything else; the message names `name`.
    """
    plain = _plain(value)
    require(
        isinstance(plain, int | float) and not isinstance(plain, bool) and abs(plain) < math.inf,
        f"{name} = {shown(value)} must be a finite number.",
    )
    try:
        return float(plain)
    except OverflowError as error:
        raise InvalidInputError(f"{name} = {shown(value)} is too large for a float.") from error


def at_least_zero(name: str, value: Any) -> float:
    """A finite number that is not negative.

    Raises:
        InvalidInputError: anything else; the message names `name`.
    """
    number = finite(name, value)
    require(number >= 0, f"{name} = {shown(value)} must be a number that is not negative.")
    return number


def positive(name: str, value: Any, remedy: str = "") -> float:
    """A finite number above zero.

    Args:
        name: of the argument.
        value: that was given.
        remedy: what to do instead, after a semicolon.

    Raises:
        InvalidInputError: anything else.
    """
    plain = _plain(value)
    require(
        isinstance(plain, int | float) and not isinstance(plain, bool) and 0 < plain < math.inf,
        f"{name} = {shown(value)} must be a positive number{remedy and f'; {remedy}'}.",
    )
    return finite(name, plain)


def reals(name: str, values: Any, remedy: str = "leave them out") -> Floats:
    """An array of finite real numbers, as float64.

    Args:
        name: of the argument, in the plural.
        values: as of `real_array`.
        remedy: what to do with values that are NaN or infinite.

    Raises:
        InvalidInputError: NaN or infinity, or what `real_array` refuses.
    """
    array = real_array(name, values)
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    require(bad == 0, f"{name} hold {bad} values of NaN or infinity out of {array.size}; {remedy}.")
    return array


def real_array(name: str, values: Any) -> Floats:
    """An array of real numbers, NaN and infinity among them, as float64.

    Args:
        name: of the argument.
        values: that were given; truth values count as 0 and 1, text is not read as numbers.

    Raises:
        InvalidInputError: complex numbers, or what is no array of numbers.
    """
    try:
        given = np.asarray(values)
        numbers = given.dtype.kind not in "cSUmM"
        with np.errstate(over="ignore"):
            array = np.asarray(given, dtype=np.float64) if numbers else None
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None:
        raise InvalidInputError(f"{name} = {shown(values)} must be real numbers.")
    return array


def truth(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        InvalidInputError: anything else.
    """
    require(isinstance(value, bool | np.bool_), f"{name} = {shown(value)} must be True or False.")
    return bool(value)


def settle(instance: object, **parameters: Any) -> None:
    """Parameters of a frozen dataclass as plain numbers, whatever the types they were given in."""
    for name, value in parameters.items():
        object.__setattr__(instance, name, value)


def shown(value: Any) -> str:
    """A value as it is told in a message: short, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def first_line(error: BaseException) -> str:
    """Kind and first line of somebody else's error, as it is told in a message of ours."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _plain(value: Any) -> Any:
    """A Python number of a NumPy one, or of an array of none but one."""
    if isinstance(value, np.generic) or (hasattr(value, "ndim") and hasattr(value, "item")):
        return value.item() if np.ndim(value) == 0 else None
    return value
