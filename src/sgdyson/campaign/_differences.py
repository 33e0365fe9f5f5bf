"""Why a campaign cannot grow to another spec, by the keys in which the two differ."""

import json
from typing import Any

from ._setting import Setting
from ._spec import Spec

_FREE = {"name", "replicas", "vary", "target_error", "quantity", "most_replicas"}
_LONGER = "a campaign keeps levels, and not the weights from which a run could go on"


def numbers_of(setting: Setting) -> tuple[int, ...]:
    """What the numbers of a setting depend on."""
    return (setting.stream, setting.burn_in_updates, setting.interval, setting.times)


def differences(old: Spec, new: Spec, replicas: list[int]) -> list[str]:
    """What another spec lacks of the numbers of a campaign; empty if it has them all.

    Args:
        old: spec of the campaign.
        new: that it should come to have.
        replicas: of each setting of the old one, asked for or finished.
    """
    asked = {numbers_of(setting): setting for setting in new.settings}
    matched = [asked.get(numbers_of(setting)) for setting in old.settings]
    if None in matched:
        missing = old.settings[matched.index(None)]
        return _by_key(old, new) or [f"the setting {_words(missing, old)} is missing"]
    return _fewer_replicas([setting for setting in matched if setting], replicas)


def _fewer_replicas(matched: list[Setting], replicas: list[int]) -> list[str]:
    for setting, before in zip(matched, replicas, strict=True):
        if setting.target_error is None and setting.replicas < before:
            return [f"replicas = {setting.replicas} was {before}"]
    return []


def _by_key(old: Spec, new: Spec) -> list[str]:
    before, after = _values(old), _values(new)
    reasons = []
    for key, values in before.items():
        now = after.get(key, {})
        lost = [value for text, value in values.items() if text not in now]
        if lost and len(values) == len(now) == 1:
            (value,) = now.values()
            longer = key == "updates" and value > lost[0]
            reasons.append(f"{key} = {_text(value)} was {_text(lost[0])}"
                           + (f" ({_LONGER})" if longer else ""))  # fmt: skip
        elif lost:
            reasons.append(f"{key} lacks {', '.join(map(_text, lost))}")
    return reasons


def _values(spec: Spec) -> dict[str, dict[str, Any]]:
    """All values of every key, by what they are as text."""
    values: dict[str, dict[str, Any]] = {}
    for setting in spec.settings:
        for key, value in setting.model_dump(exclude=_FREE).items():
            table = value if isinstance(value, dict) else {"": value}
            for name, single in table.items():
                full = f"{key}.{name}" if name else key
                values.setdefault(full, {})[_text(single)] = single
    return values


def _words(setting: Setting, spec: Spec) -> str:
    content = setting.model_dump()
    pairs = []
    for key in spec.varied:
        table, _, name = key.rpartition(".")
        pairs.append(f"{name} = {_text((content[table] if table else content)[name])}")
    return ", ".join(pairs)


def _text(value: Any) -> str:
    """As a spec would have it."""
    if value is None:
        return "not given"
    return str(value) if isinstance(value, float) else json.dumps(value)
