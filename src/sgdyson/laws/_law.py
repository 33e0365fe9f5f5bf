"""What every law is: a frozen distribution with the interface of scipy.stats."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise

from ..errors import require

Floats = NDArray[np.float64]
RandomState = int | np.random.Generator | None


class Law(ABC):
    """A continuous law on one interval.

    Attributes:
        citation: where the formula comes from.
    """

    citation: ClassVar[str]

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The interval that holds the mass, but for less than 1e-16 of it."""

    @abstractmethod
    def pdf(self, x: ArrayLike) -> Floats:
        """Density at x, same shape, per unit of x."""

    @abstractmethod
    def cdf(self, x: ArrayLike) -> Floats:
        """Probability of a value below x, same shape."""

    @abstractmethod
    def mean(self) -> float:
        """The mean."""

    @abstractmethod
    def var(self) -> float:
        """The variance."""

    def logpdf(self, x: ArrayLike) -> Floats:
        """Logarithm of the density, minus infinity outside the support."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.pdf(x)))

    def std(self) -> float:
        """The standard deviation."""
        return float(np.sqrt(self.var()))

    def ppf(self, q: ArrayLike) -> Floats:
        """The x with cdf(x) = q, same shape; q outside [0, 1] is refused."""
        probability = probabilities(q)
        low, high = self.support
        inside = np.clip(probability, self.cdf(low), self.cdf(high))
        bracket = (np.full_like(inside, low), np.full_like(inside, high))
        root = elementwise.find_root(lambda x, p: self.cdf(x) - p, bracket, args=(inside,))
        return np.asarray(root.x)

    def rvs(self, size: int | tuple[int, ...] = 1, random_state: RandomState = None) -> Floats:
        """Random numbers of shape `size`; the same `random_state` gives the same numbers."""
        return self.ppf(np.random.default_rng(random_state).random(size))


def accepted(propose: Callable[[int], Floats], size: int | tuple[int, ...]) -> Floats:
    """Enough of what `propose(count)` accepts, of about pi/4 of so many, in shape `size`."""
    wanted = int(np.prod(size))
    found = propose(int(1.3 * wanted) + 100)
    while len(found) < wanted:
        found = np.concatenate([found, propose(wanted)])
    return np.reshape(found[:wanted], size)


def probabilities(q: ArrayLike) -> Floats:
    """Refuse what is not a probability."""
    probability = np.asarray(q, dtype=float)
    require(
        bool(((probability >= 0) & (probability <= 1)).all()),
        f"q = {q!r} must lie between 0 and 1: it is a probability.",
    )
    return probability


def positive(**parameters: float) -> None:
    """Refuse parameters that are not positive numbers."""
    for name, value in parameters.items():
        require(
            bool(np.isfinite(value)) and value > 0,
            f"{name} = {value!r} must be a positive number.",
        )
