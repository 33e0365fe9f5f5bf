"""Weights of a finished run, as its model has them."""

import jax
import numpy as np
import xarray as xr
from jaxtyping import PyTree

from ..models import Model


def recorded_weights(model: Model, run: xr.Dataset) -> PyTree[np.ndarray]:
    """Weights of a run made with `record_weights`, each array with (replica, time) in front."""
    # leaf after leaf, as the engine names them
    leaves = [run[name].values for name in run if str(name).startswith("weights")]
    return jax.tree.unflatten(jax.tree.structure(model.weight_shapes()), leaves)
