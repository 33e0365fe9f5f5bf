"""Weight matrices of real networks: spectra, noise and dynamics. Imports no framework."""

from ._advice import Advice as Advice
from ._advice import MatrixNoise as MatrixNoise
from ._advice import Pair as Pair
from ._advice import advise as advise
from ._advice import matrix_noise as matrix_noise
from ._bulk import Bulk as Bulk
from ._bulk import fit_bulk as fit_bulk
from ._cadence import Cadence as Cadence
from ._checkpoints import Checkpoint as Checkpoint
from ._checkpoints import checkpoints as checkpoints
from ._dynamics import MatrixDynamics as MatrixDynamics
from ._dynamics import coulomb_repulsion as coulomb_repulsion
from ._dynamics import matrix_dynamics as matrix_dynamics
from ._matrices import Skipped as Skipped
from ._matrices import weight_matrices as weight_matrices
from ._noise import noise_scale as noise_scale
from ._page import write_run_report as write_run_report
from ._run_store import matrices_of as matrices_of
from ._run_store import open_run as open_run
from ._spectrum import MatrixSpectrum as MatrixSpectrum
from ._spectrum import spectrum as spectrum
from ._tail import Tail as Tail
from ._tail import fit_tail as fit_tail
from ._torch import SpectralTracker as SpectralTracker
from ._tracker import Tracker as Tracker
