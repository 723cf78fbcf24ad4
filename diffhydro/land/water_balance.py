"""The water-balance model of the Terrestrial Ecosystem Model: a map of upland and wetland cells.

Every cell holds both soils, and a number, 0 or 1, says which of the two it is. A map is then one
program: the wetland's few lines cost little beside the upland's layers, and a cell that is not a
wetland drops them.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer

from diffhydro.core.parameters import as_parameter
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.ground import GROUND_NEEDS, AbstractGround, AbstractGroundStep
from diffhydro.land.land import Land, LandState, LandStep
from diffhydro.land.model import AbstractModel
from diffhydro.land.surface import Surface
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.land.upland import Upland, UplandState
from diffhydro.land.wetland import Wetland, WetlandState
from diffhydro.typing import Array, Float


class EitherState(NamedTuple):
    """The states of both soils, of which one counts."""

    upland: UplandState
    wetland: WetlandState


class Either(AbstractGround):
    """An upland or a wetland."""

    upland: Upland
    wetland: Wetland
    is_wetland: Float[Array, ""] = eqx.field(converter=as_parameter)

    @property
    def needs(self) -> tuple[str, ...]:
        return (*GROUND_NEEDS, *({*self.upland.needs, *self.wetland.needs} - {*GROUND_NEEDS}))

    def init_state(self) -> EitherState:
        return EitherState(self.upland.init_state(), self.wetland.init_state())

    def prepare(self) -> "EitherStep":
        return EitherStep(self.upland.prepare(), self.wetland.prepare(), self.is_wetland)

    def stores(self, state: EitherState) -> dict[str, Array]:
        """Return the water of the soil that counts: of its layers, or of its store and zeros."""
        dry = self.upland.stores(state.upland)["soil"]
        wet = self.wetland.stores(state.wetland)["soil"]
        wet = jnp.concatenate([wet[..., None], jnp.zeros_like(dry[..., 1:])], axis=-1)
        return {"soil": _choose(self.is_wetland, wet, dry)}

    def profile(self, states: EitherState) -> Profile:
        dry, wet = self.upland.profile(states.upland), self.wetland.profile(states.wetland)
        theta = _choose(self.is_wetland, wet.theta, dry.theta)
        return Profile(dry.grid, theta, dry.root_share)


class EitherStep(AbstractGroundStep):
    """One interval of both soils."""

    upland: AbstractGroundStep
    wetland: AbstractGroundStep
    is_wetland: Float[Array, ""]

    def stress(self, state: EitherState) -> Float[Array, ""]:
        """Return the stress of the soil that counts."""
        dry, wet = self.upland.stress(state.upland), self.wetland.stress(state.wetland)
        return _choose(self.is_wetland, wet, dry)

    def __call__(self, state: EitherState, forcing: Forcing) -> tuple[EitherState, Fluxes]:
        """Advance both by one interval."""
        upland, dry = self.upland(state.upland, forcing)
        wetland, wet = self.wetland(state.wetland, forcing)
        return EitherState(upland, wetland), _choose(self.is_wetland, wet, dry)


class WaterBalance(AbstractModel):
    """Upland or wetland soil under canopy and snow.

    Example:
        >>> from diffhydro.soil.pedotransfer import cosby
        >>> model = WaterBalance(upland=Upland(soil=cosby(sand=43.0, clay=18.0)))
        >>> run = model.run(
        ...     Forcing(
        ...         [12.0, 0.0],
        ...         temperature=[18.0, 22.0],
        ...         shortwave=[220.0, 280.0],
        ...         vapour_pressure=[1300.0, 1200.0],
        ...         leaf_area=[3.0, 3.0],
        ...     )
        ... )
        >>> run.theta.shape
        (2, 6)

    Args:
        is_wetland: 1 where the cell is a wetland, 0 where it is upland.
    """

    upland: Upland
    wetland: Wetland = eqx.field(default_factory=Wetland)
    surface: Surface = eqx.field(default_factory=Surface)
    is_wetland: Float[Array, ""] = eqx.field(default=0.0, converter=as_parameter)

    def __check_init__(self) -> None:
        flag = self.is_wetland
        if isinstance(flag, Tracer) or not isinstance(flag, jax.Array):
            return
        bad = (flag != 0) & (flag != 1)
        if bool(jnp.any(bad)):
            first = float(flag.ravel()[jnp.argmax(bad.ravel())])
            raise InputError(
                f"is_wetland is {first:g} at {int(bad.sum())} of {flag.size} cells; a cell is a "
                "wetland (1) or upland (0)"
            )

    @property
    def land(self) -> Land:
        """Give the cell as a ground under a surface."""
        return Land(Either(self.upland, self.wetland, self.is_wetland), self.surface)

    @property
    def needs(self) -> tuple[str, ...]:
        return self.land.needs

    def init_state(self) -> LandState:
        return self.land.init_state()

    def prepare(self) -> LandStep:
        return self.land.prepare()

    def stores(self, state: LandState) -> dict[str, Array]:
        """Return the water of the soil and the snow on it."""
        return self.land.stores(state)

    def profile(self, states: LandState) -> Profile | None:
        return self.land.profile(states)


def _choose(which: Float[Array, ""], yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(which > 0.5, a, b), yes, no)
