"""The figures of the paper, and those beyond it: each takes what was measured, owns no numbers."""

from ._collapse import rbm_collapse as rbm_collapse
from ._collapse import teacher_densities as teacher_densities
from ._collapse import teacher_wigner as teacher_wigner
from ._force import coulomb_force as coulomb_force
from ._rbm import densities as densities
from ._rbm import learnt_levels as learnt_levels
from ._rbm import rbm_sketch as rbm_sketch
from ._rbm import target_spectrum as target_spectrum
from ._rbm import wigner as wigner
from ._rbm_scaling import drift as drift
from ._rbm_scaling import scaling as scaling
from ._teacher import semicircle as semicircle
from ._teacher import teacher_levels as teacher_levels
from ._teacher import teacher_scaling as teacher_scaling
from ._threefold import threefold as threefold
