"""Physics whose parameters a head computes: bound to its inputs it is a land model like any other.

    bind(inputs) → a land model with the parameters of these sites in place, and what drives it

Everything that a land model can do (run, simulate, budgets, probes) is then done by that model.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax

from diffhydro.core.parameters import declarations
from diffhydro.core.timeloop import PLAIN, AbstractMemory
from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Key


class Bound(NamedTuple):
    """A land model at some sites.

    Args:
        model: With the parameters of the sites in place.
        drive: Weather, and what else changes with time.
        by_site: Paths in `model` that have the axes of the sites.
        moved_to: Where what lay below the first path of a hybrid lies in `model`: two prefixes.
    """

    model: AbstractModel
    drive: Forcing
    by_site: tuple[str, ...] = ()
    moved_to: tuple[str, str] = ("", "")

    def place(self, path: str) -> str:
        """Give where in `model` lies what has a path in the hybrid."""
        before, after = self.moved_to
        if not path.startswith(before):
            raise InputError(
                f"{path} lies in a head or law of a coupling, not in its physics; another coupling "
                "cannot learn it"
            )
        return after + path.removeprefix(before)


def known_at_sites(inner: Bound, paths: Iterable[str]) -> dict[str, Array]:
    """Give the values at the sites of those parameters of a hybrid's physics that have some."""
    held = {d.path: d.value for d in declarations(inner.model)}
    places = {path: inner.place(path) for path in paths}
    return {path: held[place] for path, place in places.items() if place in inner.by_site}


class AbstractHybrid(eqx.Module):
    """A coupling of a head and a physics that gives trajectories."""

    @abstractmethod
    def bind(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Bound:
        """Ask the heads, and put what they say into the physics."""

    def run(
        self, inputs: Inputs, state: State | None = None, *, memory: AbstractMemory = PLAIN
    ) -> Trajectory:
        """Go through time at one site: series `[time]`, attributes scalars."""
        bound = self.bind(inputs)
        return bound.model.run(bound.drive, state, memory=memory)

    def simulate(
        self,
        inputs: Inputs,
        state: State | None = None,
        *,
        key: Key[Array, ""] | None = None,
        columns: int | None = 1024,
        memory: AbstractMemory = PLAIN,
    ) -> Trajectory:
        """Go through time at many sites; see `AbstractModel.simulate`.

        Args:
            key: Asks the heads for dropout.
        """
        return simulate(self, inputs, state, key=key, columns=columns, memory=memory)


Physics = AbstractModel | AbstractHybrid


def bind(physics: Physics, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Bound:
    """Bind a hybrid to its inputs; a land model is bound to any."""
    if isinstance(physics, AbstractHybrid):
        return physics.bind(inputs, key=key)
    return Bound(physics, inputs.forcing())


def simulate(
    physics: Physics,
    inputs: Inputs,
    state: State | None = None,
    *,
    key: Key[Array, ""] | None = None,
    columns: int | None = 1024,
    memory: AbstractMemory = PLAIN,
) -> Trajectory:
    """Go through time at many sites, with a land model or a hybrid."""
    bound = bind(physics, inputs, key=key)
    return bound.model.simulate(
        bound.drive, state, by_site=bound.by_site, columns=columns, memory=memory
    )


def check_physics(coupling: Any, physics: Any) -> None:
    """Raise InputError where a coupling holds something else than physics."""
    if not isinstance(physics, AbstractModel | AbstractHybrid):
        raise InputError(
            f"{type(coupling).__name__} couples a head to a land model or a hybrid, got "
            f"{type(physics).__name__}"
        )


def halves(key: Key[Array, ""] | None) -> tuple[Any, Any]:
    """Give two keys of one, or none of none."""
    return (None, None) if key is None else cast(tuple[Any, Any], tuple(jax.random.split(key)))
