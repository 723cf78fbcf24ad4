"""Step 4: DL, PGDL fed by the calibrated physics, PGDL coupled to it, and the conserving one.

All are told the same of a place: its texture, and a start window. All run freely.

| model | soil moisture is |
| --- | --- |
| DL | level of the start window + LSTM(weather, place) |
| fed | level of the start window + MLP(weather, water of PB, place) |
| coupled | θ of a physics whose parameters a head gives + a bounded MLP(weather, θ, place) |
| conserving | θ of a physics whose parameters a head gives |

Fed tells best how soil moisture moves, coupled where it lies: PGDL, without a word, is their mean.
A mean of two kinds may gain by being one, so that DL is given a second kind, too (`CONTROL`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import MAP, VMAP, AbstractMap
from diffhydro.coupling import (
    AbstractPredictor,
    Departure,
    Features,
    Observed,
    OutputCorrection,
    StaticParameters,
)
from diffhydro.networks import FlaxHead, Lstm, Mlp
from diffhydro.networks.dropout import EveryTime
from experiments.global_pgdl.real.physics import PB, SHARED, WATER
from experiments.global_pgdl.real.places import ALONG, FORCING, WEATHER
from experiments.global_pgdl.real.settings import Network, Settings

DL, FED, COUPLED, CONSERVING = "DL", "PGDL fed", "PGDL coupled", "PGDL conserving"
GUIDED = "PGDL"  # the mean of fed and coupled, whose errors differ
CONTROL, UNGUIDED = "DL by day", "DL mean"  # fed without water; its mean with DL
LEVEL = "start_soil_moisture_mean"
SPREAD, REACH = 0.1, 0.1  # m³/m³: unit of departures, and most that a correction may be


def deep(_: Observed, known: Features, how: Network, key: jax.Array) -> Departure:
    """Make DL: an LSTM, weather and place in."""
    network = Lstm(how.hidden, 1, dropout=EveryTime(how.dropout), start=0.1)
    return Departure(_head(network, key, jnp.zeros((9, known.count))), known, LEVEL, SPREAD)


def fed(_: Observed, known: Features, how: Network, key: jax.Array) -> Departure:
    """Make PGDL: what the physics holds remembers for the network, which is a function of a day."""
    return Departure(_head(_mlp(how, 1), key, jnp.zeros((9, known.count))), known, LEVEL, SPREAD)


def conserving(pb: Observed, known: Features, how: Network, key: jax.Array) -> Observed:
    """Let a head move the parameters of PB: what is predicted is what its stores hold."""
    place = Features((), known.attributes, known.scaling)
    head = _head(_mlp(how, len(SHARED)), key, jnp.zeros(place.count))
    return Observed(StaticParameters(pb.physics, head, place, SHARED), pb.instrument)


def coupled(pb: Observed, known: Features, how: Network, key: jax.Array) -> OutputCorrection:
    """Correct a physics whose parameters a head gives; both train together."""
    one, other = jax.random.split(key)
    head = _head(_mlp(how, 1), other, jnp.zeros((9, known.count + 1)))
    return OutputCorrection(conserving(pb, known, how, one), head, known, REACH)


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of model.

    Args:
        make: From PB, what is known, settings and a key.
        reads: Series that networks read.
        along: What start windows are described by, beside what was observed.
        needs: Series that physics needs beside.
        side_by_side: How folds train: many columns at once are fast, many networks are not.
    """

    name: str
    make: Callable[[Observed, Features, Network, jax.Array], AbstractPredictor]
    how: Network
    reads: tuple[str, ...]
    along: tuple[str, ...]
    needs: tuple[str, ...] = ()
    side_by_side: AbstractMap = MAP

    @property
    def series(self) -> tuple[str, ...]:
        """Give all series that it is driven by."""
        return tuple(dict.fromkeys((*self.reads, *self.needs)))


def kinds(settings: Settings) -> tuple[Kind, ...]:
    """Give the models that the settings ask for."""
    both = (*ALONG, PB)
    made = [
        Kind(DL, deep, settings.deep, WEATHER, ALONG),
        Kind(FED, fed, settings.fed, (*WEATHER, *WATER), both),
    ]
    if settings.control is not None:
        made.append(Kind(CONTROL, fed, settings.control, WEATHER, ALONG))
    if settings.coupled is not None:
        made.append(Kind(COUPLED, coupled, settings.coupled, WEATHER, both, FORCING, VMAP))
    if settings.conserving is not None:
        made.append(Kind(CONSERVING, conserving, settings.conserving, (), both, FORCING, VMAP))
    return tuple(made)


def with_means(said: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Add the means of two kinds, with and without physics, where both are there."""
    found = dict(said)
    for name, pair in ((GUIDED, (FED, COUPLED)), (UNGUIDED, (DL, CONTROL))):
        if {*pair} <= {*said}:
            found[name] = np.mean([said[one] for one in pair], axis=0)
    return found


def _mlp(how: Network, out: int) -> Mlp:
    return Mlp((how.hidden, how.hidden), out, dropout=how.dropout, start=0.1)


def _head(network: Any, key: jax.Array, example: jax.Array) -> FlaxHead:
    return FlaxHead.create(network, np.asarray(example), key=key, dtype="float32")
