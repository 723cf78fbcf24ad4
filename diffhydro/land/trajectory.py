"""What a run leaves: fluxes and states through time, and what observation and budget need.

Every array of a trajectory, also those of its grid, has the same leading axes: none for one
column, `site` for many, `member, site` for an ensemble of them.
"""

from typing import Any

import equinox as eqx

from diffhydro.core.grids import Column
from diffhydro.soil.richards.state import Effort
from diffhydro.typing import Array, Float


class Fluxes(eqx.Module):
    """Water that moved during an interval, mm, and what it took to find out.

    Args:
        precipitation: What fell, or reached a ground that has nothing above it.
        infiltration: Into the soil through its surface, less what evaporates there; negative where
            evaporation draws on the soil.
        runoff: Away over the surface.
        evaporation: From soil and pond; negative is dew.
        transpiration: Through roots.
        drainage: Out at the foot; negative where water rises into the column.
        interception: Evaporated from wet leaves; None for models without a canopy.
        sublimation: From snow; None for models without it.
        melt: Of snow; it reaches the ground and leaves the balance as it is.
        effort: Work and failures of the solver; None for models that have none.
    """

    precipitation: Float[Array, "*site time"]
    infiltration: Float[Array, "*site time"]
    runoff: Float[Array, "*site time"]
    evaporation: Float[Array, "*site time"]
    transpiration: Float[Array, "*site time"]
    drainage: Float[Array, "*site time"]
    interception: Float[Array, "*site time"] | None = None
    sublimation: Float[Array, "*site time"] | None = None
    melt: Float[Array, "*site time"] | None = None
    effort: Effort | None = None

    @property
    def inflow(self) -> Float[Array, "*site time"]:
        """Give what entered the soil from above before any of it evaporated: I_F of study A.

        It is zero on days without rain and melt, whatever evaporates.
        """
        return self.infiltration + self.evaporation


FLUXES = (*Fluxes.__dataclass_fields__, "inflow")


class Profile(eqx.Module):
    """Soil moisture by depth and time.

    Args:
        grid: The layers.
        theta: Water content at the end of each step.
        root_share: Share of the roots in each layer; None without roots.
    """

    grid: Column
    theta: Float[Array, "*site time layer"]
    root_share: Float[Array, "*site layer"] | None


class Trajectory(eqx.Module):
    """A model's course through a forcing.

    Args:
        fluxes: Amounts of each step.
        states: States at the end of each step.
        initial: State before the first step.
        final: State after the last step: where the next run takes over.
        profile: Soil moisture; None for models without layers.
        stores_before: Water in each store before the first step, mm; one number or one per part.
        stores_after: The same after the last step.
    """

    fluxes: Fluxes
    states: Any
    initial: Any
    final: Any
    profile: Profile | None
    stores_before: dict[str, Array]
    stores_after: dict[str, Array]

    @property
    def effort(self) -> Effort | None:
        """Work and failures of the solver, step by step."""
        return self.fluxes.effort

    @property
    def theta(self) -> Float[Array, "*site time layer"]:
        """Water content at the end of each step."""
        if self.profile is None:
            raise AttributeError("this model has no soil layers, and so no theta")
        return self.profile.theta
