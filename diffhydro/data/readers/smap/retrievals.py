"""SMAP level 3 radiometer soil moisture: SPL3SMP (36 km) and SPL3SMP_E (9 km), a file for a day.

HDF5 with a group for each half of the orbits: AM descends at 06:00 local solar time, PM ascends at
18:00, and there all names end in `_pm`. Grids are EASE-Grid 2.0; where cells lie is computed, for
the files say it only where they have a retrieval. Missing is −9999, and 65534 in flags (O'Neill et
al. 2021; Chan and Dunbar 2021). The radiometer sees about the upper 5 cm.

Flags are bits, listed by `Retrieval` and `Surface`. A retrieval is kept when none of the refused
bits is set. By default these are the first three of `retrieval_qual_flag`, which leaves the values
0 and 8: of recommended quality, whether or not the ground's freezing was told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffhydro.data import ease
from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.smap.granule import OVERPASSES, File, open_days
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "SMAP SPL3SMP"
_DEPTH, _TOP, _BOTTOM = 25.0, 0.0, 50.0  # mm


class Retrieval(IntEnum):
    """Bits of `retrieval_qual_flag`."""

    NOT_RECOMMENDED = 0
    NOT_ATTEMPTED = 1
    NOT_SUCCESSFUL = 2
    NO_FREEZE_THAW = 3


class Surface(IntEnum):
    """Bits of `surface_flag`."""

    STATIC_WATER = 0
    RADAR_WATER = 1
    COAST = 2
    URBAN = 3
    PRECIPITATION = 4
    SNOW = 5
    PERMANENT_SNOW = 6
    FROZEN_BY_RADIOMETER = 7
    FROZEN_BY_MODEL = 8
    MOUNTAINS = 9
    DENSE_VEGETATION = 10
    NADIR = 11


RECOMMENDED = (Retrieval.NOT_RECOMMENDED, Retrieval.NOT_ATTEMPTED, Retrieval.NOT_SUCCESSFUL)
_LARGEST = 1e30  # what is more is damage, and too much for single precision in other units
_UNACCEPTABLE = 0  # bit of tb_qual_flag_*
SOURCES = {
    "soil_moisture": Source("soil_moisture", "m3 m-3"),
    "vegetation_opacity": Source("vegetation_opacity", "1"),
    "tb_h_corrected": Source("brightness_h", "K"),
    "tb_v_corrected": Source("brightness_v", "K"),
    "surface_temperature": Source("surface_temperature", "K"),
    "vegetation_water_content": Source("vegetation_water", "kg m-2"),
    "albedo": Source("albedo", "1"),
    "roughness_coefficient": Source("roughness", "1"),
    "freeze_thaw_fraction": Source("frozen_share", "1"),
    "bulk_density": Source("bulk_density", "g cm-3"),
    "clay_fraction": Source("clay", "1"),
    "static_water_body_fraction": Source("water_share", "1"),
}
_RETRIEVED = {"soil_moisture", "vegetation_opacity"}
_FIXED = {"bulk_density", "clay_fraction", "static_water_body_fraction"}
_DEEP = {"soil_moisture", "bulk_density", "clay_fraction"}
_BRIGHTNESS = {"tb_h_corrected": "tb_qual_flag_h", "tb_v_corrected": "tb_qual_flag_v"}


def read_smap(
    paths: Path | Iterable[Path],
    *,
    overpasses: tuple[str, ...] = OVERPASSES,
    refuse_retrieval: tuple[int, ...] = RECOMMENDED,
    refuse_surface: tuple[int, ...] = (),
    box: Box | None = None,
) -> "xr.Dataset":
    """Read days, lazily; a day without a file is missing.

    A value is the mean of the overpasses that are asked for and kept. Bulk density, clay and the
    share of water do not change with time: they are means over all days.

    Args:
        paths: Granules of one resolution, or folders of them.
        overpasses: `("AM", "PM")`, or one of them.
        refuse_retrieval: Bits of `retrieval_qual_flag` of which none may be set.
        refuse_surface: Bits of `surface_flag` of which none may be set, such as
            `(Surface.SNOW, Surface.FROZEN_BY_MODEL)`. Both are for what is retrieved: soil moisture
            and the vegetation's opacity. Brightness needs acceptable quality; the rest is
            ancillary, and kept as it is.
        box: West, south, east, north in degrees; None for the globe.
    """
    overpasses = tuple(overpasses)
    if not overpasses or not set(overpasses) <= set(OVERPASSES):
        raise InputError(f"overpasses are {overpasses}; expected AM, PM or both")
    masks = {
        "retrieval_qual_flag": _mask(refuse_retrieval, "refuse_retrieval"),
        "surface_flag": _mask(refuse_surface, "refuse_surface"),
    }
    days = open_days(paths, overpasses)
    rows, columns = (slice(0, days.grid.rows), slice(0, days.grid.columns))
    if box is not None:
        rows, columns = days.grid.within(box)
    part = _Part(days.files, overpasses, rows, columns)
    made = {name: _variable(part, name, masks) for name in SOURCES if name in days.names}
    return _finished(made, days.times, part, days.grid)


def _mask(bits: Iterable[int], where: str) -> int:
    """Give the number that has these bits."""
    bits = tuple(bits)
    if any(not 0 <= bit < 16 for bit in bits):
        raise InputError(f"{where} is {bits}; flags have the bits 0 to 15")
    return sum(1 << int(bit) for bit in set(bits))


@dataclass(frozen=True)
class _Part:
    """The days and cells of a data set."""

    files: tuple[File | None, ...]
    overpasses: tuple[str, ...]
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int, int]:
        rows, columns = self.rows.stop - self.rows.start, self.columns.stop - self.columns.start
        return len(self.files), rows, columns


@dataclass(frozen=True)
class _Days:
    """One dataset of all days, an array that reads a day when it is asked for it.

    Args:
        flags: Names of flags, and their bits that refuse a cell.
    """

    part: _Part
    name: str
    flags: tuple[tuple[str, int], ...]

    ndim, dtype = 3, np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.part.shape

    def __getitem__(self, key: Any) -> NDArray:
        days = [self._day(file) for file in self.part.files[key[0]]]
        return np.stack(days)[:, key[1], key[2]]

    def _day(self, file: File | None) -> NDArray:
        """Average the overpasses that have a value."""
        if file is None:
            return np.full(self.shape[1:], np.nan, np.float32)
        total, count = np.zeros(self.shape[1:]), np.zeros(self.shape[1:], np.int64)
        for overpass in self.part.overpasses:
            values = file.values(self.name, overpass, self.part.rows, self.part.columns)
            there = np.abs(values) < _LARGEST  # NaN is not
            for flag, refused in self.flags:
                bits, known = file.flags(flag, overpass, self.part.rows, self.part.columns)
                there &= known & (bits & refused == 0)
            total += np.where(there, values, 0.0)
            count += there
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _variable(part: _Part, name: str, masks: dict[str, int]) -> "xr.DataArray":
    import dask.array as da
    import xarray as xr

    flags: tuple[tuple[str, int], ...] = ()
    if name in _RETRIEVED:
        flags = tuple((flag, bits) for flag, bits in masks.items() if bits)
    elif name in _BRIGHTNESS:
        flags = ((_BRIGHTNESS[name], 1 << _UNACCEPTABLE),)
    source, chunks = _Days(part, name, flags), (1, *part.shape[1:])
    lazy: Any = da.from_array
    values = lazy(source, chunks, name=False, getitem=_read, meta=np.empty((0, 0, 0), np.float32))
    found = xr.DataArray(values, dims=("time", "y", "x"))
    if name in _FIXED:
        found = found.mean("time", dtype=np.float64)
    return found.expand_dims("depth", -3) if name in _DEEP else found


def _read(days: _Days, key: Any, **_: Any) -> NDArray:
    """Read a chunk; a function of its own, into which Dask fuses no other way of indexing."""
    return days[key]


def _finished(
    made: "dict[str, xr.DataArray]", times: NDArray, part: _Part, grid: ease.EaseGrid
) -> "xr.Dataset":
    import xarray as xr

    down = {"units": "mm", "positive": "down"}
    coordinates = {
        "time": ("time", times),
        "depth": ("depth", [_DEPTH], down),
        "top": ("depth", [_TOP], down),
        "bottom": ("depth", [_BOTTOM], down),
        "latitude": ("y", grid.latitude[part.rows], {"units": "degrees_north"}),
        "longitude": ("x", grid.longitude[part.columns], {"units": "degrees_east"}),
    }
    hours = " and ".join("06:00" if overpass == "AM" else "18:00" for overpass in part.overpasses)
    notes = {"time_zone": "UTC", "crs": ease.CRS, "overpass": f"{hours} local solar time"}
    files = tuple(file.path for file in part.files if file is not None)
    product = PRODUCT if grid == ease.EASE_36 else f"{PRODUCT}_E"
    return conform(xr.Dataset(made, coordinates), SOURCES, Origin(product, files, notes))
