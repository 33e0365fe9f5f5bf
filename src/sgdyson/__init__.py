"""sgdyson: the random-matrix laboratory of stochastic gradient descent."""

__version__ = "0.1.0"

from .campaign import Campaign as Campaign
from .learning import simulate as simulate
from .models import GaussianRBM as GaussianRBM
from .models import Model as Model
from .models import Prediction as Prediction
from .models import TeacherStudent as TeacherStudent
