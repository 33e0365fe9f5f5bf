"""When a mode steps out of the noise."""

from ._study import study_emergence as study_emergence
