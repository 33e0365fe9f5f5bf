"""The one number of this version: pyproject reads it too."""

__version__ = "0.1.0"
