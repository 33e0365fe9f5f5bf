"""Runs measured against theory: multiplets, scaling, repulsion, and the checks made of them."""

from ._check import Check as Check
from ._force import MeasuredForce as MeasuredForce
from ._force import measure_force as measure_force
from ._measure import MeasuredMultiplet as MeasuredMultiplet
from ._measure import MeasuredPair as MeasuredPair
from ._measure import MeasuredRun as MeasuredRun
from ._measure import measure as measure
from ._measure import stationary_levels as stationary_levels
from ._phases import LevelMotion as LevelMotion
from ._phases import PhaseDiagram as PhaseDiagram
from ._phases import level_motion as level_motion
from ._phases import phase_diagram as phase_diagram
from ._scaling import Scaling as Scaling
from ._scaling import scaling as scaling
from ._stability import StabilityLimit as StabilityLimit
from ._stability import growth_crossing as growth_crossing
from ._stability import threshold as threshold
