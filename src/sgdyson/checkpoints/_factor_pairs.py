r"""Adapters of low rank: two factors of a layer as the one matrix $s B A$.

$W = W_0 + s B A$ with $A$ of (r, in) and $B$ of (out, r) (E. J. Hu et al., LoRA, ICLR 2022). Of a
convolution $A$ is (r, in, *kernel) and $B$ (out, r, 1, 1); of an embedding, and where weights are
stored as (in, out), it is $(B A)^T$. Neither factor is a weight matrix: $A$ is noise at the start,
and $B$ zero. DoRA (S.-Y. Liu et al., ICML 2024, equation (5)) gives each output of $W_0 + s B A$ a
norm of its own, $W = m\,(W_0 + s B A)/\lVert W_0 + s B A\rVert$ with a norm for each output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .._stored import Stored
from .._types import Floats
from ..errors import require
from ._adapter_config import CONFIG


@dataclass(frozen=True)
class Pair:
    """The two factors of one layer.

    Attributes:
        name: of the weight in the base model.
        inner: $A$.
        outer: $B$.
        turned: whether the weight is $(B A)^T$.
        scale: $s$; None where nothing tells it; the reason where the change is no $s B A$.
        alpha: an array of one number in the file, $s r$.
        own_base: $W_0$ under its name in the base model, where it lies beside the factors.
        magnitude: $m$ of DoRA, a number for each output.
        is_dora: whether there should be such numbers.
    """

    name: str
    inner: Stored
    outer: Stored
    turned: bool
    scale: float | str | None
    alpha: Stored | None = None
    own_base: Stored | None = None
    magnitude: Stored | None = None
    is_dora: bool = False

    @property
    def rank(self) -> int:
        """Rows of $A$."""
        return self.inner.shape[0] if self.inner.shape else 0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of $s B A$ as the weight is stored, the axes of a kernel in one."""
        rows, columns = self.outer.shape[0], math.prod(self.inner.shape[1:])
        return (columns, rows) if self.turned else (rows, columns)

    @property
    def is_scaled(self) -> bool:
        """Whether $s$ is known."""
        return self.scale is not None or self.alpha is not None

    def fault(self) -> str | None:
        """Why they make no matrix."""
        a, b = self.inner.shape, self.outer.shape
        for factor in (self.inner, self.outer, self.alpha, self.magnitude):
            if factor is not None and factor.reason is not None:
                return factor.reason
        if len(a) < 2 or len(b) < 2 or b[1] != a[0] or set(b[2:]) - {1}:
            return f"factors A of shape {a} and B of shape {b} do not multiply to B A"
        if not (math.prod(a) and math.prod(b)):
            return "empty"
        if self.alpha is not None and math.prod(self.alpha.shape) != 1:
            return f"alpha of shape {self.alpha.shape}, where one number makes the scale"
        return self.scale if isinstance(self.scale, str) else self._unfit_magnitude()

    def _unfit_magnitude(self) -> str | None:
        if self.magnitude is None:
            fault = f"factors of DoRA by {CONFIG}, without norms beside them"
            return fault if self.is_dora else None
        shape, outputs = self.magnitude.shape, self.outer.shape[0]
        fits = math.prod(shape) == outputs
        return None if fits else f"norms of shape {shape} of DoRA, for {outputs} outputs"

    def factors(self) -> tuple[Floats, Floats]:
        """Two matrices whose product is $s B A$."""
        a, b = (factor.load().astype(np.float64) for factor in (self.inner, self.outer))
        a, b = a.reshape(self.rank, -1), self._s() * b.reshape(-1, self.rank)
        return (a.T, b.T) if self.turned else (b, a)

    def product(self) -> Floats:
        """$s B A$."""
        left, right = self.factors()
        return left @ right

    def on(self, weight: Floats) -> Floats:
        """$W_0 + s B A$, under DoRA with its norms, of the shape of $W_0$."""
        whole = weight.astype(np.float64) + self.product().reshape(weight.shape)
        if self.magnitude is None:
            return whole
        rows = whole.T if self.turned else whole.reshape(len(whole), -1)
        norms = np.linalg.norm(rows, axis=1)
        require(bool(np.all(norms > 0)), "an output of norm 0, to which DoRA can give no other")
        scaled = rows * (self.magnitude.load().astype(np.float64).reshape(-1) / norms)[:, None]
        return scaled.T if self.turned else scaled.reshape(weight.shape)

    def stored(self) -> Stored:
        """As an array of the file, or with the reason why it is none."""
        fault = self.fault()
        if self.magnitude is not None:
            fault = fault or "a change by DoRA, which depends on W_0; give the base"
        if fault is not None:
            return Stored(self.name, "float64", (), reason=fault)
        where = CONFIG if self.alpha is None else "the alpha beside it"
        words = f"s B A of an adapter, s by {where}"
        if not self.is_scaled:
            words = f"B A of an adapter, without its scale: there is no {CONFIG} beside the file"
        return Stored(
            self.name, "float64", self.shape, self.product, words=words, factors=self._some
        )

    def _some(self) -> tuple[Floats, Floats]:
        left, right = self.factors()
        require(bool(left.any() and right.any()), "all zero, as an adapter is before training")
        return left, right

    def _s(self) -> float:
        if self.alpha is None:
            return self.scale if isinstance(self.scale, float) else 1.0
        alpha = float(self.alpha.load().reshape(-1)[0])
        require(math.isfinite(alpha), f"alpha = {alpha} is no scale")
        return alpha / self.rank
