"""What an instrument would see of a hybrid: the bridge from trajectories to predictions."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.timeloop import SOLVED, AbstractMemory
from diffhydro.coupling.hybrid import Physics, check_physics, simulate
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.predictor import AbstractPredictor
from diffhydro.errors import InputError
from diffhydro.land import observe
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float, Key


class AbstractInstrument(eqx.Module):
    """Turns trajectories into what is observed."""

    @abstractmethod
    def __call__(self, run: Trajectory) -> Float[Array, "..."]:
        """Return the series."""


class Probe(AbstractInstrument):
    """A probe at a depth, mm."""

    depth: float = eqx.field(static=True, default=50.0)

    def __call__(self, run: Trajectory) -> Float[Array, "*site time"]:
        return observe.probe(run, depth=self.depth)


class Probes(AbstractInstrument):
    """Probes at several depths, mm, side by side on a last axis `depth`."""

    depths: tuple[float, ...] = eqx.field(static=True, converter=tuple)

    def __check_init__(self) -> None:
        if not self.depths:
            raise InputError("Probes without depths; give at least one, in mm")

    def __call__(self, run: Trajectory) -> Float[Array, "*site time depth"]:
        return jnp.stack([observe.probe(run, depth=depth) for depth in self.depths], axis=-1)


class Skin(AbstractInstrument):
    """A satellite that sees the top few centimetres."""

    def __call__(self, run: Trajectory) -> Float[Array, "*site time"]:
        return observe.skin(run)


class Observed(AbstractPredictor):
    """A land model or a hybrid, seen by an instrument: soil moisture is what its stores hold.

    Args:
        physics: A land model or a hybrid.
        instrument: How it is seen.
        columns: Most sites side by side; see `AbstractModel.simulate`.
        memory: What its time loop keeps for a gradient.
    """

    physics: Physics
    instrument: AbstractInstrument = eqx.field(default_factory=Probe)
    columns: int | None = eqx.field(static=True, default=1024)
    memory: AbstractMemory = SOLVED

    def __check_init__(self) -> None:
        check_physics(self, self.physics)

    def __call__(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Float[Array, "..."]:
        run = simulate(self.physics, inputs, key=key, columns=self.columns, memory=self.memory)
        return self.instrument(run)
