"""What is particular to each network: its data, its words, its speed tricks."""

import __future__

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sgdyson import Model, simulate
from sgdyson.engine.block import block_size
from sgdyson.errors import InvalidInputError
from sgdyson.models import MLP, CharacterTransformer
from sgdyson.models._corpus import tokens
from sgdyson.models._dense import dense

HOW = {"learning_rate": 0.1, "record_every": 20, "updates": 40, "replicas": 2, "seed": 1,
       "progress": False}  # fmt: skip


@pytest.mark.parametrize("rows", [1, 16, 33])
def test_the_layer_has_the_gradient_of_its_formula(rows):
    """Both for few rows and for many; a layer without bias is told apart."""
    random = np.random.default_rng(0)
    with jax.enable_x64(True):
        x, w, b = (jnp.asarray(random.normal(size=s)) for s in ((rows, 4), (4, 3), (3,)))

        def plain(x, w, b):
            return jnp.sum(jnp.sin(x @ w + b))

        def ours(x, w, b):
            return jnp.sum(jnp.sin(dense(x, w, b)))

        expected = jax.jit(jax.grad(plain, (0, 1, 2)))(x, w, b)
        found = jax.jit(jax.grad(ours, (0, 1, 2)))(x, w, b)
        wrong = jax.jit(jax.grad(plain, (0, 1, 2)))(x, w, 0 * b)
    for one, other, third in zip(found, expected, wrong, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
        assert not np.allclose(third, other, rtol=1e-3)


class TestMLP:
    def test_digits_are_learnt_in_float32(self):
        """From a chance of 10 % to most of the images; weights without an update stay there."""
        model = MLP.digits(hidden=(16,))
        found = simulate(model, **HOW | {"updates": 400, "record_every": 400},
                         batch_size=16, record_weights=True)  # fmt: skip
        assert found.weights_layer1.dtype == np.float32
        right = [
            np.mean(
                np.argmax(
                    np.tanh(model.inputs @ found.weights_layer1.values[0, time]
                            + found.weights_bias1.values[0, time])
                    @ found.weights_layer2.values[0, time] + found.weights_bias2.values[0, time],
                    axis=1,
                ) == model.targets
            )
            for time in (0, 1)
        ]  # fmt: skip
        assert right[0] < 0.3
        assert right[1] > 0.85

    def test_the_whole_data_set_has_no_noise(self):
        """Replicas differ by their start alone: the same start gives the same end."""
        model = MLP(np.eye(3), np.array([0.5, 1.0, 2.0]), hidden=(2,), precision="float64")
        with jax.enable_x64(True):
            weights = jax.jit(lambda: model.init(jax.random.key(0)))()

            def gradients(batch_size):
                one = jax.jit(lambda key: model.gradient(key, weights, (), batch_size)[0])
                return one(jax.random.key(1)), one(jax.random.key(2))

            (first, other), (noisy, _) = gradients(np.inf), gradients(2)
        np.testing.assert_array_equal(first["layer1"], other["layer1"])
        assert not np.allclose(first["layer1"], noisy["layer1"])

    @pytest.mark.parametrize(
        ("data", "changes", "named"),
        [
            ((np.ones((3, 2)), np.zeros(2, int)), {}, "a row for each of the 3"),
            ((np.ones((3, 2)), np.array([0, -1, 1])), {}, "classes 0, 1, 2"),
            ((np.ones((3, 2)), np.array(["a", "b", "c"])), {}, "classes 0, 1, 2"),
            ((np.full((3, 2), np.nan), np.zeros(3, int)), {}, "finite"),
            ((np.ones(3), np.zeros(3, int)), {}, r"shape \(3,\)"),
            ((np.ones((3, 2)), np.zeros(3)), {"hidden": (4, 0)}, r"hidden = \(4, 0\)"),
            ((np.ones((3, 2)), np.zeros(3)), {"hidden": 4}, "hidden = 4"),
            ((np.ones((3, 2)), np.zeros(3)), {"activation": "step"}, "activation = 'step'"),
            ((np.ones((3, 2)), np.zeros(3)), {"precision": "half"}, "precision = 'half'"),
            ((np.ones((3, 2)), np.zeros(3)), {"initial_width": 0.0}, "initial_width = 0"),
        ],
    )
    def test_bad_input_is_named(self, data, changes, named):
        with pytest.raises(InvalidInputError, match=named):
            MLP(*data, **changes)

    def test_whole_numbers_are_of_any_type(self):
        small = MLP(np.ones((3, 2)), np.zeros(3), hidden=(np.int64(4),))
        assert small.sizes == (2, 4, 1)
        width, context = np.int64(8), np.int32(4)
        assert CharacterTransformer("abc" * 9, width=width, context=context).width == 8

    def test_without_scikit_learn_the_remedy_is_told(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sklearn", None)
        with pytest.raises(InvalidInputError, match=r"pip install \"sgdyson\[data\]\""):
            MLP.breast_cancer()

    def test_data_are_told_apart(self):
        one, other = (MLP(np.eye(3), np.array([0.0, 1.0, x])) for x in (2.0, 3.0))
        assert one.settings()["data"] != other.settings()["data"]


class TestCharacterTransformer:
    def test_no_character_knows_what_follows_it(self):
        model = CharacterTransformer("abcd" * 20, blocks=1, width=4, heads=2, context=6)
        weights = model.init(jax.random.key(0))
        text = jnp.asarray(model.tokens[:6])[None]
        changed = text.at[0, 4].set((text[0, 4] + 1) % 4)
        logits = jax.jit(lambda t: model.logits(weights, t))
        before, after = logits(text)[0], logits(changed)[0]
        np.testing.assert_array_equal(before[:4], after[:4])
        assert not np.allclose(before[4:], after[4:])

    def test_rare_characters_share_a_number(self):
        numbers, alphabet = tokens("aaabbbccz", 3)
        assert alphabet == "ab"
        np.testing.assert_array_equal(numbers, [0, 0, 0, 1, 1, 1, 2, 2, 2])
        assert tokens("abba", 3)[1] == "ab"

    def test_the_default_is_the_standard_library(self):
        model = CharacterTransformer(characters=2000, width=8)
        assert model.settings()["characters"] == 2000
        first = Path(__future__.__file__).read_text(encoding="utf-8")[:2000]
        assert "".join((model.alphabet + "?")[n] for n in model.tokens) == first

    def test_a_file_is_its_text(self, tmp_path):
        path = tmp_path / "text.txt"
        path.write_text("hello world " * 10)
        one, other = (
            CharacterTransformer(text, width=4, heads=1, context=4).settings()["corpus"]
            for text in (path, "hello world " * 10)
        )
        assert one == other
        assert one != CharacterTransformer("hello moon " * 10, context=4).settings()["corpus"]
        with pytest.raises(InvalidInputError, match="cannot be read"):
            CharacterTransformer(tmp_path / "missing.txt")

    @pytest.mark.parametrize(
        ("changes", "named"),
        [({"heads": 3}, "heads = 3 must divide"), ({"context": 500}, "too short"),
         ({"blocks": 0}, "blocks = 0"), ({"precision": "half"}, "precision = 'half'")],
    )  # fmt: skip
    def test_bad_input_is_named(self, changes, named):
        with pytest.raises(InvalidInputError, match=named):
            CharacterTransformer("abc" * 50, **changes)

    def test_the_whole_text_is_refused_as_a_batch(self):
        with pytest.raises(InvalidInputError, match="batch_size = inf"):
            simulate(CharacterTransformer("abc" * 50), **HOW, batch_size=np.inf)


def test_large_networks_have_small_blocks():
    """Powers of two; small models fill a block of eight or more."""
    assert block_size(MLP(np.eye(64), np.arange(64) % 10, hidden=(32,)), "cpu") == 8
    assert block_size(CharacterTransformer("abc" * 50, width=32), "cpu") == 4
    assert block_size(CharacterTransformer("abc" * 50, width=64), "cpu") == 1


class TestFromLoss:
    def test_a_function_of_batches(self):
        """Fresh data of a linear map: SGD finds it, in the order of its own singular values."""
        target = np.diag([3.0, 1.0])

        def batches(key, batch_size):
            inputs = jax.random.normal(key, (int(batch_size), 2))
            return inputs, inputs @ target

        model = Model.from_loss(
            lambda w, batch: jnp.mean((batch[0] @ w - batch[1]) ** 2),
            lambda key: 0.1 * jax.random.normal(key, (2, 2)),
            batches,
        )
        found = simulate(model, **HOW | {"updates": 400}, batch_size=8)
        np.testing.assert_allclose(found.levels[:, -1], [[3.0, 1.0]] * 2, atol=1e-6)
        assert model.matrix_names() == ("weights", "weights")

    def test_names_of_matrices_stay_with_their_levels(self):
        """Not sorted by name: the user's order."""
        model = Model.from_loss(
            lambda w, batch: jnp.sum(w["b"] ** 2) + jnp.sum(w["a"] ** 2),
            lambda key: {"b": jnp.ones((1, 2)), "a": jnp.ones((2, 2))},
            np.ones(3),
            matrices=lambda w: {"b": w["b"], "a": w["a"]},
        )
        assert model.matrix_names() == ("b", "a", "a")
        levels = model.levels({"b": np.ones((1, 2)), "a": np.ones((2, 2))})
        np.testing.assert_allclose(levels, [2**0.5, 2.0, 0.0], atol=1e-7)

    def test_bad_input_is_named(self):
        def loss(weights, batch):
            return jnp.sum(weights * batch)

        with pytest.raises(InvalidInputError, match=r"lengths \[2, 3\]"):
            Model.from_loss(loss, lambda key: jnp.ones((2, 2)), (np.ones(2), np.ones(3)))
        with pytest.raises(InvalidInputError, match="no matrix"):
            Model.from_loss(loss, lambda key: jnp.ones(2), np.ones(2))
