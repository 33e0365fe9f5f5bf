"""Phases of a network in the plane of alpha/|B| and the initial width."""

from ._figures import order_parameters as order_parameters
from ._figures import phases as phases
from ._figures import stability as stability
from ._study import study_phase_diagram as study_phase_diagram
