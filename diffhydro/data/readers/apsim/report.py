"""What APSIM calls its variables, and how a table of its output becomes series of the schema.

A name is known by its last part, in small or capital letters: `es`, `Soil.SoilWater.Es`. Layers
are numbered from the top, `sw(1)`; how thick they are is in the soil, not in the output. Fluxes are
those of the day, states those at its end. What was transpired and evaporated is actual, not
potential.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin
from diffhydro.data.readers.stations import Series, Station
from diffhydro.data.readers.steps import DAY
from diffhydro.data.readers.tables.clock import CLOCK, times_of
from diffhydro.data.readers.tables.columns import Column, assembled, refuse_nonsense
from diffhydro.data.readers.tables.delimited import Table
from diffhydro.data.readers.tables.labels import plain
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

NAMES = {
    "rain": "precipitation",
    "radn": "shortwave",
    "maxt": "temperature_max",
    "mint": "temperature_min",
    "meant": "temperature",
    "vp": "vapour_pressure",
    "rh": "relative_humidity",
    "wind": "wind",
    "lai": "leaf_area",
    "eo": "potential_evaporation",
    "ep": "transpiration",
    "transpiration": "transpiration",
    "es": "soil_evaporation",
    "et": "evaporation",
    "runoff": "runoff",
    "drain": "drainage",
    "drainage": "drainage",
    "sw": "soil_moisture",
    "st": "soil_temperature",
    "ave_soil_temp": "soil_temperature",
}
# Where a file gives no unit.
_UNITS = {
    "shortwave": "MJ/m2",
    "vapour_pressure": "hPa",
    "relative_humidity": "%",
}
_SPELLED = {
    "m2/m2": "1",
    "m^2/m^2": "1",
    "0-1": "1",
    "MJ/m2/day": "MJ m-2 day-1",
    "MJ/m^2/day": "MJ m-2 day-1",
}
_LAYER = re.compile(r"(.+)\((\d+)\)")
_KEYS = frozenset({"simulationid", "simulationname", "checkpointid", "checkpointname", "zone"})


@dataclass(frozen=True)
class Output:
    """A table of output.

    Args:
        units: By column, as they stand in the file, without brackets.
        sites: Of every row.
    """

    table: Table
    units: Mapping[str, str]
    sites: Sequence[str]


def sites_of(table: Table, alone: str) -> list[str]:
    """Name the site of every row: its simulation, and its zone where that has several."""
    at = {name.lower(): i for i, name in enumerate(table.header)}
    key = next((at[k] for k in ("simulationname", "simulationid") if k in at), None)
    simulations = [alone] * len(table.lines) if key is None else table.column(key)
    if "zone" not in at:
        return simulations
    zones = table.column(at["zone"])
    several = Counter(simulation for simulation, _ in set(zip(simulations, zones, strict=True)))
    return [
        f"{simulation}/{zone}" if several[simulation] > 1 else simulation
        for simulation, zone in zip(simulations, zones, strict=True)
    ]


def column_of(label: str, unit: str | None, layers: Sequence[float] = ()) -> Column | None:
    """Say what a column is; None for what the schema does not have.

    Args:
        layers: Middles of the layers, mm.
    """
    numbered = _LAYER.fullmatch(label)
    stem = (numbered[1] if numbered else label).rsplit(".", 1)[-1].lower()
    name = NAMES.get(stem)
    if name is None or ("depth" in VARIABLES[name].axes) != (numbered is not None):
        return None
    spelled = _SPELLED.get(unit or "", unit) or _UNITS.get(name)
    if numbered is None:
        return Column(label, name, spelled)
    at = int(numbered[2])
    return Column(label, name, spelled, layers[at - 1]) if 0 < at <= len(layers) else None


def dataset(
    output: Output, thickness: Sequence[float] | None, dates: str | None, origin: Origin
) -> "xr.Dataset":
    """Make a data set of daily output, one site a simulation."""
    layers = _layers(output, thickness)
    middles = (layers[:-1] + layers[1:]) / 2.0
    table = output.table
    columns = _columns(output, middles)
    times = times_of(table, dates).astype("datetime64[D]")
    stations = []
    sites = np.array(output.sites)
    for site in dict.fromkeys(sites.tolist()):
        rows = np.flatnonzero(sites == site)
        rows = rows[np.argsort(times[rows], kind="stable")]
        _check_daily(table, site, times[rows])
        stations.append(Station(site, _series(table, columns, times, rows)))
    named = {column.label for column in columns.values()} | set(_keys(table))
    lost = ", ".join(name for name in table.header if name not in named)
    notes = dict(origin.notes) | {"time_zone": "local standard time"}
    notes |= {"not_read": lost} if lost else {}
    made = assembled(
        stations, list(columns.values()), DAY, Origin(origin.product, origin.files, notes)
    )
    refuse_nonsense(made, table.path.name)
    if "depth" not in made.dims:
        return made
    there = np.isin(middles, made["depth"].values)
    bounds = {"top": ("depth", layers[:-1][there]), "bottom": ("depth", layers[1:][there])}
    return made.assign_coords(bounds)


def _layers(output: Output, thickness: Sequence[float] | None) -> np.ndarray:
    """Give the bounds of the layers, mm, from the ground down."""
    where = output.table.path
    numbers = [
        int(found[2])
        for name in output.table.header
        if (found := _LAYER.fullmatch(name)) and column_of(name, None, [0.0] * int(found[2]))
    ]
    if thickness is None and numbers:
        raise InputError(
            f"{where} has {max(numbers)} layers, and how thick they are is in the soil of the "
            "simulation; say thickness=[150, …] in mm, or thickness=[] to leave them out"
        )
    given = np.array(list(thickness or ()), float)
    if len(given) and numbers and (len(given) != max(numbers) or not (given > 0).all()):
        raise InputError(
            f"{where} has {max(numbers)} layers; thickness is "
            f"[{', '.join(f'{one:g}' for one in given)}]: expected one number for each, in mm and "
            "above zero"
        )
    return np.concatenate([[0.0], np.cumsum(given)])


def _columns(output: Output, middles: np.ndarray) -> dict[int, Column]:
    """Say what is read: of what two columns claim to be, nothing."""
    found = {}
    for i, label in enumerate(output.table.header):
        column = column_of(label, output.units.get(label) or None, middles.tolist())
        if column is not None:
            found[i] = column
    claims = Counter((column.name, column.depth) for column in found.values())
    found = {i: c for i, c in found.items() if claims[c.name, c.depth] == 1}
    if not found:
        raise InputError(
            f"{output.table.path} has none of {', '.join(NAMES)}; it has "
            f"{', '.join(output.table.header[:12])}"
        )
    return found


def _series(
    table: Table, columns: Mapping[int, Column], times: np.ndarray, rows: np.ndarray
) -> list[Series]:
    return [
        column.series(times[rows], table.numbers(at)[rows], DAY, table.path.name)
        for at, column in columns.items()
    ]


def _check_daily(table: Table, site: str, times: np.ndarray) -> None:
    gaps = np.diff(times)
    wrong = np.flatnonzero(gaps != DAY)
    if len(wrong):
        raise InputError(
            f"{table.path}: {site} has {times[wrong[0] + 1]} after {times[wrong[0]]}; expected "
            "daily output, each day once: report at the end of the day"
        )


def _keys(table: Table) -> list[str]:
    return [n for n in table.header if plain(n) in CLOCK or n.lower() in _KEYS]
