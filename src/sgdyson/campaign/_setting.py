"""One setting of a campaign: a value for every parameter, what they mean, and their seed."""

import hashlib
import json
import math
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from .._capacity import require_memory
from .._threads import one_blas_thread
from ..errors import InvalidInputError, NoPredictionError, require
from ..models import Model, Prediction
from ..spectra import Multiplet
from ._fields import Count, LearningSection, Positive, Section, Seed
from ._models import ModelSection

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"  # of a campaign, and of its folder and files


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

    name: Annotated[str, Field(pattern=NAME)]
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
        # without replicas and updates, of which more are of the same streams
        words = {"seed": self.seed, "model": self.model, "learning": self.learning}
        # 60 bits: JAX takes seeds below 2^63
        return int(sha256_of(words)[:15], 16)

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


def check_model(setting: Setting) -> None:
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


def sha256_of(value: Any) -> str:
    """SHA-256 of plain values and settings."""

    def plain(section: Any) -> Any:
        assert isinstance(section, BaseModel)
        # without defaults, a parameter that is added later leaves old streams as they are
        return section.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)

    text = json.dumps(value, sort_keys=True, default=plain)
    return hashlib.sha256(text.encode()).hexdigest()
