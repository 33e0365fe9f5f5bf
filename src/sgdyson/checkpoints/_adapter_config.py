"""The scale of an adapter's change of a weight, by the `adapter_config.json` beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from ._patterns import matches
from ._shards import read_json

CONFIG = "adapter_config.json"
_OTHER_CHANGES = (  # of which s B A is a part at most
    "use_qalora", "use_bdlora", "kasa_config", "monteclora_config", "arrow_config",
)  # fmt: skip
_OTHER_BASES = ("pissa", "olora", "corda", "loftq", "lora_ga")  # take B A off the base at first
_NAME, _WILD = r"(\w|-|\\?\.)*", r"(\.\*|\\d\+|\[0-9\]\+)"
_PLAIN = re.compile(rf"\^?{_NAME}({_WILD}{_NAME}){{0,2}}\$?")
_LONGEST = 500


@dataclass(frozen=True)
class AdapterConfig:
    """What `adapter_config.json` says; nothing of what it names is opened.

    Attributes:
        fields: its object.
    """

    fields: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Kind of adapter, LORA for the one that is known here."""
        kind = self.fields.get("peft_type", "LORA")
        return kind if isinstance(kind, str) else "unnamed"

    @property
    def turned(self) -> bool:
        """Whether weights are stored as (in, out), as by GPT-2."""
        return self.fields.get("fan_in_fan_out") is True

    @property
    def is_dora(self) -> bool:
        """Whether weights with their change get norms of their own."""
        return self.fields.get("use_dora") is True

    def fault(self) -> str | None:
        """Why the change of a weight is no s B A, where it is not."""
        if self.kind != "LORA":
            return f"a factor of {self.kind}, of which LoRA's s B A is not the law"
        named = next((name for name in _OTHER_CHANGES if self.fields.get(name)), None)
        return named and f"a factor of a variant of LoRA ({named}): it changes W by more than s B A"

    def base_fault(self) -> str | None:
        """Why s B A is not to be added to the weights of the base model, where it is not."""
        start = self.fields.get("init_lora_weights")
        named = isinstance(start, str) and start.lower().startswith(_OTHER_BASES)
        return (
            f"init_lora_weights = {start!r} changed the base at the start: W_0 is not the weight"
            " of the base model"
            if named
            else None
        )

    def scale(self, module: str, rank: int) -> float | str:
        r"""$s = \alpha/r$, or $\alpha/\sqrt r$ if rank-stabilised; the reason where unknown.

        Args:
            module: name of the layer in the base model.
            rank: rows of A.
        """
        alpha = self._number("lora_alpha", "alpha_pattern", module)
        expected = self.rank(module)
        if isinstance(alpha, str) or isinstance(expected, str):
            return alpha if isinstance(alpha, str) else str(expected)
        if expected != rank or rank == 0:
            return f"of rank {rank}, where {CONFIG} says r = {expected:g}"
        return alpha / (math.sqrt(rank) if self.fields.get("use_rslora") is True else rank)

    def rank(self, module: str) -> float | str:
        """Rank of the factors of a layer; the reason where unknown."""
        return self._number("r", "rank_pattern", module)

    def _number(self, key: str, patterns: str, module: str) -> float | str:
        """A number of all modules, or the one that a pattern of names has for this one."""
        special = self.fields.get(patterns)
        value: Any = self.fields.get(key)
        for pattern, own in special.items() if isinstance(special, dict) else ():
            try:
                matched = _matches(pattern, module)
            except InvalidInputError as error:
                return f"a pattern in {CONFIG}, {pattern[:60]!r}: {error}"
            if matched:
                value = own
                break
        # by type: true and false are whole numbers to isinstance
        if type(value) not in (int, float) or not math.isfinite(value):
            return f"{CONFIG} has no number {key}"
        return float(value)


def _matches(pattern: str, module: str) -> bool:
    """As peft does, from the start of the name, or after one of its dots, to its end."""
    whole = rf"(.*\.)?({pattern})$"
    if len(pattern) <= _LONGEST and _PLAIN.fullmatch(pattern):  # names with few wildcards
        return bool(re.match(whole, module))
    return matches(whole, module)


def config_beside(files: Sequence[Path]) -> AdapterConfig | None:
    """What lies beside the first of these files; None where nothing does."""
    fields = read_json(files[0].parent / CONFIG)
    return AdapterConfig(fields) if isinstance(fields, dict) else None
