"""Arrays as plain bytes, and what is needed to make the same array of them again.

An array comes back as what it was: of NumPy or of jax, weakly typed or not, a key with its kind.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.errors import InputError
from diffhydro.typing import Array

# No text and no objects: these types are plain bytes, and jax's own are among them.
TYPES = (
    *("bool", "int4", "int8", "int16", "int32", "int64"),
    *("uint4", "uint8", "uint16", "uint32", "uint64"),
    *("bfloat16", "float16", "float32", "float64", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float8_e4m3fnuz", "float8_e5m2fnuz"),
)
OF = JAX, NUMPY, NUMBER, KEY = "jax", "numpy", "number", "key"


class Kind(NamedTuple):
    """What the bytes of an array mean.

    Attributes:
        of: `jax`, `numpy`, `number` (a scalar of NumPy) or `key`.
        dtype: Of the bytes; those of a key are `uint32`.
        shape: Of the bytes; that of a key has an axis more.
        weak: Typed as weakly as a Python number.
        generator: Of a key.
    """

    of: str
    dtype: str
    shape: tuple[int, ...]
    weak: bool = False
    generator: str = ""

    def __str__(self) -> str:
        shape = self.shape[:-1] if self.of == KEY else self.shape
        name = f"key of {self.generator}" if self.of == KEY else self.dtype
        return f"{name}[{', '.join(map(str, shape))}]"


def is_array(x: Any) -> bool:
    """Say whether a leaf is an array, or a scalar of NumPy."""
    return isinstance(x, jax.Array | np.ndarray | np.generic)


def is_key(x: Any) -> bool:
    """Say whether an array, or a template of one, holds typed keys."""
    return hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def taken(x: Any) -> tuple[Kind, np.ndarray]:
    """Give an array's kind and its numbers on the host."""
    if isinstance(x, Tracer):
        raise InputError("its value is not known yet: save outside of jit, grad and vmap")
    if is_key(x):
        generator = jax.random.key_impl(x)
        if not isinstance(generator, str):
            raise InputError(f"its generator of random numbers, {generator}, is not one of jax's")
        numbers = np.asarray(jax.random.key_data(x))
        return Kind(KEY, numbers.dtype.name, numbers.shape, False, generator), numbers
    numbers = np.asarray(x)
    if isinstance(x, np.ma.MaskedArray):
        raise InputError("a masked array is two arrays; write NaN where it is masked")
    if numbers.dtype.name not in TYPES:
        raise InputError(f"an array of type {numbers.dtype} has no plain bytes")
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    weak = False
    if isinstance(x, jax.Array):
        of, weak = JAX, bool(x.weak_type)
    else:
        of = NUMPY if isinstance(x, np.ndarray) else NUMBER
    return Kind(of, numbers.dtype.name, numbers.shape, weak), numbers


def given(kind: Kind, numbers: np.ndarray) -> Any:
    """Give the array of some kind that has these numbers."""
    if kind.of == NUMPY:
        return numbers
    if kind.of == NUMBER:
        return numbers[()]
    if kind.of == KEY:
        return jax.random.wrap_key_data(jnp.asarray(numbers), impl=kind.generator)
    if jax.dtypes.canonicalize_dtype(numbers.dtype) != numbers.dtype:
        raise InputError(
            f"it is {numbers.dtype}, and jax is set to 32 bits: call "
            'jax.config.update("jax_enable_x64", True) first'
        )
    return _weak(jnp.asarray(numbers)) if kind.weak else jnp.asarray(numbers)


def raw(numbers: np.ndarray) -> memoryview:
    """Give the bytes of an array, in C order."""
    return np.ascontiguousarray(numbers).reshape(-1).view(np.uint8).data


def from_raw(kind: Kind, content: bytes | memoryview) -> np.ndarray:
    """Give the array that some bytes are."""
    if kind.dtype not in TYPES:
        raise InputError(f"{kind.dtype!r} is not a type of arrays")
    dtype = jnp.dtype(kind.dtype)
    if (wanted := math.prod(kind.shape) * dtype.itemsize) != len(content):
        raise InputError(f"{kind} has {wanted} bytes, and {len(content)} are there")
    try:
        return np.frombuffer(bytearray(content), np.uint8).view(dtype).reshape(kind.shape)
    except ValueError as error:
        raise InputError(f"no array has the shape {list(kind.shape)}: {error}") from None


def _weak(x: Array) -> Array:
    """Type an array as weakly as a Python number."""
    plain = jnp.asarray(0.0 if jnp.issubdtype(x.dtype, jnp.floating) else 0)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        plain = jnp.asarray(0j)
    # Written into an array that is weak: jax has no public way to say it.
    return jnp.broadcast_to(plain, x.shape).at[...].set(x) if plain.dtype == x.dtype else x
