"""The limit of accuracy that stochasticity sets, and what it does to generalisation."""

from ._study import study_accuracy as study_accuracy
