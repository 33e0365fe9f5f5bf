"""Spectra of a transformer, from noise to structure."""

from ._study import study_structure as study_structure
