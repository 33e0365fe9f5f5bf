"""Numbers with honest errors: estimates, resampling over replicas, fits and goodness of fit."""

from ._autocorrelation import ShortChainError as ShortChainError
from ._autocorrelation import autocorrelation_time as autocorrelation_time
from ._autocorrelation import mean_along_time as mean_along_time
from ._estimate import Estimate as Estimate
from ._fits import LevelFit as LevelFit
from ._fits import fit_gaussian as fit_gaussian
from ._fits import fit_pair_density as fit_pair_density
from ._fits import fit_wigner as fit_wigner
from ._fitted_law import fitted_law_test as fitted_law_test
from ._goodness import GoodnessOfFit as GoodnessOfFit
from ._goodness import anderson_darling as anderson_darling
from ._goodness import ks_test as ks_test
from ._goodness import wigner_test as wigner_test
from ._histogram import Histogram as Histogram
from ._histogram import density_histogram as density_histogram
from ._kolmogorov import wigner_ks_test as wigner_ks_test
from ._line import LineFit as LineFit
from ._line import fit_line as fit_line
from ._resampling import bootstrap as bootstrap
from ._resampling import covariance_over_replicas as covariance_over_replicas
from ._resampling import jackknife as jackknife
from ._resampling import jackknife_of_means as jackknife_of_means
from ._resampling import mean_over_replicas as mean_over_replicas
from ._resampling import means_over_replicas as means_over_replicas
