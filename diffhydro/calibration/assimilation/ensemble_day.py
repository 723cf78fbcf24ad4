"""A day of an ensemble filter.

The noise of the weather goes on, every member takes a step, and where something was observed at its
end the members' state and parameters are moved by what the ensemble knows of how they go together
with it (`kalman.py`). States move in places where all is physical (`part.py`), so that no member
leaves its bounds. What that does to the water is counted (`water.py`).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.calibration.assimilation.filtered import Members
from diffhydro.calibration.assimilation.innovations import ranks
from diffhydro.calibration.assimilation.kalman import AbstractKalman, Seen
from diffhydro.calibration.assimilation.observation import Observation, seen
from diffhydro.calibration.assimilation.part import AbstractPart, settled
from diffhydro.calibration.assimilation.perturbation import Perturbations
from diffhydro.calibration.assimilation.spreading import AbstractSpreading
from diffhydro.calibration.assimilation.uncertainty import (
    UncertainParameters,
    UncertainState,
    dtype_of_state,
)
from diffhydro.calibration.assimilation.water import added
from diffhydro.core.ensembles import AbstractMap
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Fluxes, Profile, Trajectory
from diffhydro.typing import Array, Float, Key

Vector = Float[Array, " entry"]


class Day(NamedTuple):
    """What a day leaves, of all members: states and profile after the analysis."""

    fluxes: Fluxes
    states: State
    profile: Profile | None
    forecast: Float[Array, "member series"]
    reports: Float[Array, "member series"]
    water: dict[str, Float[Array, " member"]]
    parameters: Float[Array, "member entry"]
    rank: Array


class Filter(eqx.Module):
    """A model, what was observed of it, and how both come together."""

    model: AbstractModel
    observations: tuple[Observation, ...]
    state: tuple[UncertainState, ...]
    parameters: UncertainParameters | None
    weather: Perturbations
    analysis: AbstractKalman
    spreading: AbstractSpreading
    how: AbstractMap

    def draw(self, state: State, *, key: Key[Array, ""]) -> tuple[State, Vector]:
        """Draw a member: its state, and its free numbers."""
        for_state, for_parameters = jax.random.split(key)
        keys = jax.random.split(for_state, len(self.state))
        for source, k in zip(self.state, keys, strict=True):
            part = source.of(self.model)
            v = jax.random.normal(k, part.places(state).shape, dtype_of_state(state))
            state = part.moved(state, source.step(part, state, v))
        if self.parameters is None:
            return state, jnp.zeros((0,), dtype_of_state(state))
        vector = self.parameters.vector(self.model)
        v = jax.random.normal(for_parameters, vector.shape, vector.dtype)
        return state, vector + self.parameters.spreads(self.model) * v

    def member(self, vector: Vector) -> AbstractModel:
        """Return the model of a member."""
        return self.model if self.parameters is None else self.parameters.put(self.model, vector)

    def values(self, vector: Vector) -> dict[str, Array]:
        """Return the parameters of a member, with their units."""
        return {} if self.parameters is None else self.parameters.values(self.model, vector)

    def day(
        self, carry: Members, now: Forcing, values: Array, errors: Array, *, key: Key[Array, ""]
    ) -> tuple[Members, Day]:
        """Let a day pass, and look at what was observed at its end."""
        keys = jax.random.split(jax.random.fold_in(key, carry.day), 3)
        noise = self.weather.next(carry.noise, now.step, key=keys[0])
        vectors = carry.parameters

        def forward(arrays: tuple) -> tuple[State, Fluxes, Array]:
            state, vector, noise = arrays
            member = self.member(vector)
            after, fluxes = member.step(state, self.weather.weather(now, noise))
            return after, fluxes, self._reports(_moment(member, state, after, fluxes))

        states, fluxes, forecast = self.how.over(forward, (carry.states, vectors, noise))
        told = Seen(values, errors, forecast)
        moved, changed = lax.cond(
            jnp.any(told.known),
            lambda: self._analysed(states, vectors, told, keys[1]),
            lambda: (states, vectors),
        )

        def left(arrays: tuple) -> tuple[Array, dict[str, Array], Profile | None]:
            old, new, was, vector, fluxes = arrays
            member = self.member(vector)
            moment = _moment(member, old, new, fluxes)
            water = added(self.member(was), old, new, member)
            return self._reports(moment), water, moment.profile

        arrays = (states, moved, vectors, changed, fluxes)
        reports, water, profile = self.how.over(left, arrays)
        rank = ranks(told, key=keys[2])
        after = Members(carry.day + 1, moved, changed, noise)
        return after, Day(fluxes, moved, profile, forecast, reports, water, changed, rank)

    def _reports(self, moment: Trajectory) -> Float[Array, " series"]:
        return seen(self.observations, moment)[:, 0]

    def _analysed(
        self, states: State, vectors: Array, told: Seen, key: Array
    ) -> tuple[State, Array]:
        def places(state: State, vector: Array) -> Array:
            held = [part.places(state) for part in self._parts(vector)]
            return jnp.concatenate([*held, vector])

        prior = jax.vmap(places)(states, vectors)
        # Members are drawn apart by the same factor in what they are and in what they predict.
        wide = self.spreading.before(prior)
        told = told._replace(predicted=self.spreading.before(told.predicted))
        posterior = self.spreading.after(wide, self.analysis(wide, told, key=key))
        return jax.vmap(self._moved)(states, vectors, posterior - prior)

    def _moved(self, state: State, vector: Array, step: Array) -> tuple[State, Array]:
        sizes = [part.places(state).size for part in self._parts(vector)]
        vector = vector + step[sum(sizes) :]
        start = 0
        # Within the bounds that the parameters set after the analysis.
        for part, size in zip(self._parts(vector), sizes, strict=True):
            state = settled(part, state, step[start : start + size])
            start += size
        return state, vector

    def _parts(self, vector: Array) -> list[AbstractPart]:
        member = self.member(vector)
        return [one.of(member) for one in self.state]


def _moment(model: AbstractModel, before: State, after: State, fluxes: Fluxes) -> Trajectory:
    """Return a day as a trajectory of one step, for instruments to look at."""
    states, moved = jax.tree.map(lambda x: x[None], (after, fluxes))
    return Trajectory(
        fluxes=moved,
        states=states,
        initial=before,
        final=after,
        profile=model.profile(states),
        stores_before=model.stores(before),
        stores_after=model.stores(after),
    )
