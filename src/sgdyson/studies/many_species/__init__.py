"""The gases of a linear network's layers."""

from ._study import study_many_species as study_many_species
