"""Checkpoints of any framework: read, one or a series, and every matrix in them measured."""

from ._cache import fetch as fetch
from ._checkpoints import Checkpoint as Checkpoint
from ._checkpoints import checkpoints as checkpoints
from ._compare import Comparison as Comparison
from ._compare import compare as compare
from ._survey import survey as survey
from ._table import print_summary as print_summary
from ._table import print_table as print_table
from ._work import Survey as Survey
