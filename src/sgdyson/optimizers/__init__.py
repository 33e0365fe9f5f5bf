"""Optimisers, and the stationary fluctuations that the noise of mini-batches leaves under each."""

from ._optimizers import SGD as SGD
from ._optimizers import Adam as Adam
from ._optimizers import AdamW as AdamW
from ._optimizers import HeavyBall as HeavyBall
from ._optimizers import Muon as Muon
from ._optimizers import Nesterov as Nesterov
from ._optimizers import Optimizer as Optimizer
from ._optimizers import RMSProp as RMSProp
from ._optimizers import Scheduled as Scheduled
from ._registry import OPTIMIZERS as OPTIMIZERS
from ._registry import optimizer_of as optimizer_of
from ._registry import optimizer_settings as optimizer_settings
from ._registry import optimizers_with as optimizers_with
from .stationary import effective_rate as effective_rate
from .stationary import stationary_variance as stationary_variance
