"""Closed-form laws of random matrix theory, with the interface of scipy.stats."""

from ._gaussian_ensemble import GaussianEnsembleDensity as GaussianEnsembleDensity
from ._law import Law as Law
from ._pair_density import PairDensity as PairDensity
from ._semicircle import Semicircle as Semicircle
from ._wigner import WignerSurmise as WignerSurmise
