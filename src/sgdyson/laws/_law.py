"""What every law is: a frozen distribution with the interface of scipy.stats."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import elementwise

from .. import _checks
from .._checks import real_array, shown
from .._tabular import Table
from .._types import ArrayLike, Floats
from ..errors import require

RandomState = int | np.random.Generator | None


class Law(ABC):
    """A continuous law on one interval.

    Attributes:
        citation: where the formula comes from.

    Examples:
        Every law has what this one has:

        >>> from sgdyson.laws import WignerSurmise
        >>> law = WignerSurmise()
        >>> law.mean(), round(float(law.pdf(1.0)), 6)  # pi/2 exp(-pi/4)
        (1.0, 0.716186)
        >>> round(float(law.cdf(law.ppf(0.3))), 12)
        0.3
    """

    citation: ClassVar[str]

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The interval that holds the mass, but for less than 1e-16 of it."""

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value there can be, infinite where there is none."""
        return self.support

    def __init_subclass__(cls) -> None:
        """A law gives its density or the logarithm of it; the other follows."""
        super().__init_subclass__()
        if (cls._pdf, cls._logpdf) == (Law._pdf, Law._logpdf):
            raise TypeError(f"{cls.__name__} needs _pdf or _logpdf: its density is in neither.")

    def _pdf(self, x: Floats) -> Floats:
        """Density at finite x."""
        return np.asarray(np.exp(self._logpdf(x)))

    @abstractmethod
    def _cdf(self, x: Floats) -> Floats:
        """Probability of a value below finite x."""

    def pdf(self, x: ArrayLike) -> Floats:
        """Density at x, same shape, per unit of x; NaN of NaN."""
        return self._at(x, self._pdf, 0.0, 0.0)

    def cdf(self, x: ArrayLike) -> Floats:
        """Probability of a value below x, same shape; NaN of NaN."""
        return self._at(x, lambda finite: np.clip(self._cdf(finite), 0, 1), 0.0, 1.0)

    def sf(self, x: ArrayLike) -> Floats:
        """Probability of a value above x, same shape; NaN of NaN."""
        return self._at(x, lambda finite: np.clip(self._sf(finite), 0, 1), 1.0, 0.0)

    def _sf(self, x: Floats) -> Floats:
        """Probability of a value above finite x."""
        return 1 - self._cdf(x)

    @abstractmethod
    def mean(self) -> float:
        """The mean."""

    @abstractmethod
    def var(self) -> float:
        """The variance."""

    def logpdf(self, x: ArrayLike) -> Floats:
        """Logarithm of the density, minus infinity outside the support; NaN of NaN."""
        return self._at(x, self._logpdf, -np.inf, -np.inf)

    def _logpdf(self, x: Floats) -> Floats:
        """Its logarithm; to be given where the density underflows inside the support."""
        return np.asarray(np.log(self._pdf(x)))

    def _at(
        self, x: ArrayLike, function: Callable[[Floats], Floats], below: float, above: float
    ) -> Floats:
        """A function of finite x, what it is at minus and plus infinity, and NaN of NaN.

        Underflow in a tail is the right answer there, whatever NumPy is set to do about it.
        """
        values = real_array("x", x)
        finite = np.isfinite(values)
        with np.errstate(all="ignore"):
            # infinities are set afterwards: a formula would make inf - inf of them
            result = function(np.where(finite, values, self.support[1]))
        ends = np.where(np.isnan(values), np.nan, np.where(values < 0, below, above))
        return np.asarray(np.where(finite, result, ends))

    def _repr_html_(self) -> str:
        """What a notebook shows: parameters, moments, where the formula comes from."""
        low, high, mean, spread = (f"{x:.6g}" for x in (*self.ends, self.mean(), self.std()))
        facts = {"from": low, "to": high, "mean": mean, "standard deviation": spread,
                 "source": self.citation}  # fmt: skip
        columns = {"what": list(facts), "value": list(facts.values())}
        return Table(repr(self), columns, {"what": "", "value": ""}).html()

    def std(self) -> float:
        """The standard deviation."""
        return float(np.sqrt(self.var()))

    def ppf(self, q: ArrayLike) -> Floats:
        """The x with cdf(x) = q, same shape: the `ends` of 0 and 1, NaN of NaN.

        Raises:
            InvalidInputError: q outside [0, 1].
        """
        probability = real_array("q", q)
        require(
            not bool(((probability < 0) | (probability > 1)).any()),
            f"q = {shown(q)} must lie between 0 and 1: it is a probability.",
        )
        inside = (probability > 0) & (probability < 1)
        with np.errstate(all="ignore"):
            low, high = self.ends
            # 0.5 stands in for 0, 1 and NaN, whose answers are set below
            x = self._ppf(np.where(inside, probability, 0.5))
        x = np.where(probability == 0, low, np.where(probability == 1, high, x))
        return np.asarray(np.where(np.isnan(probability), np.nan, x))

    def _ppf(self, q: Floats) -> Floats:
        """The x of probabilities between 0 and 1, these excluded."""
        low, high = self.support
        # beyond what the cdf reaches on its support no bracket holds a root
        inside = np.clip(q, self.cdf(low), self.cdf(high))
        bracket = (np.full_like(inside, low), np.full_like(inside, high))
        root = elementwise.find_root(lambda x, p: self._cdf(x) - p, bracket, args=(inside,))
        return np.asarray(root.x)

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        """Random numbers of shape `size`; the same `random_state` gives the same numbers."""
        return self.ppf(np.random.default_rng(random_state).random(size))


def accepted(propose: Callable[[int], Floats], size: int | tuple[int, ...]) -> Floats:
    """Enough of what `propose(count)` accepts, of about pi/4 of so many, in shape `size`."""
    wanted = int(np.prod(size))
    draws = propose(int(1.3 * wanted) + 100)  # of its box a semicircle fills pi/4
    while len(draws) < wanted:
        draws = np.concatenate([draws, propose(wanted)])
    return np.reshape(draws[:wanted], size)


def positive(**parameters: float) -> None:
    """Refuse parameters that are not positive numbers."""
    for name, value in parameters.items():
        _checks.positive(name, value)


def one_of(name: str, value: Any, *choices: int) -> int:
    """One of a few whole numbers; any other value is refused."""
    plain = value.item() if hasattr(value, "item") and np.ndim(value) == 0 else value
    rule = f"{', '.join(map(str, choices[:-1]))} or {choices[-1]}"
    require(
        isinstance(plain, int | float) and not isinstance(plain, bool) and plain in choices,
        f"{name} = {shown(value)} must be {rule}.",
    )
    return int(plain)
