"""A learned flux inside the step: bounded, and conserved.

At every step a head sees the weather of the day and how wet the soil is, and says two numbers:

    bypass b ∈ [0, most]        of the rain, which leaves as runoff before it meets the physics
                                (sealed ground, ditches, storms shorter than a step)
    demand d ∈ [1 − r, 1 + r]   by which the potential evaporation and transpiration are multiplied
                                (wind, plants and exposure that the weather does not tell)

    b = most σ(y₁ − ln 19),  d = 1 + r tanh(y₂):  at y = 0, 5 % of `most`, and the demand as given

The first is water, and is put down as runoff; the second is energy. Neither touches a store, so
that the budget closes whatever the head says.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.coupling.heads import check_head
from diffhydro.coupling.hybrid import check_physics
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State, Step
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Float

_START = math.log(19.0)  # the share is 5 % of its limit where the head says 0
_DEMANDS = ("potential_evaporation", "transpiration")


class FluxClosure(AbstractModel):
    """A land model with a learned bypass of the rain, and a learned factor of the demand.

    Args:
        physics: Any land model with soil layers.
        head: `[*, feature]` to `[*, 2]`; its features are `series`, each in units of `scales`, and
            the water content of every layer.
        series: Names of series of the forcing.
        scales: What they are divided by; one for each.
        most: Limit of the bypass.
        reach: Limit of the change of the demand.
    """

    physics: AbstractModel
    head: AbstractHead
    series: tuple[str, ...] = eqx.field(static=True, converter=tuple, default=("precipitation",))
    scales: tuple[float, ...] = eqx.field(static=True, converter=tuple, default=(10.0,))
    most: float = eqx.field(static=True, default=0.5)
    reach: float = eqx.field(static=True, default=0.5)

    def __check_init__(self) -> None:
        if not isinstance(self.physics, AbstractModel):
            raise InputError(
                f"FluxClosure acts inside the step of a land model, got "
                f"{type(self.physics).__name__}; put the closure inside, and the other outside"
            )
        check_physics(self, self.physics)
        for name, limit in (("most", self.most), ("reach", self.reach)):
            if not 0.0 <= limit <= 1.0:
                raise InputError(f"{name} is {limit}; it is a share, from 0 to 1")
        if len(self.series) != len(self.scales):
            raise InputError(
                f"{len(self.series)} series and {len(self.scales)} scales; give one for each"
            )
        features = jax.eval_shape(lambda: self._wetness(self.physics.init_state())).shape[0]
        what = "the bypass of the rain and the factor of the demand"
        check_head(self.head, (len(self.series) + features,), 2, type(self).__name__, what)

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.physics.needs, *self.series)))

    def init_state(self) -> State:
        return self.physics.init_state()

    def prepare(self) -> Step:
        inner = self.physics.prepare()

        def step(state: State, now: Forcing) -> tuple[State, Fluxes]:
            bypass, demand = self._shares(state, now)
            kept = now.precipitation * (1.0 - bypass)
            changed: dict[str, Any] = {"precipitation": kept}
            for name in _DEMANDS:
                if (series := getattr(now, name)) is not None:
                    changed[name] = series * demand
            names = [*changed]
            below = eqx.tree_at(
                lambda f: [getattr(f, name) for name in names], now, [*changed.values()]
            )
            state, fluxes = inner(state, below)
            gone = (now.precipitation - kept).astype(fluxes.runoff.dtype) * now.step
            return state, eqx.tree_at(
                lambda f: (f.precipitation, f.runoff),
                fluxes,
                (fluxes.precipitation + gone, fluxes.runoff + gone),
            )

        return step

    def stores(self, state: State) -> dict[str, Array]:
        return self.physics.stores(state)

    def profile(self, states: State) -> Profile | None:
        return self.physics.profile(states)

    def _shares(self, state: State, now: Forcing) -> tuple[Array, Array]:
        weather = [
            getattr(now, name) / scale for name, scale in zip(self.series, self.scales, strict=True)
        ]
        wet = self._wetness(state)
        said = self.head(jnp.concatenate([jnp.stack(weather).astype(wet.dtype), wet]))
        bypass = self.most * jax.nn.sigmoid(said[0] - _START)
        demand = 1.0 + self.reach * jnp.tanh(said[1])
        kind = now.precipitation.dtype
        return bypass.astype(kind), demand.astype(kind)

    def _wetness(self, state: State) -> Float[Array, " layer"]:
        profile = self.physics.profile(jax.tree.map(lambda x: jnp.asarray(x)[None], state))
        if profile is None:
            raise InputError(
                f"{type(self.physics).__name__} has no soil layers, which the closure reads"
            )
        return profile.theta[0]
