"""From an array of several axes to matrices: which axes are rows, which columns, which a stack.

Frameworks agree on no order. PyTorch stores a convolution as (out, in, *kernel), Flax and Keras as
(*kernel, in, out) under the name `kernel`; attention of Flax has its heads on an axis of their own;
experts and scanned layers are stacked along the first axis. The name tells most of it, the shape of
the bias beside a kernel the rest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors import require

Shape = tuple[int, ...]
LAYOUTS = ("auto", "torch", "channels_last", "stack")
_PARTS = re.compile(r"[./]")
_ENDS = ("value", "raw_value")  # of a variable of Flax NNX
_INTO_HEADS = re.compile(r"(^|_)(query|key|value|qkv|q|k|v|[qkv]_proj|[qkv]_projection)(_dense)?$")
_FROM_HEADS = re.compile(r"(^|_)(out|output|o|out_proj|o_proj|attention_output|proj)(_dense)?$")
_EXPERTS = re.compile(r"expert|moe|scan|stack", re.IGNORECASE)
_LINEAR = re.compile(r"linear|mlp|ffn|feed_forward", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How an array is taken as matrices.

    Attributes:
        stack: number of leading axes along which matrices lie.
        rows: the axes, of those that are left, that make the rows; the others make the columns.
        words: what is assumed, one phrase; empty where there is nothing to assume.
    """

    stack: int = 0
    rows: Shape = (0,)
    words: str = ""


_PLAIN = Layout()


def layout_of(
    name: str, shape: Shape, layout: str = "auto", shapes: Mapping[str, Shape] | None = None
) -> Layout:
    """How an array is taken as matrices.

    Args:
        name: of the array, its parts set off by `.` or `/`.
        shape: of at least two axes.
        layout: "torch" takes the first axis as rows, "channels_last" the last, "stack" the last two
            axes as matrices; "auto" goes by the name, and by the shape of the bias beside it.
        shapes: of all arrays, where known.

    Raises:
        InvalidInputError: another layout.
    """
    require(layout in LAYOUTS, f"layout {layout!r} is none of {', '.join(LAYOUTS)}; choose one.")
    if len(shape) == 2:
        return _PLAIN
    if layout == "auto":
        *parents, leaf = parts_of_name(name)
        if leaf.endswith("kernel") or (leaf == "w" and "conv" in "".join(parents)):
            return _kernel(leaf, parents, shape, _bias(name, shapes or {}))
        return _weight(leaf, parents, shape, _bias(name, shapes or {}))
    return {"torch": _first_out, "channels_last": _last_out, "stack": _stack}[layout](len(shape))


def is_vectors(name: str) -> bool:
    """Whether an array of two axes or more is of vectors: biases of heads or of stacked layers."""
    leaf = parts_of_name(name)[-1]
    return leaf in ("bias", "scale") or leaf.endswith("_bias")


@lru_cache(maxsize=1 << 14)  # a tracker asks at each record
def parts_of_name(name: str) -> tuple[str, ...]:
    parts = _PARTS.split(name.removesuffix(":0"))
    while len(parts) > 1 and parts[-1] in _ENDS and parts[-2] != "":
        if parts[-2] not in ("kernel", "bias", "embedding", "scale", "weight"):
            break
        parts.pop()
    return tuple(parts)


def _bias(name: str, shapes: Mapping[str, Shape]) -> Shape | None:
    """Shape of the bias of a kernel or weight."""
    for leaf in ("kernel", "weight"):
        head, middle, tail = name.rpartition(leaf)
        if middle and f"{head}bias{tail}" in shapes:
            return shapes[f"{head}bias{tail}"]
    return shapes.get(f"{name}_bias")


def _kernel(leaf: str, parents: Sequence[str], shape: Shape, bias: Shape | None) -> Layout:
    """Layout of a kernel of Flax, Keras or Haiku: the last axis is what comes out."""
    axes, path = len(shape), "/".join(parents)
    parent = parents[-1] if parents else ""
    if "depthwise" in f"{parent}/{leaf}".lower():
        return Layout(0, (axes - 2, axes - 1), "a depthwise kernel (*kernel, channel, multiple)")
    if _INTO_HEADS.search(parent) and "conv" not in parent:
        return _heads(axes - 3, (0,), "(in, heads, size)")
    if _FROM_HEADS.search(parent) and re.search("att", path, re.IGNORECASE):
        return _heads(axes - 3, (0, 1), "(heads, size, out)")
    stack = _stacked(shape, bias, conv="conv" in path.lower())
    if stack is None:
        return Layout(0, (0,), "(in, *out), by the shape of its bias")
    if axes - stack == 2:
        return _stack(axes)
    if "ConvTranspose" in parent:
        return Layout(stack, (axes - stack - 2,), _named(stack, "(*kernel, in, out), transposed"))
    return _last_out(axes, stack)


def _stacked(shape: Shape, bias: Shape | None, conv: bool) -> int | None:
    """Number of stacked axes of a kernel; None if all but the first axis are what comes out."""
    if bias is not None and len(bias) >= 2:
        lead = len(bias) - 1
        if bias == (*shape[:lead], shape[-1]):
            return lead
        return None if bias == shape[1:] else 0
    if bias is not None or conv or len(shape) > 3:
        return 0
    return 1


def _weight(leaf: str, parents: Sequence[str], shape: Shape, bias: Shape | None) -> Layout:
    """Layout of a weight of PyTorch: its first axis is what comes out, unless it is a stack."""
    axes, path = len(shape), "/".join([*parents, leaf])
    alone = next((place for place, size in enumerate(shape) if size != 1), axes)
    if leaf != "weight" and alone and axes - alone <= 2:
        return Layout(max(axes - 2, 0), (0,), "")  # (1, positions, width): one matrix
    if bias is not None and len(bias) == 2 and bias[0] == shape[0]:
        return _stack(axes)
    if "conv" in path.lower():
        return _first_out(axes)
    if _EXPERTS.search(path) or (axes == 3 and leaf != "weight"):
        return _stack(axes)
    wide = axes == 3 and shape[2] > shape[0]  # a kernel is shorter than there are channels
    return _stack(axes) if wide and _LINEAR.search(path) else _first_out(axes)


def _first_out(axes: int) -> Layout:
    return Layout(0, (0,), "a convolution (out, in, *kernel)")


def _last_out(axes: int, stack: int = 0) -> Layout:
    return Layout(stack, (axes - stack - 1,), _named(stack, "a convolution (*kernel, in, out)"))


def _stack(axes: int) -> Layout:
    return Layout(axes - 2, (0,), "a stack of matrices along the first axis" if axes == 3 else
                  f"a stack of matrices along the first {axes - 2} axes")  # fmt: skip


def _heads(stack: int, rows: Shape, what: str) -> Layout:
    if stack < 0:
        return Layout()
    return Layout(stack, rows, _named(stack, f"attention {what}"))


def _named(stack: int, what: str) -> str:
    return (
        f"{what}, stacked along the first axis"
        if stack == 1
        else (f"{what}, stacked along the first {stack} axes" if stack else what)
    )
