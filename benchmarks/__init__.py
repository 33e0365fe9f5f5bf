"""Timings against plain references: `python -m benchmarks`."""
