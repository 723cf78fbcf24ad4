"""What is true on the virtual Earth: fine Richards columns under the true weather.

Two horizons with van Genuchten parameters that scatter round what their (true) texture suggests,
roots by cover, cracks, irrigation, and a moving water table under wet flats. The water-balance
model has none of the last three, sees other soil and other weather, and cannot be exactly right.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.core.trainable import put
from diffhydro.data.virtual.climate import Climate
from diffhydro.data.virtual.cracked import Cracked
from diffhydro.data.virtual.foot import RestOrHead, TableOrDrain
from diffhydro.data.virtual.ground import Hidden, Mapped
from diffhydro.data.virtual.weather import Calendar, Series, trailing
from diffhydro.land import sun
from diffhydro.land.forcing import Forcing
from diffhydro.land.land import Land
from diffhydro.land.observe import probe, skin
from diffhydro.land.soil_column import SoilColumn
from diffhydro.soil.hydraulics import VanGenuchtenAirEntry
from diffhydro.soil.pedotransfer import rosetta
from diffhydro.soil.uptake import Feddes, JacksonRoots, Uptake

THICKNESS = (20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 120.0, 150.0, 200.0, 250.0, 300.0, 400.0)
_TOPSOIL = 6  # layers
FOOT = float(sum(THICKNESS))
DEPTHS = (50.0, 100.0, 200.0, 500.0, 1000.0)  # mm: where probes sit
SKIN = 50.0
_READ = ("precipitation", "temperature", "shortwave", "vapour_pressure", "leaf_area", "wind")
_IRRIGATION = 5.0  # mm/day
COLUMNS = 256


class Truth(NamedTuple):
    """Water contents and fluxes `[place, day]`; `theta` has depths last."""

    theta: Any
    skin: Any
    evapotranspiration: Any
    runoff: Any
    drainage: Any
    snow: Any
    residual: Any  # mm over the whole record, `[place]`
    forced: Any  # solver steps that did not converge, `[place]`


def truth(
    calendar: Calendar, climate: Climate, said: Mapped, hidden: Hidden, weather: Series
) -> Truth:
    """Run the columns."""
    rain = weather["precipitation"] + _irrigation(climate, hidden, weather)
    true = {**weather, "precipitation": rain}
    table = _water_table(climate, hidden, calendar, weather)
    numbers = _numbers(climate, said, hidden, table)
    places = len(rain)
    parts = []
    for start in range(0, places, COLUMNS):
        # Always as many columns, so that one program serves all: the last one stands in.
        chosen = np.minimum(np.arange(start, start + COLUMNS), places - 1)
        mine = {path: jnp.asarray(x[chosen], jnp.float32) for path, x in numbers.items()}
        forcing = _forcing(calendar, climate, true, table, chosen)
        ran = _program(_model(), mine, forcing)
        parts.append(tuple(np.asarray(x)[: places - start] for x in ran))
    return Truth(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def _forcing(
    calendar: Calendar, climate: Climate, weather: Series, table: np.ndarray, where: np.ndarray
) -> Forcing:
    daylight = sun.daylight(climate.latitude[where, None], calendar.of_year)
    series = {name: weather[name][where] for name in _READ}
    series |= {"base": FOOT - table[where], "daylight": daylight}
    typed: dict[str, Any] = {name: jnp.asarray(x, jnp.float32) for name, x in series.items()}
    return Forcing(**typed)


# Compiled once for a number of columns and days, whatever the places.
@eqx.filter_jit
def _program(base: Land, numbers: dict[str, jax.Array], forcing: Forcing) -> Truth:
    model = put(astype(base, "float32"), numbers)
    return _told(model, forcing, tuple(numbers))


def _told(model: Land, forcing: Forcing, by_site: tuple[str, ...]) -> Truth:
    run = model.simulate(forcing, by_site=by_site, columns=COLUMNS)
    fluxes = run.fluxes
    lost = (
        fluxes.evaporation
        + fluxes.transpiration
        + (0.0 if fluxes.interception is None else fluxes.interception)
        + (0.0 if fluxes.sublimation is None else fluxes.sublimation)
    )
    out = lost + fluxes.runoff + fluxes.drainage
    stored = sum(
        jnp.sum(run.stores_after[name].reshape(len(out), -1), axis=1)
        - jnp.sum(run.stores_before[name].reshape(len(out), -1), axis=1)
        for name in run.stores_after
    )
    effort = fluxes.effort
    assert effort is not None
    return Truth(
        theta=jnp.stack([probe(run, depth) for depth in DEPTHS], axis=-1),
        skin=skin(run, SKIN),
        evapotranspiration=lost,
        runoff=fluxes.runoff,
        drainage=fluxes.drainage,
        snow=run.states.snow,
        residual=jnp.sum(fluxes.precipitation - out, axis=1) - stored,
        forced=jnp.sum(effort.forced, axis=1),
    )


def _model() -> Land:
    # An air entry of 20 mm: without one a saturated clay at n near 1.2 has no finite slope.
    first = VanGenuchtenAirEntry(
        theta_r=jnp.full(2, 0.06),
        theta_s=jnp.full(2, 0.43),
        alpha=jnp.full(2, 0.002),
        n=jnp.full(2, 1.4),
        k_sat=jnp.full(2, 200.0),
    )
    horizon = tuple(0 if i < _TOPSOIL else 1 for i in range(len(THICKNESS)))
    column = SoilColumn(
        grid=Column(list(THICKNESS), horizon=horizon),
        soil=first,
        bottom=TableOrDrain(),
        roots=Uptake(JacksonRoots(), Feddes()),
        initial=RestOrHead(),
    )
    return Land(Cracked(column))


def _numbers(
    climate: Climate, said: Mapped, hidden: Hidden, table: np.ndarray
) -> dict[str, np.ndarray]:
    """Give the parameters of every place, by path."""
    sand, silt, clay = np.moveaxis(hidden.texture, -1, 0)
    guess = jax.tree.map(np.asarray, rosetta(sand, silt, clay))
    theta_s = np.clip(guess.theta_s + hidden.porosity, 0.30, 0.60)
    soil = {
        "theta_s": theta_s,
        "theta_r": np.minimum(guess.theta_r, 0.5 * theta_s),
        "alpha": np.clip(guess.alpha * np.exp(hidden.log_alpha), 1e-4, 0.015),
        "n": np.clip(1.0 + (guess.n - 1.0) * np.exp(hidden.log_n), 1.10, 3.5),
        "k_sat": np.clip(guess.k_sat * np.exp(hidden.log_k), 2.0, 2e4),
    }
    reach = np.isfinite(hidden.water_table).astype(float)
    column = {
        **{f"soil.{name}": x for name, x in soil.items()},
        "roots.roots.beta": said.root_beta,
        "bottom.reach": reach,
        "initial.reach": reach,
        "initial.depth": table[:, 0],
        "initial.head": np.clip(-600.0 / np.maximum(climate.aridity, 1e-3), -20_000.0, -200.0),
    }
    numbers = {f"ground.ground.{path}": x for path, x in column.items()}
    return numbers | {"ground.share": hidden.cracks}


def _irrigation(climate: Climate, hidden: Hidden, weather: Series) -> np.ndarray:
    """Water fields while it is warm and the rain of three weeks has been under half the demand."""
    demand = np.maximum(climate.demand / 365.25, 1.0)[:, None]
    dry = trailing(weather["precipitation"], 20.0) < 0.5 * demand
    warm = trailing(weather["temperature"], 20.0) > 14.0
    return _IRRIGATION * hidden.irrigated[:, None] * (dry & warm)


def _water_table(
    climate: Climate, hidden: Hidden, calendar: Calendar, weather: Series
) -> np.ndarray:
    """Let the table rise after wet months and fall in summer, mm below the surface."""
    usual = np.maximum(climate.rain / 365.25, 0.1)[:, None]
    wetness = np.clip(trailing(weather["precipitation"], 60.0) / usual, 0.0, 2.5)
    factor = 1.25 - 0.25 * wetness + 0.25 * climate.season(calendar.of_year)
    return np.nan_to_num(hidden.water_table, nan=FOOT)[:, None] * np.clip(factor, 0.3, 1.8)
