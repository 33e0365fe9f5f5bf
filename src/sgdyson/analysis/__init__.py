"""Runs measured against theory: multiplets, scaling, repulsion, and the checks made of them."""

from ._check import Check as Check
from ._force import MeasuredForce as MeasuredForce
from ._force import measure_force as measure_force
from ._history import History as History
from ._measure import MeasuredMultiplet as MeasuredMultiplet
from ._measure import MeasuredPair as MeasuredPair
from ._measure import MeasuredRun as MeasuredRun
from ._measure import measure as measure
from ._measure import stationary_levels as stationary_levels
from ._phases import PHASES as PHASES
from ._phases import LevelMotion as LevelMotion
from ._phases import PhaseDiagram as PhaseDiagram
from ._phases import level_motion as level_motion
from ._phases import phase_diagram as phase_diagram
from ._read import read as read
from ._report import write_summary_report as write_summary_report
from ._scaling import Scaling as Scaling
from ._scaling import scaling as scaling
from ._scaling_lines import ScalingLine as ScalingLine
from ._scaling_lines import scaling_lines as scaling_lines
from ._stability import StabilityLimit as StabilityLimit
from ._stability import growth_crossing as growth_crossing
from ._stability import threshold as threshold
from ._summary import MultipletSummary as MultipletSummary
from ._summary import Summary as Summary
from ._summary import summarise as summarise
