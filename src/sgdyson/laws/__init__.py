"""Closed-form laws of random matrix theory, with the interface of scipy.stats."""

from ._exact_spacing import ExactSpacing as ExactSpacing
from ._gaussian import Gaussian as Gaussian
from ._gaussian_ensemble import GaussianEnsembleDensity as GaussianEnsembleDensity
from ._hard_edge import HardEdge as HardEdge
from ._independent import Brody as Brody
from ._independent import PoissonSpacing as PoissonSpacing
from ._largest import LargestLevel as LargestLevel
from ._law import Law as Law
from ._marchenko_pastur import MarchenkoPastur as MarchenkoPastur
from ._marchenko_pastur import MarchenkoPasturSingular as MarchenkoPasturSingular
from ._pair_density import PairDensity as PairDensity
from ._ratio import SpacingRatio as SpacingRatio
from ._semicircle import Semicircle as Semicircle
from ._tracy_widom import TracyWidom as TracyWidom
from ._wigner import WignerSurmise as WignerSurmise
