"""The columns of USCRN's hourly02 and subhourly01 (five minutes), 38 and 23 of them.

From NOAA/NCEI's descriptions of CRNH0203 and CRNS0101-05. Radiation, humidity and the warmth of the
ground have a flag beside them: 0 is good, 3 erroneous. Rain and soil have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from diffhydro.data.conform import Source
from diffhydro.data.readers.heights import wind_to_two_metres
from diffhydro.data.readers.uscrn.text import Layout

WIND_HEIGHT = 1.5  # m
_PROBES = (50.0, 100.0, 200.0, 500.0, 1000.0)  # mm


@dataclass(frozen=True)
class Product:
    """A layout and what its columns are.

    Args:
        columns: By column; profiles have the same label at several depths.
        depths: Of columns, mm.
        flags: The column of the flag of a column.
        factors: What turns a column into the unit of its source.
    """

    layout: Layout
    step: np.timedelta64
    columns: Mapping[int, str]
    sources: Mapping[str, Source]
    depths: Mapping[int, float]
    flags: Mapping[int, int]
    factors: Mapping[int, float] = field(default_factory=dict)


def _source(name: str, unit: str) -> Source:
    return Source(name, unit, stamp="end")


HOURLY = Product(
    layout=Layout("USCRN hourly02", "CRNH0203", 38, frozenset({5, 19})),
    step=np.timedelta64(60, "m"),
    columns={
        9: "T_HR_AVG",
        10: "T_MAX",
        11: "T_MIN",
        12: "P_CALC",
        13: "SOLARAD",
        20: "SUR_TEMP",
        26: "RH_HR_AVG",
        **{28 + i: "SOIL_MOISTURE" for i in range(5)},
        **{33 + i: "SOIL_TEMP" for i in range(5)},
    },
    sources={
        "T_HR_AVG": _source("temperature", "degC"),
        "T_MAX": _source("temperature_max", "degC"),
        "T_MIN": _source("temperature_min", "degC"),
        "P_CALC": _source("precipitation", "mm h-1"),
        "SOLARAD": _source("shortwave", "W m-2"),
        "SUR_TEMP": _source("surface_temperature", "degC"),
        "RH_HR_AVG": _source("relative_humidity", "%"),
        "SOIL_MOISTURE": _source("soil_moisture", "m3 m-3"),
        "SOIL_TEMP": _source("soil_temperature", "degC"),
    },
    depths={first + i: depth for first in (28, 33) for i, depth in enumerate(_PROBES)},
    flags={13: 14, 20: 21, 26: 27},
)
SUBHOURLY = Product(
    layout=Layout("USCRN subhourly01", "CRNS0101-05", 23, frozenset({5, 13})),
    step=np.timedelta64(5, "m"),
    columns={
        8: "AIR_TEMPERATURE",
        9: "PRECIPITATION",
        10: "SOLAR_RADIATION",
        12: "SURFACE_TEMPERATURE",
        15: "RELATIVE_HUMIDITY",
        17: "SOIL_MOISTURE_5",
        18: "SOIL_TEMPERATURE_5",
        21: "WIND_1_5",
    },
    sources={
        "AIR_TEMPERATURE": _source("temperature", "degC"),
        "PRECIPITATION": _source("precipitation", "mm h-1"),
        "SOLAR_RADIATION": _source("shortwave", "W m-2"),
        "SURFACE_TEMPERATURE": _source("surface_temperature", "degC"),
        "RELATIVE_HUMIDITY": _source("relative_humidity", "%"),
        "SOIL_MOISTURE_5": _source("soil_moisture", "m3 m-3"),
        "SOIL_TEMPERATURE_5": _source("soil_temperature", "degC"),
        "WIND_1_5": _source("wind", "m s-1"),
    },
    depths={17: _PROBES[0], 18: _PROBES[0]},
    flags={10: 11, 12: 14, 15: 16, 21: 22},
    factors={9: 12.0, 21: wind_to_two_metres(WIND_HEIGHT)},  # 12 times five minutes an hour
)
