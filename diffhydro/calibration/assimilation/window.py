"""The cost of a window: how far a world is from what was thought, and from what was seen.

    J(v) = ½ v·v + ½ Σ [(y_k − H_k(v))/σ_k]²

over all values y_k that are there. H runs the model through the window from the initial state, with
the parameters and the rain that v stands for: strong constraint, the model itself has no error
(Talagrand & Courtier 1987; Kalnay 2003, ch. 5.6).
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.assimilation.observation import Observation, check, seen, stacked
from diffhydro.calibration.assimilation.uncertainty import (
    AbstractUncertain,
    World,
    dtype_of_state,
    moved,
    settled,
)
from diffhydro.core.timeloop import PLAIN, AbstractMemory
from diffhydro.errors import InputError
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float

Vector = Float[Array, " control"]


class Window(eqx.Module):
    """A background, what of it is uncertain, and what was observed.

    Args:
        background: Model, initial state and weather as they are thought to be.
        sources: What is uncertain, in the order in which the world is moved: parameters before the
            state, whose bounds may depend on them.
        observations: On the days of the weather.
        memory: What the time loop keeps for the gradient.
    """

    background: World
    sources: tuple[AbstractUncertain, ...]
    observations: tuple[Observation, ...]
    memory: AbstractMemory = PLAIN

    def __check_init__(self) -> None:
        if not self.sources:
            raise InputError("nothing is uncertain: give a state, parameters or rain to estimate")
        names = [one.name for one in self.sources]
        if len({*names}) < len(names):
            raise InputError(f"each part of the state is given once; got {', '.join(names)}")
        model, _, forcing = self.background
        if forcing.precipitation.ndim != 1:
            raise InputError(
                f"a window takes weather [time], got shape {forcing.precipitation.shape}; "
                "assimilate one site at a time"
            )
        forcing.require(model.needs, type(model).__name__)
        check(self.observations, forcing.length)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers every source takes."""
        return tuple(one.size(self.background) for one in self.sources)

    @property
    def start(self) -> Vector:
        """The background: all zeros."""
        return jnp.zeros((sum(self.sizes),), dtype_of_state(self.background.state))

    def parts(self, v: Vector) -> list[Vector]:
        """Cut a vector into those of the sources."""
        cuts = np.cumsum(self.sizes)[:-1]
        return jnp.split(v, cuts)

    def world(self, v: Vector) -> World:
        """Return the world of a vector."""
        return moved(self.sources, self.background, self.parts(v))

    def settled(self, v: Vector) -> World:
        """Return the world of a vector; what v leaves alone is the background's, bit for bit."""
        world = self.background
        for source, part in zip(self.sources, self.parts(v), strict=True):
            world = settled(source, world, part)
        return world

    def run(self, world: World) -> Trajectory:
        """Run a world through the window."""
        return world.model.run(world.forcing, world.state, memory=self.memory)

    def seen(self, v: Vector) -> Float[Array, "series time"]:
        """Return what all instruments would report, H(v)."""
        return seen(self.observations, self.run(self.world(v)))

    def cost(self, v: Vector) -> Float[Array, ""]:
        """Return J."""
        reports = self.seen(v)
        values, errors = stacked(self.observations, reports)
        known = ~jnp.isnan(values)
        misses = jnp.where(known, jnp.where(known, values, 0.0) - reports, 0.0) / errors
        return 0.5 * jnp.sum(v**2) + 0.5 * jnp.sum(misses**2)

    def terms(self, v: Vector, cost: Array) -> Float[Array, " term"]:
        """Return the terms of J, given their sum: those of the sources, and the observations'."""
        background = [0.5 * jnp.sum(part**2) for part in self.parts(v)]
        return jnp.stack([*background, cost - sum(background)])
