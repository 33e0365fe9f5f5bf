"""Factors of adapters among the arrays of a checkpoint: found by their names, paired by layer.

peft writes `lora_A` and `lora_B`, others `lora_down` and `lora_up` with `alpha` beside them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .._stored import Stored
from ._adapter_config import AdapterConfig
from ._factor_pairs import Pair
from ._target_parameters import Targets, targets_of

_FACTOR = re.compile(
    r"(?P<module>.+?)[._]lora(?P<embedding>_embedding)?[._](?P<side>[ABab]|down|up)"
    r"(\.(?!weight$)(?P<adapter>[^.]+))?(\.weight)?"
)
_INNER = ("A", "a", "down")
_WRAPPER = "base_model.model."  # what peft puts in front of the names of the base model
_MAGNITUDE = re.compile(
    r"(?P<module>.+)\.lora_magnitude_vector(\.(?!weight$)(?P<adapter>[^.]+))?(\.weight)?"
)
_BESIDE = {  # after the name of a layer: what makes its change more than s B A
    "dora_scale": "DoRA with norms of unknown axes", "lora_E": "AdaLoRA",
    "lora_mid": "LoCon", "lora_diag": "KaSA",
}  # fmt: skip
Layer = tuple[str, bool, str]  # its name, whether it is an embedding, name of the adapter


def pairs_in(
    arrays: Iterable[Stored], config: AdapterConfig | None
) -> Iterator[Stored | Pair | Targets]:
    """The arrays of a checkpoint, with two factors of a layer as one pair.

    Names are those of the base model. Factors of which no pair is known have the reason.
    """
    known = {array.name: array for array in arrays}
    adapters = _Adapters(known, config, _layers(known))
    for name, array in known.items():
        layer, is_inner = _layer(name)
        if layer not in adapters.layers and _magnitude(name) not in adapters.magnitudes:
            yield adapters.plain(array)
        elif is_inner:
            yield from adapters.changes(layer)


def _layer(name: str) -> tuple[Layer, bool]:
    """The layer of a factor, and whether it is the inner one, A; of any other array none."""
    match = _FACTOR.fullmatch(name)
    if match is None:
        return ("", False, ""), False
    layer = match["module"], bool(match["embedding"]), match["adapter"] or ""
    return layer, match["side"] in _INNER


def _magnitude(name: str) -> tuple[str, str]:
    """The layer and the adapter of DoRA's magnitudes; of any other array none."""
    match = _MAGNITUDE.fullmatch(name)
    return (match["module"], match["adapter"] or "") if match else ("", "")


def _home(module: str) -> str:
    """The name of a module in the base model."""
    return module.removeprefix(_WRAPPER).replace(".base_layer", "")


def _layers(known: Mapping[str, Stored]) -> dict[Layer, dict[bool, Stored]]:
    """The two factors of each layer that has both, the inner one under True."""
    layers: dict[Layer, dict[bool, Stored]] = {}
    for name, array in known.items():
        layer, is_inner = _layer(name)
        if layer[0]:
            layers.setdefault(layer, {})[is_inner] = array
    return {layer: factors for layer, factors in layers.items() if len(factors) == 2}


class _Adapters:
    """What the names of a checkpoint tell."""

    def __init__(
        self,
        known: Mapping[str, Stored],
        config: AdapterConfig | None,
        layers: Mapping[Layer, Mapping[bool, Stored]],
    ) -> None:
        self._known, self._config, self.layers = known, config, layers
        self._adapters = Counter(layer[:2] for layer in layers)
        homes = {(module, adapter) for module, _, adapter in layers}
        self.magnitudes = {
            _magnitude(name): array for name, array in known.items() if _magnitude(name) in homes
        }
        # with the name of the adapter, and `.weight`, at the end or without
        self._starts = {start for name in known for start in _starts(name)} if layers else set()

    def changes(self, layer: Layer) -> Iterator[Pair | Targets]:
        """The two factors of a layer, or all pairs of a module whose single parameters change."""
        home = _home(layer[0])
        pairs = [
            (each[0].removeprefix(_WRAPPER), factors[True], factors[False])
            for each, factors in self.layers.items()
            if _home(each[0]) == home
        ]
        targets = targets_of(home, pairs, self._config)
        if targets is None:
            yield self.pair(layer)
        elif pairs[0][0] == layer[0].removeprefix(_WRAPPER):
            yield targets

    def pair(self, layer: Layer) -> Pair:
        """The two factors of a layer."""
        (module, embedding, adapter), factors = layer, self.layers[layer]
        several = f" ({adapter})" if self._adapters[layer[:2]] > 1 else ""
        home, alpha = module.removeprefix(_WRAPPER), self._known.get(f"{module}.alpha")
        own = self._known.get(f"{module}.base_layer.weight")
        return Pair(
            name=f"{home}.weight{several}", inner=factors[True], outer=factors[False],
            turned=embedding or (self._config is not None and self._config.turned),
            scale=self._scale(module, factors[True]) if alpha is None else self._variant(module),
            alpha=alpha, own_base=own and self.plain(own),
            magnitude=self.magnitudes.get((module, adapter)),
            is_dora=self._config is not None and self._config.is_dora,
        )  # fmt: skip

    def plain(self, array: Stored) -> Stored:
        """An array that is no factor, under its name in the base model."""
        wrapped, config = array.name.startswith(_WRAPPER), self._config
        if wrapped and config and config.kind != "LORA" and len(array.shape) > 1:
            return replace(array, reason=array.reason or config.fault())
        bare = array.name.removeprefix(_WRAPPER)
        return replace(array, name=bare) if self.layers and bare not in self._known else array

    def _scale(self, module: str, inner: Stored) -> float | str | None:
        variant = self._variant(module)
        if self._config is None or variant is not None:
            return variant
        rank = inner.shape[0] if inner.shape else 0
        return self._config.fault() or self._config.scale(module.removeprefix(_WRAPPER), rank)

    def _variant(self, module: str) -> str | None:
        """Why the change of a layer is no s B A, by what lies beside its factors."""
        kind = next(
            (kind for end, kind in _BESIDE.items() if f"{module}.{end}" in self._starts), ""
        )
        return f"factors of {kind}, which changes W by more than s B A" if kind else None


def _starts(name: str) -> tuple[str, str, str]:
    head, _, _ = name.rpartition(".")
    return name, head, head.rpartition(".")[0]
