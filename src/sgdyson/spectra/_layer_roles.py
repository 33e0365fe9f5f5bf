"""What a weight matrix does in its network, by its name and the number of its axes."""

import re
from collections.abc import Sequence

from ._layouts import parts_of_name

ROLES = ("embedding", "attention", "mlp", "convolution", "recurrent", "head", "other")
"""What a weight can do, see `role_of`."""

_SIGNS = (  # in the order in which they are asked
    ("embedding", r"embed(?!der)|embd|(^|\.)(wte|wpe|emb|codebook)(\.|$)|(^|\.)shared\.weight$"),
    ("mlp", r"(^|\.|_)(mlp|ffn|feed_?forward|experts?|moe)(\.|_|$)|dense\w*dense\."),
    ("recurrent", r"(^|\.|_)(lstm|gru|rnn)|weight_[ih]h_l\d|recurrent_kernel"
     r"|(mixer|mamba|ssm)\.(in_proj|out_proj|x_proj|dt_proj|conv1d|a_log)"),
    ("attention", r"att(n|ention)|(^|\.|_)(qkv|query|key|value|query_key_value|wqkv)"
     r"(_proj|_dense)?(\.|$)|(^|\.|_)([qkvo]|out|in|q_[ab]|kv_[ab])_proj(_weight)?(\.|$)"
     r"|(^|\.)(to_[qkv]|to_out|w[qkv])(\.|$)"),
    ("mlp", r"(^|\.|_)(ff|fc\d+|c_fc|w[123]|intermediate)(\.|_|$)|(gate|up|down|gate_up)_proj"
     r"|dense_(h_to_4h|4h_to_h)|(^|\.)layer\.\d+\.output\.dense(\.|$)"),
    ("convolution", r"(^|\.|_)conv"),
    ("head", r"(^|\.|_)(head|classifier|logits|score|unembed|fc|output)(\.|_|$)"),
)  # fmt: skip
_KNOWN = [(role, re.compile(sign)) for role, sign in _SIGNS]


def role_of(name: str, shape: Sequence[int] = ()) -> str:
    """What a weight does: one of embedding, attention, mlp, convolution, recurrent, head, other.

    Layers of a state space count as recurrent, experts and the choice among them as mlp. By the
    names that PyTorch, Transformers, Flax, Keras and GGUF
    give; of names that tell nothing
    an array of four axes or five is a convolution, and all else is other.

    Args:
        name: of the array, its parts set off by `.` or `/`.
        shape: of the array, where it is known.

    Examples:
        >>> role_of("model.layers.0.self_attn.q_proj.weight"), role_of("blk.0.ffn_up.weight")
        ('attention', 'mlp')
        >>> role_of("layer1.0.weight", (64, 3, 7, 7))
        'convolution'
    """
    text = ".".join(parts_of_name(name)).lower()
    for role, sign in _KNOWN:
        if sign.search(text):
            return role
    return "convolution" if len(shape) in (4, 5) else "other"
