"""What every land model is: a state, a step, and from these a run and a simulation.

A model writes five things: what of a forcing it needs, the state it starts from, its step, and what
of a state is water in store and soil moisture by depth. Time and sites are added here, the same for
all.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx

from diffhydro.core.timeloop import PLAIN, AbstractMemory, timeloop
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.sites import over_sites, split_by_site
from diffhydro.land.trajectory import Fluxes, Profile, Trajectory
from diffhydro.typing import Array

__all__ = ["AbstractModel", "Fluxes", "Profile", "State", "Step", "Trajectory"]

State = Any  # each model has its own: a tree of arrays
Step = Callable[[State, Forcing], tuple[State, Fluxes]]


class AbstractModel(eqx.Module):
    """A column of land."""

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Name the series of a forcing that the model cannot do without."""

    @abstractmethod
    def init_state(self) -> State:
        """Return the state before the first step."""

    @abstractmethod
    def prepare(self) -> Step:
        """Work out all that does not change with time, and return the step that uses it.

        Keeps such work out of the time loop. A model that has none returns its step as it is.
        """

    @abstractmethod
    def stores(self, state: State) -> dict[str, Array]:
        """Return the water in each store, mm, in one number or in parts."""

    @abstractmethod
    def profile(self, states: State) -> Profile | None:
        """Return the soil moisture of states with a leading axis `time`, or None.

        What takes arithmetic is worked out one time after the other (`lax.map`): of many at once it
        would round by where in the record a time lies, and two halves would not be one run.
        """

    def step(self, state: State, forcing: Forcing) -> tuple[State, Fluxes]:
        """Advance by one interval; `forcing` is an instant."""
        return self.prepare()(state, forcing)

    def run(
        self, forcing: Forcing, state: State | None = None, *, memory: AbstractMemory = PLAIN
    ) -> Trajectory:
        """Go through time at one site.

        Args:
            forcing: Series `[time]`.
            state: Where to start, such as `final` of an earlier run; by default `init_state()`.
            memory: What the time loop keeps for a gradient: `PLAIN` is the fastest and keeps every
                sub-step, which for a thousand columns over a year is gigabytes; `SOLVED` keeps
                states and what solvers need; `REMAT` and `NESTED` keep states only. Makes no
                difference without a gradient.
        """
        _check_rank(forcing, 1, "run", "simulate takes many sites, step an instant")
        forcing.require(self.needs, type(self).__name__)
        state = self.init_state() if state is None else state
        final, states, fluxes = _through_time(self, forcing, state, memory)
        return Trajectory(
            fluxes=fluxes,
            states=states,
            initial=state,
            final=final,
            profile=self.profile(states),
            stores_before=self.stores(state),
            stores_after=self.stores(final),
        )

    def simulate(
        self,
        forcing: Forcing,
        state: State | None = None,
        *,
        by_site: str | Sequence[str] | None = None,
        columns: int | None = 1024,
        memory: AbstractMemory = PLAIN,
    ) -> Trajectory:
        """Go through time at many sites; equal to a loop of runs.

        Args:
            forcing: Series `[site, time]`.
            state: Where to start, with a leading axis `site`.
            by_site: What of the model has a leading axis `site`, by path, as in
                `["soil.k_sat", "roots"]`; all sites share the rest. None is the whole model if
                every array of it has the axis, and nothing otherwise.
            columns: Most sites to compute side by side; more are taken in equal batches, one after
                the other. 256 to 1024 suit the caches of a CPU; None, no limit, suits a GPU.
            memory: See `run`.

        Returns:
            A trajectory whose arrays all have a leading axis `site`.
        """
        _check_rank(forcing, 2, "simulate", "run takes one site")
        forcing.require(self.needs, type(self).__name__)
        sites = forcing.precipitation.shape[0]
        own, shared = split_by_site(self, by_site, sites)

        def one(mapped: tuple) -> Trajectory:
            own, forcing, state = mapped
            model: AbstractModel = eqx.combine(own, shared)
            return model.run(forcing, state, memory=memory)

        return over_sites(one, (own, forcing, state), columns)


# Compiled here so that a second run outside any jit costs no second compilation; a caller's own jit
# absorbs it.
@eqx.filter_jit
def _through_time(model: AbstractModel, forcing: Forcing, state: State, memory: AbstractMemory):
    step = model.prepare()

    def interval(state: State, now: Forcing):
        state, fluxes = step(state, now)
        return state, (state, fluxes)

    final, (states, fluxes) = timeloop(interval, state, forcing, memory=memory)
    return final, states, fluxes


def _check_rank(forcing: Forcing, rank: int, who: str, advice: str) -> None:
    shape = forcing.precipitation.shape
    if len(shape) != rank:
        wanted = "[time]" if rank == 1 else "[site, time]"
        raise InputError(f"{who} takes series {wanted}, got shape {shape}; {advice}")
    if 0 in shape:
        raise InputError(f"{who} needs at least one site and one time step, got shape {shape}")
