"""ERA5 and ERA5-Land, as NetCDF of three layouts and as GRIB."""

from diffhydro.data.readers.era5.hours import looks_like_era5, read_era5
from diffhydro.data.readers.era5.land import (
    looks_like_era5_land,
    read_era5_land,
    read_era5_land_days,
)

__all__ = [
    "looks_like_era5",
    "looks_like_era5_land",
    "read_era5",
    "read_era5_land",
    "read_era5_land_days",
]
