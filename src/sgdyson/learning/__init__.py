"""The engine: one replica's step, the ensemble over cores and devices."""

from ._block import block_size as block_size
from ._devices import cores as cores
from ._ensemble import simulate as simulate
from ._replica import OptimizerFactory as OptimizerFactory
