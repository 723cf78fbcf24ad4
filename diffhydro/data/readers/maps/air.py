"""Vapour pressure and wind from what gridded weather has in their place.

With T_d the dew point, q the specific humidity, p the pressure, u and v the wind's components:

    e = e_s(T_d)                 (FAO-56 eq. 14)
    e = q p/[ε + (1 − ε) q]
    U = √(u² + v²)
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.land.air import MOLAR_RATIO, saturation

if TYPE_CHECKING:
    import xarray as xr

FREEZING = 273.15  # K, 0 °C


def vapour_at_dew_point(dew_point: "xr.DataArray") -> "xr.DataArray":
    """Give the vapour pressure, Pa, of air whose dew point is in K."""
    import xarray as xr

    vapour = xr.apply_ufunc(
        _saturated, dew_point, dask="parallelized", output_dtypes=[np.float64], keep_attrs=False
    )
    return vapour.assign_attrs(units="Pa")


def vapour_of(specific_humidity: "xr.DataArray", pressure: "xr.DataArray") -> "xr.DataArray":
    """Give the vapour pressure, Pa, from kg of vapour per kg of air, and Pa."""
    vapour = specific_humidity * pressure
    vapour = vapour / (MOLAR_RATIO + (1.0 - MOLAR_RATIO) * specific_humidity)
    vapour.attrs = {"units": "Pa"}
    return vapour


def speed(eastward: "xr.DataArray", northward: "xr.DataArray") -> "xr.DataArray":
    """Give the speed of a wind whose components are in m/s."""
    squared = eastward**2 + northward**2
    return (squared**0.5).assign_attrs(units="m s-1")


def _saturated(kelvin: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):  # what is no temperature is masked when the schema is met
        return saturation(kelvin.astype(np.float64) - FREEZING)
