"""From matrices to levels, multiplets, spacings and the repulsion between levels."""

from ._levels import levels_of_weights as levels_of_weights
from ._long_range import Curve as Curve
from ._long_range import brody_fit as brody_fit
from ._long_range import form_factor as form_factor
from ._long_range import mean_ratio as mean_ratio
from ._long_range import number_variance as number_variance
from ._long_range import rigidity as rigidity
from ._long_range_theory import form_factor_theory as form_factor_theory
from ._long_range_theory import number_variance_theory as number_variance_theory
from ._long_range_theory import rigidity_theory as rigidity_theory
from ._long_range_theory import two_level_cluster as two_level_cluster
from ._multiplets import Multiplet as Multiplet
from ._multiplets import multiplet_levels as multiplet_levels
from ._multiplets import multiplets as multiplets
from ._multiplets import single_levels as single_levels
from ._multiplets import spacings as spacings
from ._multiplets import unit_spacings as unit_spacings
from ._repulsion import CoulombForce as CoulombForce
from ._repulsion import repulsion as repulsion
from ._repulsion_lines import coulomb_diffusion as coulomb_diffusion
from ._repulsion_lines import coulomb_drift as coulomb_drift
from ._repulsion_lines import finite_step as finite_step
from ._unfolding import nearest_spacings as nearest_spacings
from ._unfolding import unfold as unfold
