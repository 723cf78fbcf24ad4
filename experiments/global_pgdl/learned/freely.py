"""Step 7: from a start window onward, every model runs on its own predictions."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import VMAP, over_members
from diffhydro.coupling import Inputs, Observed, PastDriven, PhysicsGuided, roll_out
from diffhydro.coupling.window import AbstractWindowed
from diffhydro.errors import InputError
from experiments.global_pgdl.ground.places import OFFSET


class Start(NamedTuple):
    """The first observations of each place, `[..., lag]`, and the days they were made on."""

    values: np.ndarray
    days: np.ndarray

    @property
    def after(self) -> np.ndarray:
        """Give the first day that no model was told anything of, `[...]`."""
        return self.days[..., -1] + 1

    def take(self, rows: np.ndarray) -> "Start":
        """Keep some places."""
        return Start(self.values[rows], self.days[rows])


def start_windows(observed: np.ndarray, first: int, length: int, names: np.ndarray) -> Start:
    """Take the first `length` observations of each series `[site, time]`.

    A window that began in frozen soil, or between overpasses, holds what was seen as soon as
    something was; predictions are scored after its last day only.
    """
    known = np.isfinite(observed[:, first:])
    few = known.sum(axis=1) < length
    if few.any():
        site = int(np.flatnonzero(few)[0])
        raise InputError(
            f"the start window of {names[site]} has {known[site].sum()} values and needs {length} "
            f"({few.sum()} of {len(observed)} places have too few); fill it from its neighbours, "
            "leave such places out, or shorten network.look_back"
        )
    days = np.argsort(~known, axis=1, kind="stable")[:, :length] + first
    return Start(np.take_along_axis(observed, days, axis=1).astype(np.float32), days)


def offset(start: Start, simulated: np.ndarray) -> np.ndarray:
    """Give by how much a simulation `[..., time]` is off in the start window, `[...]`."""
    there = np.take_along_axis(simulated, start.days, axis=-1)
    return (start.values - there).mean(axis=-1, dtype=np.float32)


def rolled(
    models: PastDriven | PhysicsGuided, inputs: Inputs, start: Start, first: int
) -> np.ndarray:
    """Run networks that look back, `[member, site, time]`; NaN before the first prediction.

    Args:
        start: Of as many days as the models look back, or of more: then they see the last.
        first: Day from which on the start window stands for the past.
    """
    length = start.values.shape[-1]
    begun = first + length - models.length
    days = next(iter(inputs.series.values())).shape[-1]
    seen = jnp.asarray(start.values[..., length - models.length :])
    said = np.asarray(_rolled(models, inputs.between(begun + 1, days), seen))
    nothing = np.full((*said.shape[:-1], first + length), np.nan, said.dtype)
    return np.concatenate([nothing, said], axis=-1)


def run(models: Observed, inputs: Inputs, start: Start, pb: np.ndarray) -> np.ndarray:
    """Run the model that conserves water from the first day of spin-up on.

    Args:
        pb: What PB says there; the start window tells by how much it is off.
    """
    known = {**inputs.attributes, OFFSET: offset(start, pb)}
    return np.asarray(_run(models, Inputs(inputs.series, known)))


def score_after(series: np.ndarray, start: Start) -> np.ndarray:
    """Take out all days on which models were told what was observed, and those before."""
    days = np.arange(series.shape[-1])
    return np.where(days >= start.after[..., None], series, np.nan)


@jax.jit
def _rolled(models: AbstractWindowed, inputs: Inputs, start: jax.Array) -> jax.Array:
    return over_members(roll_out, VMAP)(models, inputs, start)


@jax.jit
def _run(models: Observed, inputs: Inputs) -> jax.Array:
    return over_members(lambda model, inputs: model(inputs), VMAP)(models, inputs)
