"""Predictions of a trained model at sites: from weather alone, or from a window of the past."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.app.train.table import PAST, Table
from diffhydro.coupling import AbstractPredictor, AbstractWindowed, Inputs, roll_out
from diffhydro.typing import Array

SITES = 256  # at a time


def predict(model: AbstractPredictor, table: Table, sites: np.ndarray, start: int) -> np.ndarray:
    """Predict soil moisture at sites, by number, `[site, time]`.

    A model that looks back runs freely from the days before `start`, where it is given what was
    observed; nothing is predicted there. Any other forgets in those days how it was filled.

    Args:
        start: The first day that is predicted.
    """
    found = []
    for first in range(0, len(sites), SITES):
        # Filled up to one shape, so that there is one program.
        some = sites[first : first + SITES]
        size = min(SITES, len(sites))
        filled = np.concatenate([some, np.repeat(some[-1:], size - len(some))])
        series = _run(model, table.inputs(filled), start)
        found.append(np.asarray(series)[: len(some)])
    series = np.concatenate(found).astype(np.float32)
    series[:, :start] = np.nan
    return series


@eqx.filter_jit
def _run(model: Any, inputs: Inputs, start: int) -> Array:
    if not isinstance(model, AbstractWindowed):
        return model(inputs)
    k = model.length
    first = start - k
    past = inputs.series[PAST][..., first:start]
    times = inputs.series[PAST].shape[-1]
    # The first prediction reads drivers from k − 1 days before it.
    said = roll_out(model, inputs.between(start - k + 1, times), past)
    before = jnp.full((*said.shape[:-1], start), jnp.nan, said.dtype)
    return jnp.concatenate([before, said], axis=-1)
