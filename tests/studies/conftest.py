"""What tests of studies share."""

import pytest


@pytest.fixture
def undrawn(monkeypatch):
    """Figures were drawn once in a test: called, no study draws them again."""
    return lambda: monkeypatch.setattr("sgdyson.studies._study.save", lambda *_: None)
