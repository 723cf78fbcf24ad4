"""The column that several parts of the demonstration share, and a year of invented weather."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.land.forcing import Forcing
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.trajectory import Trajectory
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.richards.state import Effort
from diffhydro.soil.uptake import Feddes, LinearRoots, Uptake

Soils = tuple[VanGenuchten, ...]
# Days of the year for gradients and calibration: a wet spring and the summer that dries it. A wet
# season alone says little about conductivity and retention.
SEASON = slice(90, 210)


def weather(days: int, seed: int = 7) -> Forcing:
    """Draw a year that starts in winter: wet spells, and a demand that follows the season."""
    rng = np.random.default_rng(seed)
    wet = np.zeros(days, bool)
    for day, chance in enumerate(rng.random(days)):
        wet[day] = chance < (0.55 if day and wet[day - 1] else 0.2)
    rain = np.where(wet, rng.gamma(0.8, 8.0, days), 0.0)
    season = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(days) - 15) / 365)
    demand = (0.6 + 4.4 * season) * rng.uniform(0.75, 1.25, days) * np.where(wet, 0.6, 1.0)
    return Forcing(*(jnp.asarray(x) for x in (rain, 0.3 * demand, 0.7 * demand)))


def model(**changes: Any) -> SoilColumn:
    """Loam to 30 cm over sandy clay loam to 1.5 m, with grass-like roots to 60 cm."""
    grid = Column.graded(
        [300.0, 1500.0], finest=10.0, ratio=1.25, coarsest=100.0, refine_at=(0.0, 300.0)
    )
    soil = tuple(VanGenuchten.from_texture(name) for name in ("loam", "sandy clay loam"))
    roots = Uptake(LinearRoots(jnp.asarray(600.0)), Feddes())
    return SoilColumn(grid=grid, soil=soil, roots=roots, **changes)


def effort(run: Trajectory) -> Effort:
    """Give what the solver did."""
    assert run.effort is not None
    return run.effort


def forced(run: Trajectory) -> jax.Array:
    """Count the steps that did not converge."""
    return jnp.sum(effort(run).forced)


def soils_of(model: SoilColumn) -> Soils:
    """Give the soils of both horizons."""
    return cast(Soils, model.soil)


def with_value(soils: Soils, horizon: int, name: str, value: float) -> Soils:
    """Give the soils with another value of one parameter."""
    fields = {**vars(soils[horizon]), name: jnp.asarray(value)}
    return tuple(VanGenuchten(**fields) if i == horizon else s for i, s in enumerate(soils))
