"""A land-model product of the virtual Earth: four layers, mapped soil, reported weather.

What a centre would run and publish: other layers and other soil curves than the truth, and no
knowledge of cracks, irrigation, or water tables.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.core.trainable import put
from diffhydro.data.virtual.climate import Climate
from diffhydro.data.virtual.ground import Mapped
from diffhydro.data.virtual.weather import Calendar, Series
from diffhydro.land import sun
from diffhydro.land.forcing import Forcing
from diffhydro.land.land import Land
from diffhydro.land.upland import Upland
from diffhydro.soil.pedotransfer import cosby

LAYERS = (100.0, 300.0, 600.0, 1000.0)  # mm
_READ = ("precipitation", "temperature", "shortwave", "vapour_pressure", "leaf_area")


def model_product(
    calendar: Calendar, climate: Climate, said: Mapped, reported: Series
) -> np.ndarray:
    """Give soil moisture `[cell, day, layer]`."""
    daylight = sun.daylight(climate.latitude[:, None], calendar.of_year)
    series = {**{name: reported[name] for name in _READ}, "daylight": daylight}
    typed: dict[str, Any] = {name: jnp.asarray(x, jnp.float32) for name, x in series.items()}
    forcing = Forcing(**typed)
    # A coarse map knows texture by the nearest ten per cent.
    sand, clay = (np.clip(np.round(x, -1), 10.0, 80.0) for x in (said.sand, said.clay))
    soil = cosby(sand=sand, clay=np.minimum(clay, 60.0))
    numbers = {
        f"ground.soil.{name}": jnp.asarray(getattr(soil, name), jnp.float32)
        for name in ("theta_s", "k_sat", "psi_sat", "b")
    }
    base = Land(Upland(soil=cosby(sand=43.0, clay=18.0), grid=Column(list(LAYERS))))
    return np.asarray(_program(base, numbers, forcing))


@eqx.filter_jit
def _program(base: Land, numbers: dict[str, jax.Array], forcing: Forcing) -> jax.Array:
    model = put(astype(base, "float32"), numbers)
    profile = model.simulate(forcing, by_site=tuple(numbers), columns=400).profile
    assert profile is not None
    return profile.theta
