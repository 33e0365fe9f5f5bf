"""What learns: one file per model, its closed-form predictions beside it."""

from ._leading import LeadingOrder as LeadingOrder
from ._learning_path import LearningPath as LearningPath
from ._level_law import LevelLaw as LevelLaw
from ._level_statistics import LevelNumbers as LevelNumbers
from ._prediction import Prediction as Prediction
from ._quenched import quenched_mean_spacing as quenched_mean_spacing
from ._registry import MODELS as MODELS
from ._target import scalar_field_kernel as scalar_field_kernel
from .character_transformer import CharacterTransformer as CharacterTransformer
from .gaussian_rbm import GaussianRBM as GaussianRBM
from .linear_network import LinearNetwork as LinearNetwork
from .loss_model import LossModel as LossModel
from .low_rank_teacher import LowRankTeacher as LowRankTeacher
from .mlp import MLP as MLP
from .model import Model as Model
from .teacher_student import TeacherStudent as TeacherStudent
from .two_layer_teacher import TwoLayerTeacher as TwoLayerTeacher
