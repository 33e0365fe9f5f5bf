"""Kinds of values in a spec, and its table `[learning]`."""

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ..optimizers import OPTIMIZERS, SGD, Optimizer, optimizers_with


class Section(BaseModel):
    """A table of the spec: unknown keys are refused, and nothing is converted but 1 to 1.0."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ModelTable(Section):
    """A kind of `[model]`, which knows how large it is before it is built."""

    def numbers(self) -> int:
        """Entries of its largest arrays together, about: matrices of the weights and of theory."""
        raise NotImplementedError


def _whole(value: float) -> float:
    if value != math.inf and not value.is_integer():
        raise ValueError("must be a whole number, or inf for the exact gradient")
    return value


Count: TypeAlias = Annotated[int, Field(ge=1, lt=2**31)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BatchSize: TypeAlias = Annotated[float, Field(ge=1), AfterValidator(_whole)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
if TYPE_CHECKING:
    OptimizerName: TypeAlias = str
else:
    OptimizerName = Literal[tuple(OPTIMIZERS)]


class LearningSection(Section):
    """`[learning]`: numbers of an optimiser that are not given are its own defaults."""

    learning_rate: Positive
    batch_size: BatchSize
    optimizer: OptimizerName = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    weight_decay: NotNegative | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("momentum", "weight_decay"):
            if getattr(self, name) is not None and self.optimizer not in optimizers_with(name):
                raise ValueError(f"{self.optimizer} has no {name}; remove it")
        return self

    def rule(self) -> Optimizer:
        """The optimiser."""
        given = self.model_dump(include={"momentum", "weight_decay"}, exclude_none=True)
        return OPTIMIZERS[self.optimizer](**given)

    def factory(self) -> Optimizer | None:
        """The optimiser as `simulate` takes it: None for plain SGD."""
        return None if self.rule() == SGD() else self.rule()
