"""One function a figure: takes what was measured, returns a `Figure`; owns no numbers."""

from ._elements import Figure as Figure
from ._elements import Panel as Panel
from ._matplotlib import draw as draw
from ._matplotlib import save as save
from ._plotly import to_html as to_html
from ._plotly import to_plotly as to_plotly
from .dyson import coulomb_force as coulomb_force
from .phases import order_parameters as order_parameters
from .phases import phases as phases
from .phases import stability as stability
from .rbm import densities as densities
from .rbm import drift as drift
from .rbm import learnt_levels as learnt_levels
from .rbm import rbm_sketch as rbm_sketch
from .rbm import scaling as scaling
from .rbm import target_spectrum as target_spectrum
from .rbm import wigner as wigner
from .teacher import semicircle as semicircle
from .teacher import teacher_levels as teacher_levels
from .teacher import teacher_scaling as teacher_scaling
