"""Where searches start: at what was before, and anywhere within the bounds."""

import math
import zlib

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, Key

_MARGIN = 0.03  # of the range: how near a bound a random start may be
# Free number of a hundredth of the range: nearer to a bound the first start would feel no slope.
_FIRST = math.log(0.99 / 0.01)


def places(problem: Calibration, starts: int, key: Array | None) -> Array:
    """Return where searches start `[site, start, entry]`.

    The random ones are drawn for every site by its name: they do not depend on the others.
    """
    names = [zlib.crc32(name.encode()) for name in problem.names]
    keys = jax.vmap(jax.random.fold_in, (None, 0))(
        key_or_first(key), jnp.asarray(names, jnp.uint32)
    )
    return starting_from(problem.before(), problem.coordinates.is_bounded, starts, keys)


def key_or_first(key: Array | None) -> Array:
    """Return the key, or that of the seed 0."""
    return jax.random.key(0) if key is None else key


def starting_from(
    first: Float[Array, "search entry"],
    is_bounded: np.ndarray,
    starts: int,
    keys: Key[Array, " search"],
) -> Float[Array, "search start entry"]:
    """Return the first place of every search, and others that are drawn.

    Args:
        is_bounded: Which entries have two bounds; the first place keeps away from them.
    """
    if starts < 1:
        raise InputError(f"starts is {starts}; a calibration needs at least one")
    inside = jnp.clip(first, -_FIRST, _FIRST)
    first = jnp.where(is_bounded[None], inside, first)
    shape = (starts - 1, first.shape[1])

    def others(key: Array) -> Array:
        where = jax.random.uniform(key, shape, first.dtype, _MARGIN, 1.0 - _MARGIN)
        return jnp.log(where) - jnp.log1p(-where)

    return jnp.concatenate([first[:, None], jax.vmap(others)(keys)], axis=1)
