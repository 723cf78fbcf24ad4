"""Whether an ensemble knows how wrong it is: what was observed against what had been forecast.

An innovation is an observation less the mean of the forecasts before it was used. Of a reliable
ensemble its mean is zero, its mean square is that of spread and error together, and an observation
is as likely to fall between any two neighbouring members as between any others, once they have the
noise of the instrument (rank histogram: Hamill 2001; spread and skill: Fortin et al. 2014).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.assimilation.kalman import Seen
from diffhydro.typing import Array, Float, Int, Key

NONE = -1  # the rank where nothing was observed


class Quality(NamedTuple):
    """Of one instrument.

    Attributes:
        number: Of observations.
        mean: Innovation; not zero is a bias.
        rmse: Root of the mean square innovation.
        expected: Root of the mean of forecast variance and error variance together.
        ratio: `expected/rmse`: below 1 the ensemble is too sure of itself.
        ranks: How often the observation had 0, 1, … N members below it.
    """

    number: int
    mean: float
    rmse: float
    expected: float
    ratio: float
    ranks: Int[np.ndarray, " rank"]


class Innovations(eqx.Module):
    """By instrument and day; NaN, and the rank −1, where nothing was observed."""

    names: tuple[str, ...] = eqx.field(static=True)
    members: int = eqx.field(static=True)
    values: Float[Array, "series time"]
    variance: Float[Array, "series time"]  # of forecast and error
    rank: Int[Array, "series time"]

    def quality(self) -> dict[str, Quality]:
        """Return the statistics of every instrument."""
        arrays = (np.asarray(x) for x in (self.values, self.variance, self.rank))
        rows = zip(self.names, *arrays, strict=True)
        return {name: _quality(d, s, r, self.members) for name, d, s, r in rows}


def ranks(seen: Seen, *, key: Key[Array, ""]) -> Int[Array, " series"]:
    """Count members below what was observed, with the noise of the instrument added to each."""
    noise = jax.random.normal(key, seen.predicted.shape, seen.predicted.dtype)
    below = seen.predicted + seen.errors[None] * noise < seen.values[None]
    return jnp.where(seen.known, jnp.sum(below.astype(jnp.int32), axis=0), NONE)


def _quality(values: np.ndarray, variance: np.ndarray, rank: np.ndarray, members: int) -> Quality:
    there = rank != NONE
    counts = np.bincount(rank[there], minlength=members + 1)
    if not there.any():
        return Quality(0, np.nan, np.nan, np.nan, np.nan, counts)
    found = values[there].astype(np.float64)
    rmse = float(np.sqrt(np.mean(found**2)))
    expected = float(np.sqrt(np.mean(variance[there].astype(np.float64))))
    ratio = expected / rmse if rmse > 0 else np.inf
    return Quality(int(there.sum()), float(found.mean()), rmse, expected, ratio, counts)
