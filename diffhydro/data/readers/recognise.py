"""Which reader a file or folder is for: by its name where products have one, else by its beginning.

A map in a GeoTIFF of no particular name could be anything; it is read when its product is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.readers.apsim.output import read_apsim
from diffhydro.data.readers.apsim.weather import read_apsim_weather
from diffhydro.data.readers.cf.reader import read_cf
from diffhydro.data.readers.era5.hours import looks_like_era5, read_era5
from diffhydro.data.readers.era5.land import looks_like_era5_land, read_era5_land
from diffhydro.data.readers.gldas import looks_like_gldas, read_gldas
from diffhydro.data.readers.gridmet.days import looks_like_gridmet, read_gridmet
from diffhydro.data.readers.imerg import looks_like_imerg, read_imerg
from diffhydro.data.readers.isimip import looks_like_isimip, read_isimip
from diffhydro.data.readers.ismn import looks_like_ismn, read_ismn
from diffhydro.data.readers.modis import (
    looks_like_modis,
    read_modis,
    read_modis_geotiff,
    read_modis_table,
)
from diffhydro.data.readers.nldas import looks_like_nldas, read_nldas
from diffhydro.data.readers.raster import (
    looks_like_koppen,
    looks_like_polaris,
    read_dem,
    read_koppen,
    read_nlcd,
    read_polaris,
)
from diffhydro.data.readers.scan.reports import read_scan
from diffhydro.data.readers.smap.granule import looks_like_smap
from diffhydro.data.readers.smap.retrievals import read_smap
from diffhydro.data.readers.tables.attributes import read_attributes
from diffhydro.data.readers.tables.delimited import read_delimited
from diffhydro.data.readers.tables.labels import plain
from diffhydro.data.readers.tables.table import read_table
from diffhydro.data.readers.uscrn.daily import looks_like_uscrn, read_uscrn
from diffhydro.data.readers.uscrn.hourly import looks_like_uscrn_hourly, read_uscrn_hourly_as_days
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_BEGINNING = 8192  # bytes that are looked at
_DATES = {"date", "time", "datetime", "timestamp", "day"}


@dataclass(frozen=True)
class Reader:
    """A product and the function that reads it."""

    name: str
    read: Callable[[Path], "xr.Dataset"]


def _is_scan(path: Path) -> bool:
    head = _beginning(path)
    return "Site Id,Date" in head or ("Station Id" in head and "Soil Moisture Percent" in head)


def _is_apsim(path: Path) -> bool:
    return path.suffix == ".db" or _beginning(path).lstrip().startswith("ApsimVersion")


def _is_apsim_weather(path: Path) -> bool:
    return path.suffix == ".met" or "[weather.met.weather]" in _beginning(path)


def _is_modis_table(path: Path) -> bool:
    return "modis_date" in _beginning(path).partition("\n")[0]


def _is_cf(path: Path) -> bool:
    is_store = path.is_dir() and any((path / n).is_file() for n in ("zarr.json", ".zgroup"))
    return is_store or (path.is_file() and path.suffix in (".nc", ".nc4", ".h5", ".hdf5"))


def _has_dates(path: Path) -> bool:
    return path.suffix == ".csv" and bool(_DATES & _header(path))


def _is_attributes(path: Path) -> bool:
    return path.suffix == ".csv" and not _DATES & _header(path)


# The first that says yes reads. Names come before beginnings, products before formats.
_KNOWN: tuple[tuple[Reader, Callable[[Path], bool]], ...] = (
    (Reader("uscrn", read_uscrn), looks_like_uscrn),
    (Reader("uscrn-hourly", read_uscrn_hourly_as_days), looks_like_uscrn_hourly),
    (Reader("smap", read_smap), looks_like_smap),
    (Reader("gldas", read_gldas), looks_like_gldas),
    (Reader("nldas", read_nldas), looks_like_nldas),
    (Reader("imerg", read_imerg), looks_like_imerg),
    (Reader("isimip", read_isimip), looks_like_isimip),
    (Reader("gridmet", read_gridmet), looks_like_gridmet),
    (Reader("era5-land", read_era5_land), looks_like_era5_land),
    (Reader("era5", read_era5), looks_like_era5),
    (Reader("modis", read_modis), looks_like_modis),
    (Reader("koppen", read_koppen), looks_like_koppen),
    (Reader("polaris", read_polaris), looks_like_polaris),
    (Reader("ismn", read_ismn), looks_like_ismn),
    (Reader("modis-table", read_modis_table), _is_modis_table),
    (Reader("apsim-weather", read_apsim_weather), _is_apsim_weather),
    # The thickness of its layers is in another file: without it they are left out.
    (Reader("apsim", partial(read_apsim, thickness=())), _is_apsim),
    (Reader("scan", read_scan), _is_scan),
    (Reader("cf", read_cf), _is_cf),
    (Reader("table", read_table), _has_dates),
    (Reader("attributes", read_attributes), _is_attributes),
)
READERS: Mapping[str, Reader] = {reader.name: reader for reader, _ in _KNOWN} | {
    "modis-geotiff": Reader("modis-geotiff", read_modis_geotiff),
    "nlcd": Reader("nlcd", read_nlcd),
    "dem": Reader("dem", read_dem),
}


def recognise(path: Path, product: str | None = None) -> Reader:
    """Find the reader of a file or folder.

    Args:
        product: Its name, where it is known.
    """
    if not path.exists():
        raise InputError(f"no file at {path}")
    if product is not None:
        if product not in READERS:
            near = get_close_matches(product, READERS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f"no product {product!r}{hint} Known: {', '.join(sorted(READERS))}")
        return READERS[product]
    for reader, knows in _KNOWN:
        if knows(path):
            return reader
    raise InputError(
        f"{path} is of no known product; say which it is, of {', '.join(sorted(READERS))}"
    )


def _beginning(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(_BEGINNING).decode("utf-8", "replace")


def _header(path: Path) -> set[str]:
    """Give the plain names of a table's columns."""
    (_, first), *_ = read_delimited(path, expected="a table")
    return {plain(cell.partition("(")[0].partition("[")[0]) for cell in first}
