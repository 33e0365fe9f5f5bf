"""Random matrices, and the levels of any Coulomb gas."""

from ._circular import CircularEnsemble as CircularEnsemble
from ._coulomb_gas import CoulombGas as CoulombGas
from ._coulomb_gas import GasSample as GasSample
from ._gaussian import GaussianEnsemble as GaussianEnsemble
from ._jacobi import JacobiEnsemble as JacobiEnsemble
from ._potentials import Laguerre as Laguerre
from ._potentials import Quadratic as Quadratic
from ._potentials import Quartic as Quartic
from ._potentials import RBMPotential as RBMPotential
from ._wishart import WishartEnsemble as WishartEnsemble
