"""A number with its standard error and the number of independent samples behind it."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from .._checks import finite, settle
from ..errors import InvalidInputError, require


@dataclass(frozen=True, repr=False)
class Estimate:
    r"""A measured number; value, error and effective size travel together.

    Prints as `0.1478(9)`, in lists too: the digits in brackets are the standard error in units of
    the last place, one digit of it, two where it begins with a 1. A format of floats, as
    in `f"{e:.3f}"`, prints `0.148 ± 0.001`; any other format is that of the string.

    Estimates add, subtract, multiply and divide, with each other and with exact numbers, and have
    exact powers and a square root (`x**2`, `x.sqrt()` or `np.sqrt(x)`), their errors propagated to
    first order as those of **independent** measurements: $\delta f^2 = \sum_i (\partial_i
    f\,\delta_i)^2$, with the effective size of B. L. Welch and F. E. Satterthwaite, Biometrics
    Bulletin 2, 110 (1946). Comparisons and `float()` look at the value.

    Args:
        value: the number.
        error: its standard error, not negative, in the same units.
        effective_size: the number of independent samples that would give this error.

    Raises:
        InvalidInputError: an error or a value that is no finite number, a negative error.

    Examples:
        >>> spacing = Estimate(0.14783, 0.00094, 1000.0)
        >>> print(spacing)
        0.1478(9)
        >>> f"{spacing:.3f}"
        '0.148 ± 0.001'
        >>> print(2 * spacing / Estimate(0.1, 0.001, 500.0))
        2.96(4)
        >>> print(spacing**2)
        0.0219(3)
    """

    value: float
    error: float
    effective_size: float

    def __post_init__(self) -> None:
        for name in ("value", "error", "effective_size"):
            settle(self, **{name: finite(name, getattr(self, name))})
        require(
            self.error >= 0,
            f"error = {self.error!r} must not be negative; it is a standard deviation.",
        )

    def __str__(self) -> str:
        return bracketed(self.value, self.error)

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        if spec and spec[-1] in "eEfFgG%":
            return f"{format(self.value, spec)} ± {format(self.error, spec)}"
        return format(str(self), spec)

    def __float__(self) -> float:
        return self.value

    def __add__(self, other: "Estimate | float") -> "Estimate":
        if isinstance(other, Estimate):
            return self._joined(other, self.value + other.value, 1.0, 1.0)
        return replace(self, value=self.value + finite("summand", other))

    __radd__ = __add__

    def __sub__(self, other: "Estimate | float") -> "Estimate":
        if isinstance(other, Estimate):
            return self._joined(other, self.value - other.value, 1.0, -1.0)
        return self + -finite("subtrahend", other)

    def __rsub__(self, other: float) -> "Estimate":
        return -self + other

    def __neg__(self) -> "Estimate":
        return self * -1.0

    def __mul__(self, factor: "Estimate | float") -> "Estimate":
        if isinstance(factor, Estimate):
            return self._joined(factor, self.value * factor.value, factor.value, self.value)
        plain = finite("factor", factor)
        return Estimate(self.value * plain, self.error * abs(plain), self.effective_size)

    __rmul__ = __mul__

    def __truediv__(self, divisor: "Estimate | float") -> "Estimate":
        if isinstance(divisor, Estimate):
            require(divisor.value != 0, "An Estimate was divided by one of value 0.")
            quotient, inverse = self.value / divisor.value, 1.0 / divisor.value
            return self._joined(divisor, quotient, inverse, -quotient * inverse)
        plain = finite("divisor", divisor)
        require(plain != 0, "An Estimate was divided by 0; give a divisor other than zero.")
        return self * (1.0 / plain)

    def __rtruediv__(self, dividend: float) -> "Estimate":
        return Estimate(finite("dividend", dividend), 0.0, self.effective_size) / self

    def __pow__(self, exponent: float) -> "Estimate":
        plain = finite("exponent", exponent)
        require(
            self.value > 0 or (self.value < 0 and plain.is_integer()),
            f"{self}**{plain:g} needs a value above 0, or below 0 and a whole exponent.",
        )
        derivative = plain * self.value ** (plain - 1)
        return Estimate(self.value**plain, abs(derivative) * self.error, self.effective_size)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Functions of NumPy go by the operators and methods here, for single numbers.

        An array of multiples of one estimate would be taken for independent ones.
        """
        several = any(np.ndim(each) for each in inputs)
        if several and ufunc in (np.equal, np.not_equal):
            return ufunc is np.not_equal
        require(
            not several,
            f"{ufunc.__name__} of an array and an Estimate would give numbers that are not"
            " independent of each other; take float(estimate), or one number after the other.",
        )
        if method != "__call__" or options:
            return NotImplemented
        plain = (each.item() if isinstance(each, np.generic) else each for each in inputs)
        # of objects NumPy calls the operators and methods of this class
        return ufunc(*(np.asarray(each, dtype=object) for each in plain))

    def sqrt(self) -> "Estimate":
        """The square root, of a value above 0.

        Raises:
            InvalidInputError: a value that is not positive.
        """
        require(self.value > 0, f"the square root of {self} needs a value above 0.")
        root = math.sqrt(self.value)
        return Estimate(root, self.error / (2 * root), self.effective_size)

    def __lt__(self, other: "Estimate | float") -> bool:
        return self.value < float(other)

    def __le__(self, other: "Estimate | float") -> bool:
        return self.value <= float(other)

    def __gt__(self, other: "Estimate | float") -> bool:
        return self.value > float(other)

    def __ge__(self, other: "Estimate | float") -> bool:
        return self.value >= float(other)

    def _joined(self, other: "Estimate", value: float, here: float, there: float) -> "Estimate":
        """A function of two independent ones, with its derivatives by either."""
        require(
            other is not self,
            "an Estimate is not independent of itself: its error would come out wrong; write 2 * x"
            " for x + x, x**2 for x * x, and the like.",
        )
        variances = [(here * self.error) ** 2, (there * other.error) ** 2]
        sizes = [self.effective_size, other.effective_size]
        variance = sum(variances)
        # Welch and Satterthwaite's: the sample of the larger variance decides
        spread = sum(v**2 / n for v, n in zip(variances, sizes, strict=True) if v and n)
        size = variance**2 / spread if spread else min(sizes)
        return Estimate(value, math.sqrt(variance), size)

    def ratio(self, prediction: float) -> "Estimate":
        """This number in units of `prediction`, an exact number other than zero."""
        return self / prediction

    def pull(self, prediction: float) -> float:
        """(value - prediction)/error; with no error, 0 where they agree and infinite elsewhere."""
        difference = self.value - finite("prediction", prediction)
        if self.error == 0:
            return math.copysign(math.inf, difference) if difference else 0.0
        return difference / self.error

    def to_uncertainties(self) -> Any:
        """A number of the package `uncertainties`, which follows correlations.

        Raises:
            InvalidInputError: the package is not installed.
        """
        try:
            from uncertainties import ufloat
        except ImportError as error:
            raise InvalidInputError(
                "to_uncertainties needs another package: pip install uncertainties."
            ) from error
        return ufloat(self.value, self.error)

    def to_dict(self) -> dict[str, float]:
        """`{"value": ..., "error": ..., "effective_size": ...}`; `Estimate(**d)` undoes it."""
        return asdict(self)


def bracketed(value: float, error: float) -> str:
    """The number with its error in brackets, `0.1478(9)`, `12.3(1.1)` or `1.48(9)e-07`.

    Args:
        value: the number.
        error: its standard error, zero or larger.

    Returns:
        A string with one digit of the error, two where it begins with a 1.
    """
    if error == 0:
        return f"{value!r}(0)"
    # an error larger than its value sets the power of ten
    magnitude = math.floor(math.log10(max(abs(value), error)))
    if not -5 < magnitude < 6:
        # in two steps: the 1e310 that numbers below 1e-308 need is none
        up, on = 10.0 ** -max(magnitude, -300), 10.0 ** -min(magnitude + 300, 0)
        return f"{_fixed(value * up * on, error * up * on)}e{magnitude:+03d}"
    return _fixed(value, error)


def _fixed(value: float, error: float) -> str:
    decimals = _decimals(error)
    if decimals <= 0:
        return f"{round(value, decimals):z.0f}({round(error, decimals):.0f})"
    if round(error, decimals) < 1:
        return f"{value:z.{decimals}f}({round(error * 10**decimals):d})"
    return f"{value:z.{decimals}f}({error:.{decimals}f})"


def _decimals(error: float) -> int:
    """Decimal places that keep one digit of `error`, two if it begins with 1 or rounds up to it."""
    rounded, exponent = f"{error:.0e}".split("e")
    begins_with_one = rounded == "1" or f"{error:.15e}"[0] == "1"
    return int(begins_with_one) - int(exponent)
