"""The paper, regenerated: settings, runs, measurements, checks."""

from ._reproduce import reproduce as reproduce
from ._reproduce import study_paper as study_paper
