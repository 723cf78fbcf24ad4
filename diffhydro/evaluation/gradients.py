"""Whether the gradient of a model is right: at its own numbers, on its own data."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.precision import astype
from diffhydro.core.trainable import Free, merge, split

_NUDGE = 1e-5


def gradient_error(
    model: Callable[[Any], jax.Array], inputs: Any, observed: np.ndarray, *, train: str = "*"
) -> float:
    """Compare a directional derivative of the misfit with central differences, in float64.

    The direction moves every number that could be trained, at random, by steps of its free
    coordinates.

    Args:
        model: A module that predicts, in any precision.
        inputs: A few places and days: the check costs some runs.
        observed: Of the shape of the prediction; where nothing was observed 0.25 m³/m³ stands in.
        train: Which numbers are moved, as for a training.

    Returns:
        The difference, relative to that of the differences: 1e-6 is usual, 1e-3 is an error.
    """
    with jax.enable_x64(True):
        given = astype(inputs, "float64")
        seen = np.nan_to_num(np.asarray(observed, np.float64), nan=0.25)
        free, frozen = split(astype(model, "float64"), train)
        rng = np.random.default_rng(0)
        way = jax.tree.map(lambda x: jnp.asarray(rng.standard_normal(x.shape)), free)

        @eqx.filter_jit
        def misfit(free: Free, inputs: Any) -> jax.Array:
            return jnp.mean((merge(free, frozen)(inputs) - seen) ** 2)

        slope = eqx.filter_jit(jax.grad(misfit))(free, given)
        pairs = zip(jax.tree.leaves(slope), jax.tree.leaves(way), strict=True)
        along = sum(float(jnp.vdot(a, b)) for a, b in pairs)

        def at(step: float) -> float:
            return float(misfit(jax.tree.map(lambda z, w: z + step * w, free, way), given))

        about = (at(_NUDGE) - at(-_NUDGE)) / (2 * _NUDGE)
        return abs(along - about) / max(abs(about), 1e-30)
