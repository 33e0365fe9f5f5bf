"""From matrices to levels, multiplets, spacings and the repulsion between levels."""

from ._levels import levels_of_weights as levels_of_weights
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
