"""The table `[model]` of a spec: one section for each kind of model."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field, Strict

from ..models import (
    MLP,
    CharacterTransformer,
    GaussianRBM,
    LinearNetwork,
    LowRankTeacher,
    Model,
    TeacherStudent,
    TwoLayerTeacher,
)
from ._fields import Count, ModelTable, NotNegative, Positive, Seed

_REALS = {1: 1, 2: 2, 4: 8}  # numbers in an entry of the weights; quaternions in complex form


class RBMSection(ModelTable):
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
    beta: Literal[1, 2, 4] = 1
    positive_phase: Literal["exact", "minibatch"] = "exact"
    chains: Literal["persistent", "data"] = "persistent"

    def numbers(self) -> int:
        """The target's kernel and its modes, the weights."""
        entries = self.n_visible * (3 * self.n_visible + (self.n_hidden or self.n_visible))
        return _REALS[self.beta] * entries

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


class TeacherSection(ModelTable):
    """`[model]` with `kind = "teacher_student"`: see `TeacherStudent`."""

    kind: Literal["teacher_student"]
    teacher: Annotated[tuple[float, ...], Strict(False)]
    multiplicity: Count = 1  # of each eigenvalue
    label_noise: NotNegative = 0.1
    data: Literal["online", "quenched"] = "online"
    batches: Count = 500
    shared_inputs: bool = False
    data_seed: Seed = 0
    initial_width: NotNegative = 0.1
    beta: Literal[1, 2, 4] = 1

    def numbers(self) -> int:
        """The weights and, of quenched data, the correlations of every batch."""
        size = _REALS[self.beta] * (len(self.teacher) * self.multiplicity) ** 2
        return size * (2 + 2 * self.batches if self.data == "quenched" else 2)

    def build(self) -> Model:
        """The model."""
        teacher = np.repeat(self.teacher, self.multiplicity)
        rest = self.model_dump(exclude={"kind", "teacher", "multiplicity"})
        return TeacherStudent(teacher, **rest)


class LowRankSection(ModelTable):
    """`[model]` with `kind = "low_rank_teacher"`: see `LowRankTeacher`."""

    kind: Literal["low_rank_teacher"]
    strengths: Annotated[tuple[Positive, ...], Strict(False)]
    outputs: Count
    inputs: Count
    label_noise: NotNegative = 0.1
    initial_width: NotNegative = 0.05
    input_variances: Positive | Annotated[tuple[Positive, ...], Strict(False)] = 1.0
    mode_inputs: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Strict(False)] | None = None
    samples: Count | None = None

    def numbers(self) -> int:
        """Weights, their singular vectors, and the data set."""
        data = (self.samples or 0) * (self.outputs + self.inputs)
        return 3 * self.outputs * self.inputs + data

    def build(self) -> Model:
        """The model."""
        rest = self.model_dump(exclude={"kind", "strengths", "outputs", "inputs"})
        return LowRankTeacher(self.strengths, (self.outputs, self.inputs), **rest)


class LinearNetworkSection(ModelTable):
    """`[model]` with `kind = "linear_network"`: see `LinearNetwork`."""

    kind: Literal["linear_network"]
    teacher: Annotated[tuple[float, ...], Strict(False)]
    multiplicity: Count = 1  # of each eigenvalue
    hidden: Annotated[tuple[Count, ...], Strict(False)]
    label_noise: NotNegative = 0.1
    initial_width: NotNegative = 1.0

    def numbers(self) -> int:
        """The teacher and the weights of every layer."""
        ends = len(self.teacher) * self.multiplicity
        sizes = (ends, *self.hidden, ends)
        return ends**2 + sum(rows * columns for rows, columns in pairwise(sizes))

    def build(self) -> Model:
        """The model."""
        teacher = np.repeat(self.teacher, self.multiplicity)
        rest = self.model_dump(exclude={"kind", "teacher", "multiplicity"})
        return LinearNetwork(teacher, **rest)


class TwoLayerSection(ModelTable):
    """`[model]` with `kind = "two_layer_teacher"`: see `TwoLayerTeacher`."""

    kind: Literal["two_layer_teacher"]
    activation: Literal["identity", "tanh", "relu"] = "tanh"
    inner: Count = 8
    outer: Count = 4
    initial_width: NotNegative = 1.0
    label_noise: NotNegative = 0.0
    teacher_seed: Seed = 0

    def numbers(self) -> int:
        """Weights of the teacher and of the student."""
        return 2 * self.inner * (self.inner + 2 * self.outer)

    def build(self) -> Model:
        """The model."""
        return TwoLayerTeacher(**self.model_dump(exclude={"kind"}))


class MLPSection(ModelTable):
    """`[model]` with `kind = "mlp"`: see `MLP`."""

    kind: Literal["mlp"]
    data: Literal["digits", "breast_cancer"] = "digits"
    hidden: Annotated[tuple[Count, ...], Strict(False)] = (32,)
    activation: Literal["tanh", "relu", "identity"] = "tanh"
    initial_width: Positive = 1.0
    precision: Literal["float32", "float64"] = "float32"

    def numbers(self) -> int:
        """Weights; neither data set has more than 64 features."""
        sizes = (64, *self.hidden, 10)
        return sum(rows * columns for rows, columns in pairwise(sizes))

    def build(self) -> Model:
        """The model."""
        make = {"digits": MLP.digits, "breast_cancer": MLP.breast_cancer}[self.data]
        return make(**self.model_dump(exclude={"kind", "data"}))


class TransformerSection(ModelTable):
    """`[model]` with `kind = "character_transformer"`; without `file`, Python's own source."""

    kind: Literal["character_transformer"]
    file: str | None = None
    characters: Count = 500_000
    symbols: Count = 96
    blocks: Count = 2
    width: Count = 64
    heads: Count = 4
    context: Count = 64
    precision: Literal["float32", "float64"] = "float32"

    def numbers(self) -> int:
        """Weights, and the text."""
        ends = (2 * self.symbols + self.context) * self.width
        return ends + 12 * self.blocks * self.width**2 + self.characters

    def build(self) -> Model:
        """The model."""
        text = None if self.file is None else Path(self.file)
        return CharacterTransformer(text, **self.model_dump(exclude={"kind", "file"}))


ModelSection: TypeAlias = Annotated[
    RBMSection
    | TeacherSection
    | LowRankSection
    | LinearNetworkSection
    | TwoLayerSection
    | MLPSection
    | TransformerSection,
    Field(discriminator="kind"),
]
