"""Weight matrices of real networks: spectra, noise and dynamics. Imports no framework."""

from ._bulk import Bulk as Bulk
from ._bulk import fit_bulk as fit_bulk
from ._checkpoints import Checkpoint as Checkpoint
from ._checkpoints import checkpoints as checkpoints
from ._matrices import Skipped as Skipped
from ._matrices import weight_matrices as weight_matrices
from ._noise import noise_scale as noise_scale
from ._spectrum import MatrixSpectrum as MatrixSpectrum
from ._spectrum import spectrum as spectrum
from ._tracker import SpectralTracker as SpectralTracker
from ._tracker import Tracker as Tracker
from ._tracker import open_run as open_run
