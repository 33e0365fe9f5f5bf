"""The paper, regenerated: settings, runs, measurements, checks."""

from ._own import paper_figure as paper_figure
from ._reproduce import reproduce as reproduce
from ._reproduce import study_paper as study_paper
