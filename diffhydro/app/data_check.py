"""`diffhydro data check`: what is in a file, what is missing, and which model could use it."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from diffhydro.data.gaps import gap_lengths
from diffhydro.data.readers.files import reading
from diffhydro.data.readers.recognise import recognise
from diffhydro.data.schema import VARIABLES
from diffhydro.land.hbv import Hbv
from diffhydro.land.potential import Given, Hargreaves, JensenHaise, PenmanMonteith
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil.pedotransfer import cosby

if TYPE_CHECKING:
    import xarray as xr

_HUMID = ("relative_humidity", "dew_point", "specific_humidity", "vapour_pressure_deficit")
_FROM_PLACE = {"daylight": "latitude", "extraterrestrial": "latitude", "pressure": "elevation"}
_LISTED = 8
_WIDTH = 110  # a line of numbers is read whole or not at all
_HEADS = ("variable", "unit", "over", "missing", "least", "middle", "most", "outside", "gap")


class Row(NamedTuple):
    """What is found of one variable."""

    name: str
    unit: str
    over: str
    missing: float
    least: float
    middle: float
    most: float
    masked: str
    gap: str


def check(path: Path, product: str | None = None) -> None:
    """Print what a file holds."""
    console = Console(width=max(Console().width, _WIDTH))
    reader = recognise(path, product)
    found = reader.read(path)
    console.print(f"{path.name}: {found.attrs.get('product', reader.name)} ({reader.name})")
    console.print(_extent(found))
    table = Table(box=None)
    for head in _HEADS:
        table.add_column(head, no_wrap=True)
    with reading(path, found.attrs.get("product", reader.name)):
        rows = [_row(found[name]) for name in found.data_vars if _is_number(found[str(name)])]
    for row in rows:
        numbers = (f"{x:.4g}" for x in (row.least, row.middle, row.most))
        share = f"{100 * row.missing:.1f} %"
        table.add_row(row.name, row.unit, row.over, share, *numbers, row.masked, row.gap)
    console.print(table)
    for name in ("not_read", "time_zone"):
        if name in found.attrs:
            console.print(f"{name.replace('_', ' ')}: {found.attrs[name]}")
    there = {row.name for row in rows if row.missing < 1.0} | set(map(str, found.coords))
    for model, missing in usable(there).items():
        console.print(f"{model}: {'can be run' if not missing else 'lacks ' + ', '.join(missing)}")


def usable(there: set[str]) -> dict[str, list[str]]:
    """Give what every model lacks, nothing where it can be run."""
    soil = ("sand", "clay")
    wbm = WaterBalance(upland=Upland(soil=cosby(sand=43.0, clay=18.0)))
    laws = (Given(), PenmanMonteith(), Hargreaves(), JensenHaise())
    buckets = [_lacking(Hbv(potential=law).needs, there) for law in laws]
    lacks = {
        "wbm, column": _lacking((*wbm.needs, *soil), there),
        "hbv": min(buckets, key=len),
    }
    lacks["calibration"] = _lacking(("soil_moisture",), there)
    return lacks


def _lacking(needs: tuple[str, ...], there: set[str]) -> list[str]:
    return [name for name in needs if not _has(name, there)]


def _has(name: str, there: set[str]) -> bool:
    """Tell whether a series is there, or follows from what is."""
    if name in there or f"{name}_profile" in there:
        return True
    if name == "vapour_pressure":
        return "temperature" in there and any(other in there for other in _HUMID)
    if name == "temperature":
        return {"temperature_max", "temperature_min"} <= there
    return _FROM_PLACE.get(name, "") in there


def _is_number(found: "xr.DataArray") -> bool:
    return found.dtype.kind in "fiub" and found.size > 0


def _extent(found: "xr.Dataset") -> str:
    words = [f"{size} {name}" for name, size in found.sizes.items()]
    if "time" in found.coords and found.sizes.get("time"):
        times = found["time"].values
        words.append(f"from {np.datetime_as_string(times[0], 'm')} to {_last(times)}")
    if "site" in found.coords:
        names = [str(name) for name in np.atleast_1d(found["site"].values)[:_LISTED]]
        more = found.sizes.get("site", 1) - len(names)
        words.append(f"sites {', '.join(names)}" + (f", … {more} more" if more > 0 else ""))
    return ", ".join(words)


def _last(times: np.ndarray) -> str:
    return str(np.datetime_as_string(times[-1], "m"))


def _row(found: "xr.DataArray") -> Row:
    name = str(found.name)
    known = found.notnull()
    numbers = found.astype(np.float64)
    wanted = [known.mean(), numbers.min(), numbers.max()]
    share, least, most = (float(x) for x in _together(wanted))
    sample = _sample(found)
    middle = float(np.nanmedian(sample)) if np.isfinite(sample).any() else float("nan")
    unit = found.attrs.get("units", VARIABLES[name].unit if name in VARIABLES else "")
    masked = found.attrs.get("masked_outside_range", 0)
    over = "×".join(map(str, found.dims))
    return Row(name, unit, over, 1.0 - share, least, middle, most, str(masked or ""), _gap(found))


def _together(values: list) -> list:
    """Compute lazy numbers in one pass over the file."""
    if any(x.chunks for x in values) or any(hasattr(x.data, "dask") for x in values):
        from dask.base import compute

        return list(compute(*values))
    return values


def _sample(found: "xr.DataArray", most: int = 1_000_000) -> np.ndarray:
    """Take every so-manieth value, for the median."""
    step = int(np.ceil(found.size / most))
    if step > 1 and "time" in found.dims:
        found = found.isel(time=slice(None, None, min(step, found.sizes["time"])))
    return np.asarray(found.values, np.float64).ravel()


def _gap(found: "xr.DataArray") -> str:
    """Give the longest run of missing times of a site, for those that have any value."""
    if "time" not in found.dims or "site" not in found.dims:
        return ""
    there = np.isfinite(found.transpose(..., "time").values)
    lengths = gap_lengths(~there[there.any(axis=-1)])
    return str(int(lengths.max())) if lengths.size else ""
