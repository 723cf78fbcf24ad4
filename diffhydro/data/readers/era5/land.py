"""ERA5-Land, hourly, 0.1 degree: files as those of ERA5, but sums that grow from 00 UTC.

The value at 00 UTC is the total of the day before. Hours are differences; where an hour before is
not there, they are missing. Days are the values at 00 UTC themselves.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source, conform
from diffhydro.data.daily import LEAST
from diffhydro.data.daily_maps import daily_map
from diffhydro.data.readers.era5.files import is_era5_file, together
from diffhydro.data.readers.era5.hours import (
    ENERGY,
    JOULES,
    KNOWN,
    MADE,
    METRES,
    SOURCES,
    SUMS,
    WATER,
    from_fields,
    is_of_land,
)
from diffhydro.data.readers.maps.accumulation import day_totals, per_hour
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.product import Product, expect_unit, files_of

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = Product("ERA5-Land", SOURCES, MADE)
_DAILY = Product(
    "ERA5-Land",
    {n: Source(s.name, s.unit, stamp="start") for n, s in SOURCES.items() if n in SUMS},
    conform=conform,
)


def looks_like_era5_land(path: Path) -> bool:
    """Tell by the name, or by the variables and the spacing."""
    if path.is_dir():
        return any(looks_like_era5_land(file) for file in sorted(path.rglob("*")))
    return is_era5_file(path, KNOWN) and is_of_land(path)


def read_era5_land(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
) -> "xr.Dataset":
    """Read files into one data set of rates in time; a folder stands for all files below it.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
    """
    files = _files(paths)
    sources = PRODUCT.wanted(variables)
    found = _opened(files, sources, chunks)
    made = {n: per_hour(found[n]).assign_attrs(units=_unit(n, "h-1")) for n in SUMS if n in found}
    return PRODUCT.schema(from_fields(found.assign(made)), sources, files, {})


def read_era5_land_days(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
    least: float = LEAST,
) -> "xr.Dataset":
    """Read files into days: totals from the sums at 00 UTC, means of everything else.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
        least: Share of a day's hours that a mean needs.
    """
    files = _files(paths)
    sources = PRODUCT.wanted(variables)
    found = _opened(files, sources, chunks)
    sums = [label for label in SUMS if label in found]
    rest = from_fields(found.drop_vars(sums))
    others = {label: source for label, source in sources.items() if label not in SUMS}
    if not sums:
        return daily_map(PRODUCT.schema(rest, others, files, {}), least=least)
    wanted = {label: source for label, source in _DAILY.sources.items() if label in sources}
    totals = _DAILY.schema(from_fields(_totals(found[sums])), wanted, files, {})
    if not set(others) & set(rest):
        return totals
    means = daily_map(PRODUCT.schema(rest, others, files, {}), least=least)
    return totals.merge(means, join="outer", compat="override")


def _totals(sums: "xr.Dataset") -> "xr.Dataset":
    import xarray as xr

    made = {n: day_totals(v).assign_attrs(units=_unit(str(n), "day-1")) for n, v in sums.items()}
    return xr.Dataset(made).assign_coords(latitude=sums["latitude"], longitude=sums["longitude"])


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    expected = "of ERA5-Land (.nc, .zip, .grib)"
    return files_of(paths, lambda path: is_era5_file(path, KNOWN), expected)


def _opened(files: list[Path], sources: dict[str, Source], chunks: Chunks | None) -> "xr.Dataset":
    labels = PRODUCT.labels(sources)
    found = together(files, PRODUCT.name, labels, chunks)
    for label in SUMS:
        if label in found:
            expect_unit(found, label, *(METRES if label in WATER else JOULES))
    return found


def _unit(label: str, per: str) -> str:
    return f"J m-2 {per}" if label in ENERGY else f"m {per}"
