"""Standard normal numbers, fast on a CPU: Box-Muller with a polynomial sine and cosine.

`jax.random.normal` inverts the error function, three branches of high degree each, at 15 ns a
number in float64. A logarithm, a square root and two short polynomials bring it to 6 ns, and the
random bits underneath are those of `jax.random.bits`.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt64

_ONE = np.uint64(0x3FF0000000000000)  # the bits of 1.0; 52 random bits below it make [1, 2)
_DEGREE = 9  # terms; up to an eighth of a turn those left out are below (pi/4)^18/18! = 2e-18
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))  # of Threefry-2x32, and so is the next
_PARITY = np.uint32(0x1BD11BDA)
_COSINE = [(-1) ** j * (math.pi / 2) ** (2 * j) / math.factorial(2 * j) for j in range(_DEGREE)]
_SINE = [
    (-1) ** j * (math.pi / 2) ** (2 * j + 1) / math.factorial(2 * j + 1) for j in range(_DEGREE)
]


def normals(key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "..."]:
    r"""Independent standard normal numbers in float64.

    A pair is $\sqrt{-2 \ln u}\,(\cos 2\pi v, \sin 2\pi v)$ (Box and Muller, Ann. Math. Stat. 29,
    610 (1958)), u and v uniform with 52 and 50 bits: the largest possible number is 8.49.

    Args:
        key: a JAX random key.
        shape: of the result.

    Returns:
        A float64 array; needs x64 to be enabled where it is traced.
    """
    count = math.prod(shape)
    bits = jax.random.bits(key, (2, (count + 1) // 2), dtype=jnp.uint64)
    return _box_muller(bits)[:count].reshape(shape)


def normals_across(keys: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "... replica"]:
    """`normals` of every key, to the last bit or so, with the keys on the last axis.

    Several times as fast for a few numbers a key, slower for more than about twenty.

    Args:
        keys: JAX random keys (replica,).
        shape: of the numbers of one key.
    """
    count = math.prod(shape)
    if not _is_threefry(keys):
        return jnp.moveaxis(jax.vmap(lambda key: normals(key, shape))(keys), 0, -1)
    half = (count + 1) // 2
    numbers = _box_muller(_threefry(keys, 2 * half).reshape(2, half, -1))
    return numbers[:count].reshape(*shape, -1)


def _box_muller(bits: UInt64[Array, "2 half *rest"]) -> Float[Array, "count *rest"]:
    # 2 - [1, 2) is (0, 1]: the logarithm never meets a zero
    radius = jnp.sqrt(-2.0 * jnp.log(2.0 - _unit(bits[0] >> np.uint64(12))))
    cosine, sine = _cosine_sine(bits[1])
    return jnp.concatenate([radius * cosine, radius * sine])


def _is_threefry(keys: PRNGKeyArray) -> bool:
    implementation = str(jax.random.key_impl(keys))
    return "threefry2x32" in implementation and bool(
        jax.config.jax_threefry_partitionable  # type: ignore[attr-defined]
    )


def _threefry(keys: PRNGKeyArray, count: int) -> UInt64[Array, "count replica"]:
    """`jax.random.bits` of every key: Threefry-2x32, 20 rounds (Salmon et al., SC 2011).

    JAX's own is a loop on a CPU, which does not vectorise along the keys.
    """
    words = jax.random.key_data(keys)
    schedule = [words[:, 0], words[:, 1], words[:, 0] ^ words[:, 1] ^ _PARITY]
    # partitionable bits hash the place of each number, 64 bits wide, whose upper half is zero here
    low = jnp.arange(count, dtype=jnp.uint32)[:, None] + schedule[1]
    high = jnp.zeros_like(low) + schedule[0]
    for turn in range(5):  # of four rounds each, after which the key is added anew
        for rotation in _ROTATIONS[turn % 2]:
            high = high + low
            low = (low << np.uint32(rotation)) | (low >> np.uint32(32 - rotation))
            low = low ^ high
        high = high + schedule[(turn + 1) % 3]
        low = low + schedule[(turn + 2) % 3] + np.uint32(turn + 1)
    return (high.astype(jnp.uint64) << np.uint64(32)) | low.astype(jnp.uint64)


def _unit(mantissa: UInt64[Array, "n"]) -> Float[Array, "n"]:
    """The number in [1, 2) with these 52 bits of mantissa."""
    return jax.lax.bitcast_convert_type(mantissa | _ONE, jnp.float64)


def _cosine_sine(bits: UInt64[Array, "n"]) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
    """Cosine and sine of a uniform angle: two bits choose the quadrant, fifty the place in it."""
    # in [-1/2, 1/2): about the middle of a quadrant, where the series are shortest
    quarter_turns = _unit((bits << np.uint64(2)) >> np.uint64(12)) - 1.5
    square = quarter_turns * quarter_turns
    cosine = _horner(_COSINE, square)
    sine = quarter_turns * _horner(_SINE, square)
    # the lower of the two bits turns by a quarter, the upper one by a half
    odd = (bits >> np.uint64(62)) & np.uint64(1) == 1
    turned_cosine, turned_sine = jnp.where(odd, -sine, cosine), jnp.where(odd, cosine, sine)
    half = bits >> np.uint64(63) == 1
    return jnp.where(half, -turned_cosine, turned_cosine), jnp.where(
        half, -turned_sine, turned_sine
    )


def _horner(coefficients: list[float], x: Float[Array, "n"]) -> Float[Array, "n"]:
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total
