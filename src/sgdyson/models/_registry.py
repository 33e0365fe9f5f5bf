"""The models by the name that specs and studies give them."""

from .character_transformer import CharacterTransformer
from .gaussian_rbm import GaussianRBM
from .linear_network import LinearNetwork
from .low_rank_teacher import LowRankTeacher
from .mlp import MLP
from .model import Model
from .teacher_student import TeacherStudent
from .two_layer_teacher import TwoLayerTeacher

MODELS: dict[str, type[Model]] = {
    "gaussian_rbm": GaussianRBM, "teacher_student": TeacherStudent,
    "low_rank_teacher": LowRankTeacher, "linear_network": LinearNetwork,
    "two_layer_teacher": TwoLayerTeacher, "mlp": MLP,
    "character_transformer": CharacterTransformer,
}  # fmt: skip
"""Every model by its kind; a user's own, `Model.from_loss`, has none."""
