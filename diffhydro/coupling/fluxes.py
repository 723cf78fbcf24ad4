"""Where a head gets the fluxes of a physics from: a file, or the physics itself."""

from abc import abstractmethod
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.timeloop import SOLVED, AbstractMemory
from diffhydro.coupling.hybrid import Physics, check_physics, simulate
from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.land.trajectory import FLUXES, Trajectory
from diffhydro.typing import Array, Float, Key

WATER = ("inflow", "transpiration", "evaporation")  # I_F, E_V and E_S of study A


class AbstractFluxes(eqx.Module):
    """Gives fluxes through time, mm per step."""

    names: eqx.AbstractVar[tuple[str, ...]]

    @abstractmethod
    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time flux"]:
        """Return them side by side."""


class Fed(AbstractFluxes):
    """Fluxes that a physics gave before, and the inputs carry: see `feed`."""

    names: tuple[str, ...] = eqx.field(static=True, converter=tuple, default=WATER)

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time flux"]:
        return inputs.stacked(self.names)


class Coupled(AbstractFluxes):
    """Fluxes of a physics that runs in the same graph: its parameters train with the network.

    Args:
        physics: A land model or a hybrid; it starts anew in every window, so that windows need a
            warm-up.
    """

    physics: Physics
    names: tuple[str, ...] = eqx.field(static=True, converter=tuple, default=WATER)
    columns: int | None = eqx.field(static=True, default=1024)
    memory: AbstractMemory = SOLVED

    def __check_init__(self) -> None:
        check_physics(self, self.physics)
        if unknown := [name for name in self.names if name not in FLUXES]:
            raise InputError(
                f"a physics has no flux {', '.join(unknown)}; it has {', '.join(FLUXES)}"
            )

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time flux"]:
        run = simulate(self.physics, inputs, key=key, columns=self.columns, memory=self.memory)
        return jnp.stack(_taken(run, self.names), axis=-1)


def feed(
    physics: Physics, inputs: Inputs, names: Sequence[str] = WATER, *, columns: int | None = 1024
) -> Inputs:
    """Run a physics, such as a calibrated one, and add its fluxes to the inputs."""
    fluxes = Coupled(physics=physics, names=tuple(names), columns=columns)(inputs)
    series = {name: fluxes[..., i] for i, name in enumerate(names)}
    return Inputs({**inputs.series, **series}, inputs.attributes, inputs.step)


def _taken(run: Trajectory, names: tuple[str, ...]) -> list[Array]:
    missing = [name for name in names if getattr(run.fluxes, name) is None]
    if missing:
        raise InputError(f"this physics does not give {', '.join(missing)}")
    return [getattr(run.fluxes, name) for name in names]
