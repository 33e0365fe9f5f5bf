"""State of an optimiser is no weight, by its name; what only looks like it is one."""

import numpy as np
import pytest

from sgdyson.spectra import Skipped, is_average, is_optimiser_state, weight_matrices

STATE = [
    "optimizer.state.0.exp_avg", "optimizer_states.0.state.3.exp_avg_sq", "state.0.momentum_buffer",
    "state.1.max_exp_avg_sq", "state.0.square_avg", "opt_state.0.mu.Dense_0.kernel",
    "opt_state/0/nu/Dense_0/kernel", "adam/dense_kernel_momentum", "optimizer/adam/dense_velocity",
    "model.layers.0.weight_exp_avg",
]  # fmt: skip
WEIGHTS = [
    "encoder.fc_mu.weight", "vae.mu.weight", "layers.0.weight", "lm_head.weight", "adapter.weight",
    "momentum_encoder.weight", "state_embedding.weight", "sgd_head.weight",
    "opt.decoder.fc1.weight",
]  # fmt: skip


@pytest.mark.parametrize("name", STATE)
def test_state(name):
    assert is_optimiser_state(name)
    (part,) = weight_matrices([(name, np.eye(3))])
    assert part == Skipped(name, "state of the optimiser")


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(name):
    assert not is_optimiser_state(name, WEIGHTS)


def test_both_moments_of_one_parameter_are_state():
    names = ["0.mu.Dense_0.kernel", "0.nu.Dense_0.kernel", "params.Dense_0.kernel"]
    assert [is_optimiser_state(name, names) for name in names] == [True, True, False]
    parts = list(weight_matrices([(name, np.eye(3)) for name in names]))
    assert [isinstance(part, Skipped) for part in parts] == [True, True, False]


def test_averages():
    assert is_average("model_ema.w")
    assert is_average("ema.layers.0.weight")
    assert not is_average("schema.weight")
