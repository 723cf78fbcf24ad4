"""One table of variables: their unit inside the package, and what files call them.

`units` says how a file's unit turns into the package's: value · factor + offset. A unit that is not
listed is refused, and a variable without a unit is taken to be in the package's.
"""

from dataclasses import dataclass, field

from diffhydro.errors import InputError

Conversion = tuple[float, float]


@dataclass(frozen=True)
class Variable:
    """A variable of the package."""

    name: str
    unit: str
    aliases: tuple[str, ...] = ()
    standard_name: str = ""
    units: dict[str, Conversion] = field(default_factory=dict)

    def conversion(self, unit: str | None, where: str) -> Conversion:
        """Give factor and offset from a file's unit."""
        if unit is None or unit == self.unit:
            return 1.0, 0.0
        plain = " ".join(unit.replace("**", "").replace("^", "").split())
        if plain in self.units:
            return self.units[plain]
        known = ", ".join([self.unit, *self.units])
        raise InputError(f"{where} is in {unit!r}; {self.name} can be read in {known}")


_SAME = (1.0, 0.0)
_RATE = {
    "mm day-1": _SAME,
    "mm d-1": _SAME,
    "mm/d": _SAME,
    "mm": _SAME,
    "kg m-2 day-1": _SAME,
    "kg m-2 s-1": (86400.0, 0.0),
    "mm s-1": (86400.0, 0.0),
    "m day-1": (1000.0, 0.0),
}
_WARMTH = {
    "degC": _SAME,
    "C": _SAME,
    "celsius": _SAME,
    "degrees_celsius": _SAME,
    "K": (1.0, -273.15),
    "kelvin": (1.0, -273.15),
}
_PRESSURE = {"pascal": _SAME, "hPa": (100.0, 0.0), "mbar": (100.0, 0.0), "kPa": (1000.0, 0.0)}
_LIGHT = {"W m-2": _SAME, "MJ m-2 day-1": (1.0 / 0.0864, 0.0), "J m-2 day-1": (1 / 86400.0, 0.0)}
_SHARE = {"1": _SAME, "": _SAME, "%": (0.01, 0.0), "percent": (0.01, 0.0)}
_PERCENT = {"percent": _SAME, "1": (100.0, 0.0), "": _SAME}
_AREA = {"m2 m-2": _SAME, "1": _SAME, "-": _SAME, "": _SAME}
_DEGREES = {"degrees_north": _SAME, "degree": _SAME, "degrees": _SAME}

VARIABLES = {
    v.name: v
    for v in (
        Variable("precipitation", "mm/day", ("pr", "prcp", "precip"), "", _RATE),
        Variable("potential_evaporation", "mm/day", ("pet", "evspsblpot", "eto"), "", _RATE),
        Variable("transpiration", "mm/day", (), "", _RATE),
        Variable("temperature", "°C", ("tas", "t2m", "tmean"), "air_temperature", _WARMTH),
        Variable("temperature_max", "°C", ("tasmax", "tmax", "tmmx"), "", _WARMTH),
        Variable("temperature_min", "°C", ("tasmin", "tmin", "tmmn"), "", _WARMTH),
        Variable(
            "shortwave",
            "W/m²",
            ("rsds", "srad", "swdown"),
            "surface_downwelling_shortwave_flux_in_air",
            _LIGHT,
        ),
        Variable("vapour_pressure", "Pa", ("vp", "ea"), "", _PRESSURE),
        Variable("relative_humidity", "-", ("hurs", "rh"), "relative_humidity", _SHARE),
        Variable("leaf_area", "m²/m²", ("lai",), "leaf_area_index", _AREA),
        Variable("wind", "m/s", ("wind_2m", "u2"), "", {"m s-1": _SAME}),
        Variable("latitude", "°", ("lat",), "latitude", _DEGREES),
        Variable("elevation", "m", ("elev", "altitude"), "", {"metres": _SAME, "meters": _SAME}),
        Variable("sand", "%", ("sand_percent",), "", _PERCENT),
        Variable("silt", "%", ("silt_percent",), "", _PERCENT),
        Variable("clay", "%", ("clay_percent",), "", _PERCENT),
        Variable("is_wetland", "-", ("wetland", "land_type"), "", _AREA),
    )
}
