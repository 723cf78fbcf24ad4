"""Many lanes, some at a time: one compiled shape, and memory that does not grow with them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LANES = 256


def in_rounds(function: Callable[..., Any], *given: np.ndarray, lanes: int = LANES) -> Any:
    """Evaluate a function whose arguments and results have a leading axis of lanes.

    Args:
        function: Compiled, and free to treat its lanes together.
        given: Arguments, of one length.
        lanes: Most at a time.

    Returns:
        What the function returns, as NumPy arrays over all lanes.
    """
    count = len(given[0])
    size = min(lanes, count)
    parts = []
    for first in range(0, count, size):
        # One shape serves all: the last lanes are repeated, and cut off.
        which = np.minimum(first + np.arange(size), count - 1)
        found = function(*(jnp.asarray(x[which]) for x in given))
        parts.append(jax.tree.map(lambda x, end=count - first: np.asarray(x)[:end], found))
    return jax.tree.map(lambda *x: np.concatenate(x), *parts)
