"""What a setting of a campaign consists of: one value for every parameter, checked."""

import math
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import optax
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from ..learning._replica import OptimizerFactory
from ..models import GaussianRBM, Model, TeacherStudent


class Section(BaseModel):
    """A table of the spec: unknown keys are refused, and nothing is converted but 1 to 1.0."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _whole(value: float) -> float:
    if value != math.inf and not value.is_integer():
        raise ValueError("must be a whole number, or inf for the exact gradient")
    return value


Count: TypeAlias = Annotated[int, Field(ge=1, lt=2**31)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BatchSize: TypeAlias = Annotated[float, Field(ge=1), AfterValidator(_whole)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]


class RBMSection(Section):
    """`[model]` with `kind = "gaussian_rbm"`: see `GaussianRBM.scalar_field`."""

    kind: Literal["gaussian_rbm"]
    n_visible: Count
    n_hidden: Count | None = None
    mass: Positive = 2.0
    rbm_mass: Positive = 3.0
    lattice_dim: Count = 1
    gibbs_sweeps: Count = 3
    sampler: Literal["collapsed", "gibbs", "independent"] = "collapsed"
    initial: Literal["random", "fixed_point"] = "random"
    initial_width: NotNegative = 0.1

    def build(self) -> Model:
        """The model, which starts at random weights or where learning ends."""
        values = self.model_dump(exclude={"kind", "initial"})
        model = GaussianRBM.scalar_field(**values)
        if self.initial == "random":
            return model
        return GaussianRBM.scalar_field(**values, initial_weights=_fixed_point(model))


def _fixed_point(model: GaussianRBM) -> np.ndarray:
    """Weights of which W^T W holds the target's lowest modes, as many as there are hidden units."""
    modes, vectors = np.linalg.eigh(model.target_kernel)
    learnt = min(model.n_hidden, model.n_visible)
    weights = np.zeros((model.n_hidden, model.n_visible))
    scale = np.sqrt(np.maximum(model.rbm_mass**2 - modes, 0))
    weights[:learnt] = (scale[:, None] * vectors.T)[:learnt]
    return weights


class TeacherSection(Section):
    """`[model]` with `kind = "teacher_student"`: see `TeacherStudent`."""

    kind: Literal["teacher_student"]
    teacher: Annotated[tuple[float, ...], Strict(False)]
    multiplicity: Count = 1  # of each eigenvalue
    noise: NotNegative = 0.1
    data: Literal["online", "quenched"] = "online"
    batches: Count = 500
    shared_inputs: bool = False
    data_seed: Seed = 0
    initial_width: NotNegative = 0.1

    def build(self) -> Model:
        """The model."""
        teacher = np.repeat(self.teacher, self.multiplicity)
        rest = self.model_dump(exclude={"kind", "teacher", "multiplicity"})
        return TeacherStudent(teacher, **rest)


class LearningSection(Section):
    """`[learning]`: `momentum` serves heavy_ball and nesterov, `weight_decay` adamw."""

    learning_rate: Positive
    batch_size: BatchSize
    optimizer: Literal["sgd", "heavy_ball", "nesterov", "rmsprop", "adam", "adamw"] = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NotNegative = 1e-4

    def factory(self) -> OptimizerFactory | None:
        """From the learning rate to the Optax transformation; None for plain SGD."""
        if self.optimizer == "sgd":
            return None
        return _factory(self.optimizer, self.momentum, self.weight_decay)


@lru_cache
def _factory(name: str, momentum: float, weight_decay: float) -> OptimizerFactory:
    """Always the same object for the same values, so that nothing is compiled twice."""

    def make(rate: Any) -> optax.GradientTransformation:
        if name in ("heavy_ball", "nesterov"):
            return optax.sgd(rate, momentum=momentum, nesterov=name == "nesterov")
        if name == "adamw":
            return optax.adamw(rate, weight_decay=weight_decay)
        return {"rmsprop": optax.rmsprop, "adam": optax.adam}[name](rate)

    make.__name__ = name
    return make
