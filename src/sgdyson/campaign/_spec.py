"""A campaign as a file: read, checked as a whole, spread over its settings, hashed."""

import hashlib
import itertools
import json
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from .._capacity import in_words, require_memory
from .._files import user_path
from .._threads import one_blas_thread
from .._version import __version__
from ..errors import InvalidInputError, NoPredictionError, require
from ..models import Model, Prediction
from ..spectra import Multiplet
from ._fields import Count, LearningSection, Positive, Section, Seed
from ._mistakes import sentences
from ._models import ModelSection

_MOST_SETTINGS = 100_000
_MOST_BYTES = 1_000_000  # of a spec: the largest that someone writes has some thousand
_TABLES = ("model", "learning")


class Setting(Section):
    """One value for every parameter.

    Attributes:
        name: name of the campaign.
        seed: seed of the campaign; `stream` is that of the setting.
        replicas: how many, before any are added for precision.
        time_unit: of the three that follow: one update, or 1/learning_rate of them, rounded up.
        updates: updates of each replica after its burn-in.
        record_every: time between records.
        burn_in: time before the first record, or "stationary": 40 times the slowest relaxation
            time that the model predicts.
        vary: how lists are combined.
        target_error: standard error every setting must reach on `quantity`.
        quantity: mean spacing of the first degenerate pair, or mean or width of the first level.
        most_replicas: most replicas of a setting, when replicas are added.
        model: what learns.
        learning: how.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    seed: Seed = 0
    replicas: Count
    time_unit: Literal["update", "1/learning_rate"] = "update"
    updates: Count
    record_every: Count
    burn_in: Annotated[int, Field(ge=0, lt=2**31)] | Literal["stationary"] = 0
    vary: Literal["grid", "zip"] = "grid"
    target_error: Positive | None = None
    quantity: Literal["mean_spacing", "level_mean", "level_width"] = "mean_spacing"
    most_replicas: Count = 100_000
    model: ModelSection
    learning: LearningSection

    def build(self) -> Model:
        """The model of this setting."""
        # what a file holds may have changed since
        fresh = getattr(self.model, "file", None) is not None
        return (_built.__wrapped__ if fresh else _built)(self.model)

    @property
    def stream(self) -> int:
        """Seed of this setting, from `seed`, `[model]` and `[learning]` alone."""
        words = {"seed": self.seed, "model": self.model, "learning": self.learning}
        return int(_digest(words)[:15], 16)

    @property
    def burn_in_updates(self) -> int:
        """The burn-in in updates."""
        if self.burn_in != "stationary":
            return self._in_updates(self.burn_in)
        return self.predict().settling_time()

    def predict(self) -> Prediction:
        """What theory says of this setting, its optimiser included.

        Raises:
            NoPredictionError: a model or optimiser without a closed form.
        """
        learning = self.learning
        return self.build().predict(learning.learning_rate, learning.batch_size, learning.rule())

    def multiplets(self) -> list[Multiplet] | None:
        """Levels that share what they learn; of plain descent where the optimiser has no theory.

        None of a model without any.
        """
        learning = self.learning
        for optimizer in (learning.rule(), None):
            try:
                return (
                    self.build()
                    .predict(learning.learning_rate, learning.batch_size, optimizer)
                    .multiplets()
                )
            except NoPredictionError:
                continue
        return None

    @property
    def times(self) -> int:
        """Records of a replica."""
        return self.updates // self.record_every + 1

    @property
    def interval(self) -> int:
        """Updates between records."""
        return self._in_updates(self.record_every)

    @property
    def recorded_updates(self) -> int:
        """Updates from the first record to the last."""
        return (self.times - 1) * self.interval

    @property
    def total_updates(self) -> int:
        """Updates of a replica, its burn-in included."""
        return self.burn_in_updates + self.recorded_updates

    def _in_updates(self, time: int) -> int:
        if self.time_unit == "update":
            return time
        # the last bit of a quotient must not add an update
        return math.ceil(round(time / self.learning.learning_rate, 6))


@lru_cache(maxsize=4)
def _built(section: ModelSection) -> Model:
    """Settings that differ in `[learning]` alone share a model, which never changes."""
    require_memory(8 * section.numbers(), f"model = {section!r}", "choose a smaller one")
    with one_blas_thread():
        return section.build()


@dataclass(frozen=True)
class Spec:
    """A campaign: its settings, in the order of the grid.

    Attributes:
        raw: as it was read.
        varied: values of every parameter that is a list, by name.
        settings: all of them; the last varied parameter changes fastest.
        version: of sgdyson, which gives the values their meaning.
    """

    raw: dict[str, Any]
    varied: dict[str, list[Any]]
    settings: list[Setting]
    version: str = field(default_factory=lambda: __version__)

    @cached_property
    def data(self) -> list[str]:
        """Fingerprints of what networks learn, a text or a data set; empty for other models."""
        models = {setting.model: setting for setting in self.settings}.values()
        settings = (setting.build().settings() for setting in models)
        sources = (
            str(words[name]) for words in settings for name in ("corpus", "data") if name in words
        )
        return list(dict.fromkeys(sources))

    @property
    def first(self) -> Setting:
        """The first setting, asked for what all of them share."""
        return self.settings[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid: an axis for each varied parameter, or one for a zip."""
        if self.first.vary == "zip" and self.varied:
            return (len(self.settings),)
        return tuple(len(values) for values in self.varied.values())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every value, of the data, and of the version that gives them their meaning."""
        return self.digest_of(self.version)

    def digest_of(self, version: str, data: Any = None) -> str:
        """The digest as another version, or with other data, would have it."""
        words = {"version": version, "settings": self.settings, "varied": self.varied}
        return _digest(words | {"data": self.data if data is None else data})


def read_spec(path: Path | str) -> Spec:
    """Read and check a spec file.

    Raises:
        InvalidInputError: every mistake in the file, a line each.
    """
    path = user_path(path)
    try:
        size = path.stat().st_size
        require(
            size <= _MOST_BYTES,
            f"{path} has {in_words(size)}; a spec has at most {in_words(_MOST_BYTES)}.",
        )
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror}); `sgdyson new NAME` writes a spec to"
            " start from."
        ) from error
    except RecursionError as error:
        raise InvalidInputError(f"{path} is nested too deeply; flatten it.") from error
    except ValueError as error:  # TOML's, UTF-8's, and Python's own of very long numbers
        raise InvalidInputError(f"{path} is not TOML: {error}.") from error
    return parse_spec(raw, str(path))


def parse_spec(raw: dict[str, Any], source: str = "spec") -> Spec:
    """Check a spec given as nested dictionaries; see `read_spec`."""
    varied = dict(_varied(raw))
    mistakes = _mistakes_of_lists(raw, varied)
    settings: list[Setting] = []
    if not mistakes:
        for values in _combinations(raw, varied):
            try:
                setting = Setting.model_validate(
                    replaced(raw, dict(zip(varied, values, strict=True)))
                )
                _check_model(setting)
                settings.append(setting)
            except ValidationError as error:
                mistakes += sentences(error, Setting)
            except InvalidInputError as error:
                mistakes.append(str(error))
    if mistakes:
        lines = "\n".join(f"  * {line}" for line in dict.fromkeys(mistakes))
        raise InvalidInputError(f"{source} has mistakes:\n{lines}")
    return Spec(raw, varied, settings)


def _varied(raw: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The lists of a spec; a teacher is itself a list of numbers, and so are hidden layers."""
    tables = [("", raw), *((f"{t}.", raw[t]) for t in _TABLES if isinstance(raw.get(t), dict))]
    for prefix, table in tables:
        for key, value in table.items():
            is_list = isinstance(value, list)
            if is_list and key in ("teacher", "strengths", "hidden"):
                is_list = bool(value) and all(isinstance(entry, list) for entry in value)
            if is_list:
                yield prefix + key, value


def _mistakes_of_lists(raw: dict[str, Any], varied: dict[str, list[Any]]) -> list[str]:
    mistakes = []
    for key, values in varied.items():
        zipped = key == "replicas" and raw.get("vary") == "zip"
        if "." not in key and key != "burn_in" and not zipped:
            mistakes.append(f"{key} = {values}: one value for the whole campaign; a list may stand"
                            ' in [model], in [learning], for burn_in and, with vary = "zip", for'
                            " replicas.")  # fmt: skip
        if not values:
            mistakes.append(f"{key} = []: give at least one value.")
        if raw.get("vary") != "zip" and _repeats(values):
            mistakes.append(f"{key} = {values}: a value stands there twice; remove one.")
    lengths = {key: len(values) for key, values in varied.items()}
    if raw.get("vary") == "zip":
        columns = [
            [None if key == "replicas" else value for value in values]
            for key, values in varied.items()
        ]
        if len(set(lengths.values())) > 1:
            mistakes.append(f'vary = "zip" needs lists of one length, not {lengths}; use "grid".')
        elif _repeats(list(zip(*columns, strict=True))):
            mistakes.append('vary = "zip": a setting stands there twice; remove one.')
        number = max(lengths.values(), default=1)
    else:
        number = math.prod(lengths.values())
    if number > _MOST_SETTINGS:
        mistakes.append(f"{number} settings; at most {_MOST_SETTINGS}.")
    return mistakes


def _repeats(values: list[Any]) -> bool:
    return len({json.dumps(value, sort_keys=True) for value in values}) < len(values)


def _combinations(raw: dict[str, Any], varied: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    if raw.get("vary") == "zip" and varied:
        return zip(*varied.values(), strict=True)
    return itertools.product(*varied.values())


def replaced(raw: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The spec with other values, named as in `learning.batch_size`."""
    chosen = {
        key: dict(content) if isinstance(content, dict) else content for key, content in raw.items()
    }
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        (chosen[table] if table else chosen)[name] = value
    return chosen


def _check_model(setting: Setting) -> None:
    """What only the model knows, and what concerns several values."""
    setting.build()
    require(
        setting.record_every <= setting.updates,
        f"record_every = {setting.record_every} is more than updates = {setting.updates}.",
    )
    if setting.burn_in == "stationary":
        _check_stationary(setting)
    pairs = setting.target_error is None or setting.quantity != "mean_spacing"
    require(
        pairs or any(group.is_pair for group in setting.multiplets() or []),
        f'quantity = "mean_spacing": {setting.model.kind} has no degenerate pair; choose'
        ' "level_mean" or "level_width".',
    )
    require(
        setting.total_updates < 2**31,
        f"{setting.total_updates} updates of a replica, burn-in included; at most {2**31 - 1}.",
    )


def _check_stationary(setting: Setting) -> None:
    try:
        learnt = setting.predict().learnt
    except NoPredictionError as error:
        raise InvalidInputError(
            f'burn_in = "stationary": {setting.model.kind} under {setting.learning.optimizer}'
            " predicts no relaxation time; give a number."
        ) from error
    require(
        bool(learnt.any()),
        'burn_in = "stationary": the model predicts no level that is learnt; give a number.',
    )


def _digest(value: Any) -> str:
    def plain(section: Any) -> Any:
        assert isinstance(section, BaseModel)
        # without defaults, a parameter that is added later leaves old streams as they are
        return section.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)

    text = json.dumps(value, sort_keys=True, default=plain)
    return hashlib.sha256(text.encode()).hexdigest()
