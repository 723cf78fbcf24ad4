"""From the name of a model, a weather file and a file of parameters to a model of many sites."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import yaml

from diffhydro.core.grids import Column
from diffhydro.core.parameters import out_of_bounds, specs, values
from diffhydro.core.precision import astype
from diffhydro.core.trainable import put, unknown
from diffhydro.data.weather import Weather
from diffhydro.errors import InputError
from diffhydro.land.hbv import Hbv
from diffhydro.land.land import Land
from diffhydro.land.model import AbstractModel
from diffhydro.land.potential import (
    AbstractPotential,
    Given,
    Hargreaves,
    JensenHaise,
    PenmanMonteith,
)
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil import Feddes, JacksonRoots, Uptake
from diffhydro.soil.peat import coarse_pores
from diffhydro.soil.pedotransfer import cosby, rosetta

MODELS = ("wbm", "hbv", "column")
COLUMN = {"depth": 2000.0, "layers": 16}
OPTIONAL = ("daylight", "pressure", "wind", "temperature_max", "temperature_min")

Numbers = dict[str, np.ndarray]


@dataclass(frozen=True)
class Setup:
    """A model for every site of a file.

    Attributes:
        base: The model before sites make their differences.
        numbers: What differs: values per site, by path.
        series: What to read.
        notes: What was chosen for the user.
    """

    base: AbstractModel
    numbers: Numbers
    dtype: np.dtype
    series: tuple[str, ...]
    notes: list[str]


def set_up(name: str, weather: Weather, parameters: Mapping[str, Any], dtype: np.dtype) -> Setup:
    """Choose and fill a model."""
    sites = len(weather.sites)
    base, numbers, notes = _BASES[name](weather)
    declared = specs(base)
    numbers |= _given(parameters, declared, weather, sites)
    problems = [
        text for path, x in numbers.items() if (text := _outside(path, declared, x, weather))
    ]
    if problems:
        raise InputError("; ".join(problems))
    here = tuple(x for x in OPTIONAL if weather.has(x))
    needed = base.needs
    missing = [x for x in needed if not weather.has(x)]
    if missing:
        raise InputError(f"{name} needs {', '.join(missing)}, which {weather.name} does not have")

    series = (*needed, *(x for x in here if x not in needed))
    return Setup(astype(base, dtype), numbers, dtype, series, notes)


def at_sites(setup: Setup, which: np.ndarray) -> tuple[AbstractModel, tuple[str, ...]]:
    """Give the model of some sites, by number, and the paths of what differs between them."""
    mine = {path: jnp.asarray(x[which], setup.dtype) for path, x in sorted(setup.numbers.items())}
    return put(setup.base, mine), tuple(mine)


def read_parameters(path: Path | None) -> dict[str, Any]:
    """Read `path: value` lines from YAML."""
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{path} holds a {type(found).__name__}; expected lines path: value")
    return {str(key): value for key, value in found.items()}


def _given(
    parameters: Mapping[str, Any], declared: Mapping[str, Any], weather: Weather, sites: int
) -> Numbers:
    numbers = {}
    for path, value in parameters.items():
        if path not in declared:
            raise InputError(f"in the parameters, {unknown(path, declared)}")
        if isinstance(value, str):
            found = weather.attribute(value)
            if found is None:
                raise InputError(f"{path}: {value!r} is not a variable of {weather.name}")
            numbers[path] = found
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{path}: {value!r} is neither a number nor a name in the data")
        else:
            numbers[path] = np.full(sites, float(value))
    return numbers


def _outside(path: str, declared: Mapping[str, Any], x: np.ndarray, weather: Weather) -> str | None:
    if path not in declared:
        return None
    text = out_of_bounds(path, declared[path], x)
    if text is None:
        return None
    wrong = [out_of_bounds(path, declared[path], np.asarray(v)) is not None for v in x]
    return f"{text} (site {weather.sites[int(np.argmax(wrong))]})"


def _texture(weather: Weather) -> Numbers:
    found = {name: weather.attribute(name) for name in ("sand", "silt", "clay")}
    missing = [name for name in ("sand", "clay") if found[name] is None]
    if missing:
        raise InputError(
            f"{weather.name} has no {' and no '.join(missing)} (percent, by site), which the soil "
            "is made from"
        )
    sand, clay = found["sand"], found["clay"]
    assert sand is not None
    assert clay is not None
    silt = found["silt"] if found["silt"] is not None else 100.0 - sand - clay
    return {"sand": sand, "silt": silt, "clay": clay}


def _soil_numbers(soil: Any, prefix: str, sites: int) -> Numbers:
    return {
        f"{prefix}.{path}": np.broadcast_to(np.asarray(x, np.float64), (sites,))
        for path, x in values(soil).items()
    }


def _wbm(weather: Weather) -> tuple[AbstractModel, Numbers, list[str]]:
    texture, sites = _texture(weather), len(weather.sites)
    soil = cosby(sand=texture["sand"], clay=texture["clay"])
    numbers = _soil_numbers(soil, "upland.soil", sites)
    numbers["wetland.coarse"] = np.clip(
        coarse_pores(texture["sand"], texture["silt"], texture["clay"]), 0.14, 0.45
    )
    notes = ["soils from texture by Cosby et al. 1984"]
    flag = weather.attribute("is_wetland")
    if flag is not None:
        bad = (flag != 0) & (flag != 1)
        if bad.any():
            where = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"is_wetland is {flag[where]:g} at site {weather.sites[where]} ({int(bad.sum())} "
                f"such sites in {weather.name}); a site is a wetland (1) or upland (0)"
            )
        numbers["is_wetland"] = flag
    model = WaterBalance(upland=Upland(soil=cosby(sand=43.0, clay=18.0)))
    return model, numbers, notes


def _column(weather: Weather) -> tuple[AbstractModel, Numbers, list[str]]:
    texture, sites = _texture(weather), len(weather.sites)
    soil = rosetta(texture["sand"], texture["silt"], texture["clay"])
    numbers = _soil_numbers(soil, "ground.soil", sites)
    first = rosetta(sand=43.0, silt=39.0, clay=18.0)
    ground = SoilColumn(
        grid=Column.geometric(**COLUMN),
        soil=first,
        roots=Uptake(JacksonRoots(), Feddes()),
    )
    return Land(ground), numbers, ["soils from texture by Rosetta 3"]


def _hbv(weather: Weather) -> tuple[AbstractModel, Numbers, list[str]]:
    potential = _potential(weather)
    elevation = weather.attribute("elevation")
    numbers = {}
    if isinstance(potential, PenmanMonteith) and elevation is not None:
        numbers["potential.surface.elevation"] = elevation
    return Hbv(potential=potential), numbers, [f"evaporation: {type(potential).__name__}"]


def _potential(weather: Weather) -> AbstractPotential:
    """Choose the best law that the file feeds."""
    laws = (Given(), PenmanMonteith(), Hargreaves(), JensenHaise())
    for law in laws:
        if all(weather.has(name) for name in law.needs):
            return law
    wanted = "; or ".join(", ".join(law.needs) for law in laws)
    raise InputError(f"{weather.name} feeds no law of potential evaporation; give {wanted}")


_BASES = {"wbm": _wbm, "hbv": _hbv, "column": _column}
