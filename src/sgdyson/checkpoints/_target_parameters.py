r"""Adapters of single parameters, as of stacked weights of experts: peft's `target_parameters`.

One pair of factors serves all $E$ experts: $A$ of (E r, in) has one block of rows after the other,
$B$ of (out, r E) has the expert as the faster of its two inner axes, and the change of expert e is
$s B_e A_e$, or its transpose where weights are stored as (in, out). The file names the module and
not the parameter: shapes of the base tell which it is, and which way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np

from .._stored import Stored
from .._types import Floats
from ..errors import require
from ._adapter_config import CONFIG, AdapterConfig
from ._by_name import bare_name

_MOST = 5  # parameters of one module
_Pair = tuple[str, Stored, Stored]  # name in the file, A and B
_Way = tuple[tuple[str, bool], ...]  # of each pair its parameter, and whether that is turned


@dataclass(frozen=True)
class _Change:
    """What a pair adds to a parameter.

    Attributes:
        inner: $A$.
        outer: $B$.
        scale: $s$.
        experts: $E$.
    """

    inner: Stored
    outer: Stored
    scale: float
    experts: int

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the change of one expert, as (out, in)."""
        return self.outer.shape[0], self.inner.shape[1]

    def fits(self, weight: Stored, turned: bool) -> bool:
        """Whether it can be the change of this parameter."""
        expert = self.shape[::-1] if turned else self.shape
        whole = expert if len(weight.shape) == 2 else (self.experts, *expert)
        return weight.shape == whole and "float" in weight.dtype

    def blocks(self) -> tuple[Floats, Floats]:
        """$s B$ as (expert, out, r) and $A$ as (expert, r, in)."""
        a, b = (factor.load().astype(np.float64) for factor in (self.inner, self.outer))
        left = np.moveaxis(b.reshape(len(b), -1, self.experts), 2, 0)
        return self.scale * left, a.reshape(self.experts, -1, a.shape[1])

    def factors(self, expert: int) -> tuple[Floats, Floats]:
        left, right = (block[expert] for block in self.blocks())
        require(bool(left.any() and right.any()), "all zero, as an adapter is before training")
        return left, right

    def product(self, expert: int) -> Floats:
        left, right = self.factors(expert)
        return left @ right

    def on(self, weight: Stored, turned: bool) -> Floats:
        left, right = self.blocks()
        change = np.swapaxes(left @ right, 1, 2) if turned else left @ right
        return weight.load().astype(np.float64) + change.reshape(weight.shape)


@dataclass(frozen=True)
class Targets:
    """All pairs of one module.

    Attributes:
        home: name of the module in the base model.
        pairs: names in the file, $A$ and $B$ of each.
        keys: names of the parameters that the configuration may mean.
        config: the configuration.
    """

    home: str
    pairs: tuple[_Pair, ...]
    keys: tuple[str, ...]
    config: AdapterConfig

    def changes(self) -> Iterator[Stored]:
        """The change of each expert; which way round its weight is stored is not known."""
        for name, inner, outer in self.pairs:
            change, *others = {self._change(key, inner, outer) for key in self.keys}
            if others:
                change = "a change of one of several parameters of their own ranks; give the base"
            title = self._title(name)
            if isinstance(change, str):
                yield Stored(title, "float64", (), reason=change)
                continue
            for e in range(change.experts):
                yield Stored(
                    f"{title}[{e}]" if change.experts > 1 else title, "float64", change.shape,
                    partial(change.product, e), factors=partial(change.factors, e),
                    words=f"s B A of an adapter, s by {CONFIG}",
                )  # fmt: skip

    def on(self, weights: Mapping[str, Stored]) -> Iterator[Stored]:
        """The parameters with their changes."""
        known = {key: weights[bare_name(key)] for key in self.keys if bare_name(key) in weights}
        ways = self._ways(known)
        reason = self.config.base_fault() or self._fault() or (
            f"{'more than one' if ways else 'no'} parameter of the base has the shape of the change"
            if len(ways) != 1 else None
        )  # fmt: skip
        if reason is not None:
            yield from (Stored(self._title(p[0]), "float64", (), reason=reason) for p in self.pairs)
            return
        for (key, turned), (_, inner, outer) in zip(ways.pop(), self.pairs, strict=True):
            change, weight = self._change(key, inner, outer), known[key]
            assert isinstance(change, _Change)  # by `_ways`
            yield Stored(
                key, "float64", weight.shape, partial(change.on, weight, turned),
                words="W_0 + s B A, W_0 of the base", beside=weight.beside,
            )  # fmt: skip

    def _ways(self, weights: Mapping[str, Stored]) -> set[_Way]:
        """Which parameters the pairs may belong to: all of a module are stored the same way."""
        ways = set()
        for keys in permutations(weights, len(self.pairs)):
            for turned in (False, True):
                way = tuple((key, turned and len(weights[key].shape) == 3) for key in keys)
                if all(
                    self._fits(key, pair, weights[key], turns)
                    for pair, (key, turns) in zip(self.pairs, way, strict=True)
                ):
                    ways.add(way)
        return ways

    def _fits(self, key: str, pair: _Pair, weight: Stored, turned: bool) -> bool:
        change = self._change(key, *pair[1:])
        return isinstance(change, _Change) and change.fits(weight, turned)

    def _fault(self) -> str | None:
        """Why not one of the pairs has a change."""
        all_pairs = [self._change(key, *p[1:]) for key in self.keys for p in self.pairs]
        faults = [each for each in all_pairs if isinstance(each, str)]
        return faults[0] if len(faults) == len(all_pairs) else None

    def _title(self, name: str) -> str:
        short = " or ".join(key.removeprefix(f"{self.home}.") for key in self.keys)
        return self.keys[0] if len(self.keys) == 1 else f"{name} ({short})"

    def _change(self, key: str, inner: Stored, outer: Stored) -> _Change | str:
        """The change if it is of this parameter, or why it is none."""
        rank = self.config.rank(key)
        if isinstance(rank, str):
            return rank
        a, b = inner.shape, outer.shape
        if len(a) != 2 or len(b) != 2 or a[0] != b[1] or a[0] == 0 or rank < 1 or a[0] % rank:
            return f"factors A of shape {a} and B of shape {b} make no products of rank {rank:g}"
        scale = self.config.fault() or self.config.scale(key, int(rank))
        reason = inner.reason or outer.reason or (scale if isinstance(scale, str) else None)
        return reason or _Change(inner, outer, float(scale), a[0] // int(rank))


def targets_of(home: str, pairs: Sequence[_Pair], config: AdapterConfig | None) -> Targets | None:
    """The pairs of a module as changes of single parameters, where the configuration says so."""
    listed = config.fields.get("target_parameters") if config else None
    names = (
        {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()
    )
    if config is None or not names or _is_target_module(home, config):
        return None
    keys = tuple(
        f"{home}.{own}"
        for module, _, own in (name.rpartition(".") for name in sorted(names))
        if not module or _ends_in(home, module)
    )
    return Targets(home, tuple(pairs), keys, config) if 0 < len(keys) <= _MOST else None


def _is_target_module(home: str, config: AdapterConfig) -> bool:
    """Whether the module as a whole is adapted, which peft does not do with its parameters too."""
    modules = config.fields.get("target_modules")
    return isinstance(modules, list) and any(
        isinstance(module, str) and _ends_in(home, module) for module in modules
    )


def _ends_in(home: str, module: str) -> bool:
    return f".{home}".endswith(f".{module}")
