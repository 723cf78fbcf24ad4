"""From the words of a configuration to what is seen of a run, and how it is compared."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np

from diffhydro.app.config import ObservedConfig
from diffhydro.land.observe import probe
from diffhydro.land.trajectory import Trajectory
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import (
    AbstractLoss,
    Huber,
    KlingGupta,
    MeanSquare,
    NashSutcliffe,
)
from diffhydro.typing import Array

_LOSSES = {"mse": MeanSquare, "nse": NashSutcliffe, "kge": KlingGupta}
_VAPOUR = ("evaporation", "transpiration", "interception", "sublimation")


def observer(one: ObservedConfig) -> Callable[[Trajectory], Array]:
    """Give what turns a trajectory into the series of an instrument."""
    if one.depth:
        return partial(probe, depth=one.depth)
    return _runoff if one.variable == "runoff" else _evapotranspiration


def _runoff(run: Trajectory) -> Array:
    return run.fluxes.runoff


def _evapotranspiration(run: Trajectory) -> Array:
    """Add up all that leaves for the air; what a model does not have is None."""
    found = [getattr(run.fluxes, name) for name in _VAPOUR]
    return sum((x for x in found if x is not None), jnp.zeros_like(run.fluxes.evaporation))


def loss_of(one: ObservedConfig, dtype: np.dtype) -> AbstractLoss:
    """Make the loss that a configuration names."""
    if one.loss == "huber":
        return Huber(limit=jnp.asarray(one.limit, dtype))
    if one.loss == "gaussian":
        return Gaussian(*(jnp.asarray(x, dtype) for x in (one.sigma, one.growth, one.memory)))
    return _LOSSES[one.loss]()
