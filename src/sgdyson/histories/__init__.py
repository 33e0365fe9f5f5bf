"""Histories of levels from any file: read, measured without a model, and written as JSON."""

from ._history import History as History
from ._read import read as read
from ._report import write_summary_report as write_summary_report
from ._scaling import ScalingLine as ScalingLine
from ._scaling import scaling_lines as scaling_lines
from ._summary import MultipletSummary as MultipletSummary
from ._summary import Summary as Summary
from ._summary import summarise as summarise
