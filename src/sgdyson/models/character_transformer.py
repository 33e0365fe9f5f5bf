"""A small transformer that learns a text character by character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, PRNGKeyArray, PyTree

from .._checks import whole
from ..errors import require
from ..optimizers import Optimizer
from ._arrays import fingerprint
from ._corpus import read_text, tokens
from ._prediction import Prediction
from .model import Weights
from .network import (
    Network,
    Precision,
    check_precision,
    normal_matrices,
    rows,
    unpredicted,
    whole_batch,
)

Stream = Float[Array, "window place width"]
_MLP = 4  # times the width: the hidden layer of a block


class CharacterTransformer(Network):
    r"""A decoder: embedding, blocks of causal attention and a perceptron, layer norm before each.

    A mini-batch is |B| windows of `context` characters at random places of the text; the loss is
    the mean cross entropy of the next character. All matrices start with independent entries
    N(0, 1/fan in), the embeddings N(0, 1/width). Levels: singular values of "embedding",
    "position", "block1.query", "block1.key", "block1.value", "block1.output", "block1.mlp_in",
    "block1.mlp_out", "block2.query", ..., "unembedding".

    Args:
        text: a string; the path of a file in UTF-8; by default Python's own standard library.
        characters: how many of the text are learnt, from its beginning.
        symbols: at most so many different ones; the rarest share one.
        blocks: how many.
        width: of the embedding.
        heads: of attention, a divisor of the width.
        context: characters in a window.
        precision: "float32" or "float64".

    Raises:
        InvalidInputError: a text shorter than a window, a size below 1, heads that do not divide
            the width, a file that cannot be read.
    """

    tokens: np.ndarray
    alphabet: str = eqx.field(static=True)
    symbols: int = eqx.field(static=True)
    blocks: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    heads: int = eqx.field(static=True)
    context: int = eqx.field(static=True)
    precision: Precision = eqx.field(static=True)

    def __init__(
        self,
        text: str | Path | None = None,
        *,
        characters: int = 500_000,
        symbols: int = 96,
        blocks: int = 2,
        width: int = 64,
        heads: int = 4,
        context: int = 64,
        precision: Precision = "float32",
    ) -> None:
        sizes = {"characters": characters, "symbols": symbols, "blocks": blocks, "width": width,
                 "heads": heads, "context": context}  # fmt: skip
        for name, value in sizes.items():
            sizes[name] = whole(name, value, least=2 if name == "symbols" else 1)
        self.blocks, self.width, self.heads, self.context = (
            sizes[name] for name in ("blocks", "width", "heads", "context")
        )
        require(
            self.width % self.heads == 0,
            f"heads = {heads} must divide width = {width}; try heads = 1.",
        )
        check_precision(precision)
        corpus = read_text(text, sizes["characters"])
        require(
            len(corpus) > context,
            f"a text of {len(corpus)} characters is too short for context = {context}; give a"
            " longer text or a shorter context.",
        )
        self.tokens, self.alphabet = tokens(corpus, sizes["symbols"])
        self.symbols = int(self.tokens.max()) + 1
        self.precision = precision

    def init(self, key: PRNGKeyArray) -> Weights:
        """Independent normal entries; layer norms of gain 1 and shift 0."""
        matrices = normal_matrices(
            key, self._shapes(), self.precision, transposed=("embedding", "position")
        )
        weights: dict[str, Any] = {"norm": self._norm()}
        for number in range(1, self.blocks + 1):
            weights[f"block{number}"] = {"attention_norm": self._norm(), "mlp_norm": self._norm()}
        for name, matrix in matrices.items():
            block, _, own = name.rpartition(".")
            (weights[block] if block else weights)[own] = matrix
        return weights

    def logits(
        self, weights: Weights, characters: Int32[Array, "window place"]
    ) -> Float[Array, "window place symbol"]:
        """Logits of the character that comes after each of these.

        Args:
            weights: of one replica.
            characters: their numbers, windows no longer than `context`.
        """
        x = weights["embedding"][characters] + weights["position"][: characters.shape[1]]
        for number in range(1, self.blocks + 1):
            block = weights[f"block{number}"]
            x = x + self._attention(block, _normalised(x, block["attention_norm"]))
            inner = jax.nn.gelu(_normalised(x, block["mlp_norm"]) @ block["mlp_in"])
            x = x + inner @ block["mlp_out"]
        return _normalised(x, weights["norm"]) @ weights["unembedding"]

    def loss(self, weights: Weights, batch: Any) -> Float[Array, ""]:
        """Mean cross entropy of the next character, in natural units."""
        log_chance = jax.nn.log_softmax(self.logits(weights, batch[:, :-1]))
        return -jnp.mean(jnp.take_along_axis(log_chance, batch[:, 1:, None], axis=-1))

    def batch(self, key: PRNGKeyArray, batch_size: float) -> Int32[Array, "window place"]:
        """Windows of `context` characters and the next, at uniform places of the text."""
        starts = rows(key, whole_batch(batch_size), len(self.tokens) - self.context)
        places = starts[:, None] + jnp.arange(self.context + 1, dtype=jnp.int32)
        return jnp.asarray(self.tokens)[places]

    def matrices(self, weights: PyTree[Any]) -> dict[str, Any]:
        """Every matrix by its name, from the embedding to the unembedding."""
        matrices = {}
        for name in self._shapes():
            block, _, own = name.rpartition(".")
            matrices[name] = (weights[block] if block else weights)[own]
        return matrices

    def predict(
        self, learning_rate: float, batch_size: float, optimizer: Optimizer | None = None
    ) -> Prediction:
        """Refused: no closed form is known."""
        return unpredicted(self)

    def settings(self) -> dict[str, Any]:
        """Sizes, and the corpus by its length and a hash."""
        return {
            "model": "character_transformer",
            "blocks": self.blocks, "width": self.width, "heads": self.heads,
            "context": self.context, "symbols": self.symbols, "precision": self.precision,
            "characters": len(self.tokens),
            "corpus": fingerprint(self.tokens, np.array(self.alphabet)),
        }  # fmt: skip

    def _attention(self, block: Weights, x: Stream) -> Stream:
        """Each place looks at itself and at those before it."""
        places = x.shape[1]

        def split(name: str) -> Float[Array, "window place head part"]:
            return (x @ block[name]).reshape(*x.shape[:2], self.heads, -1)

        scores = jnp.einsum("wphd,wqhd->whpq", split("query"), split("key"))
        seen = jnp.tri(places, dtype=bool)
        scale = (self.width // self.heads) ** -0.5
        attention = jax.nn.softmax(jnp.where(seen, scale * scores, -jnp.inf))
        return (
            jnp.einsum("whpq,wqhd->wphd", attention, split("value")).reshape(x.shape)
            @ (block["output"])
        )

    def _shapes(self) -> dict[str, tuple[int, int]]:
        """Shape of every matrix, in the order of the levels."""
        width, hidden = self.width, _MLP * self.width
        block = dict.fromkeys(("query", "key", "value", "output"), (width, width))
        block |= {"mlp_in": (width, hidden), "mlp_out": (hidden, width)}
        shapes = {"embedding": (self.symbols, width), "position": (self.context, width)}
        for number in range(1, self.blocks + 1):
            shapes |= {f"block{number}.{name}": shape for name, shape in block.items()}
        return shapes | {"unembedding": (width, self.symbols)}

    def _norm(self) -> dict[str, Array]:
        return {"gain": jnp.ones(self.width, self.precision),
                "shift": jnp.zeros(self.width, self.precision)}  # fmt: skip


def _normalised(x: Stream, norm: dict[str, Array]) -> Stream:
    """Layer norm: mean 0 and variance 1 over the width, then gain and shift."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = jnp.mean(centred**2, axis=-1, keepdims=True)
    # 1e-5 as in PyTorch's LayerNorm, so that a constant row is not divided by zero
    return centred * jax.lax.rsqrt(variance + 1e-5) * norm["gain"] + norm["shift"]
