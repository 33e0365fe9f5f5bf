"""The engine: one replica's step, the ensemble over cores and devices."""

from ._ensemble import simulate as simulate
