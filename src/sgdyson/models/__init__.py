"""What learns: one file per model, its closed-form predictions beside it."""

from ._model import Model as Model
from ._prediction import Prediction as Prediction
from .gaussian_rbm import GaussianRBM as GaussianRBM
from .gaussian_rbm import scalar_field_kernel as scalar_field_kernel
from .teacher_student import TeacherStudent as TeacherStudent
