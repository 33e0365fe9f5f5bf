"""The linear scaling rule as a measurement: six architectures under seven optimisers."""

from ._scan import place_of_middle as place_of_middle
from ._study import ARCHITECTURES as ARCHITECTURES
from ._study import spec as spec
from ._study import study_linear_scaling as study_linear_scaling
