"""The paper, regenerated: settings, runs, measurements, checks."""

from ._reproduce import reproduce as reproduce
