"""What files call their units, and how they turn into the package's: value · factor + offset.

A unit that is not listed is refused: a guess would be a wrong number with a right name.
"""

from diffhydro.errors import InputError

Conversion = tuple[float, float]
SECONDS_PER_DAY = 86_400.0

_SAME: Conversion = (1.0, 0.0)

# Every table is keyed by the package's unit, in UDUNITS' spelling.
_FROM: dict[str, dict[str, Conversion]] = {
    "mm day-1": {
        "mm/day": _SAME,
        "mm d-1": _SAME,
        "mm/d": _SAME,
        "mm": _SAME,  # the total of a day
        "kg m-2": _SAME,
        "kg m-2 day-1": _SAME,
        "kg m-2 s-1": (SECONDS_PER_DAY, 0.0),
        "mm s-1": (SECONDS_PER_DAY, 0.0),
        "mm h-1": (24.0, 0.0),
        "mm hr-1": (24.0, 0.0),
        "mm/hr": (24.0, 0.0),
        "mm/h": (24.0, 0.0),
        "kg m-2 h-1": (24.0, 0.0),
        "m day-1": (1000.0, 0.0),
        "cm h-1": (240.0, 0.0),
        "m h-1": (24_000.0, 0.0),
        "um s-1": (SECONDS_PER_DAY / 1000.0, 0.0),
        "in day-1": (25.4, 0.0),
        "in": (25.4, 0.0),
    },
    "degC": {
        "°C": _SAME,
        "C": _SAME,
        "oC": _SAME,
        "celsius": _SAME,
        "degrees_celsius": _SAME,
        "degree_Celsius": _SAME,
        "K": (1.0, -273.15),
        "kelvin": (1.0, -273.15),
        "degF": (5.0 / 9.0, -160.0 / 9.0),
    },
    "K": {"kelvin": _SAME, "degC": (1.0, 273.15)},
    "Pa": {
        "pascal": _SAME,
        "hPa": (100.0, 0.0),
        "mb": (100.0, 0.0),
        "mbar": (100.0, 0.0),
        "kPa": (1000.0, 0.0),
        "inHg": (3386.389, 0.0),
        "inch_Hg": (3386.389, 0.0),
    },
    "W m-2": {
        "W/m²": _SAME,
        "W/m2": _SAME,
        "watt/m2": _SAME,
        "MJ m-2 day-1": (1e6 / SECONDS_PER_DAY, 0.0),
        "MJ/m2": (1e6 / SECONDS_PER_DAY, 0.0),
        "J m-2 day-1": (1.0 / SECONDS_PER_DAY, 0.0),
        "J m-2 h-1": (1.0 / 3600.0, 0.0),
        "langley day-1": (41_840.0 / SECONDS_PER_DAY, 0.0),
    },
    "m s-1": {"m/s": _SAME, "mph": (0.44704, 0.0), "km h-1": (1.0 / 3.6, 0.0)},
    "m2 m-2": {"m²/m²": _SAME, "1": _SAME, "-": _SAME, "": _SAME},
    "m3 m-3": {
        "m³/m³": _SAME,
        "m3/m3": _SAME,
        "m3m-3": _SAME,
        "cm3/cm3": _SAME,
        "cm3 cm-3": _SAME,
        "mm/mm": _SAME,
        "1": _SAME,
        "%": (0.01, 0.0),
        "percent": (0.01, 0.0),
        "pct": (0.01, 0.0),
    },
    "1": {
        "": _SAME,
        "-": _SAME,
        "kg kg-1": _SAME,
        "kg/kg": _SAME,
        "%": (0.01, 0.0),
        "percent": (0.01, 0.0),
    },
    "%": {"percent": _SAME, "% weight": _SAME, "1": (100.0, 0.0), "": _SAME},
    "m": {
        "metre": _SAME,
        "metres": _SAME,
        "meters": _SAME,
        "ft": (0.3048, 0.0),
        "feet": (0.3048, 0.0),
    },
    "mm": {"kg m-2": _SAME, "m": (1000.0, 0.0), "cm": (10.0, 0.0), "in": (25.4, 0.0)},
    "mm-1": {
        "cm-1": (0.1, 0.0),
        "m-1": (0.001, 0.0),
        "kPa-1": (0.00980665, 0.0),  # per pressure, of water of 1000 kg/m³ under standard gravity
    },
    "kg m-2": {"kg/m2": _SAME, "mm": _SAME},
    "g cm-3": {"g/cm3": _SAME, "kg m-3": (0.001, 0.0)},
    "degree": {
        "°": _SAME,
        "degrees": _SAME,
        "degrees_north": _SAME,
        "degree_north": _SAME,
        "degrees_east": _SAME,
        "degree_east": _SAME,
    },
}


def conversion(unit: str | None, into: str, where: str) -> Conversion:
    """Give factor and offset from `unit` into a unit of the package.

    No unit means the package's own.

    >>> conversion("K", "degC", "tas")
    (1.0, -273.15)
    """
    if unit is None or unit == into:
        return _SAME
    known = _FROM.get(into, {})
    plain = " ".join(unit.replace("**", "").replace("^", "").split())
    if plain == into:
        return _SAME
    if plain in known:
        return known[plain]
    listed = ", ".join([into, *(u for u in known if u)])
    raise InputError(f"{where} is in {unit!r}; it can be read in {listed}")
