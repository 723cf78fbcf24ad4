"""One table of variables: what they are called, their unit inside the package, where they can lie.

Water fluxes are rates in mm/day whatever the time step, so that the mean over a day is the day's
total. What single products call their variables is said by their readers; `aliases` are the names
that files of no particular product use.
"""

from dataclasses import dataclass

from diffhydro.data.units import Conversion, conversion
from diffhydro.land.forcing import RANGES

__all__ = ["VARIABLES", "Variable"]

Axes = tuple[str, ...]
SERIES: Axes = ("time",)
PROFILE: Axes = ("time", "depth")
FIXED: Axes = ()
LAYERED: Axes = ("depth",)


@dataclass(frozen=True)
class Variable:
    """A variable of the package.

    Args:
        unit: In UDUNITS' spelling, as CF wants it.
        axes: Beside `site`, or `y` and `x`.
        least: Below it a value is wrong anywhere on Earth, and missing.
        most: Above it.
        kind: `"number"`, or `"code"` for classes, which are never averaged.
    """

    name: str
    unit: str
    axes: Axes
    least: float
    most: float
    standard_name: str = ""
    aliases: tuple[str, ...] = ()
    kind: str = "number"

    def conversion(self, unit: str | None, where: str) -> Conversion:
        """Give factor and offset from a file's unit."""
        return conversion(unit, self.unit, where)


def _weather(name: str, unit: str, standard: str = "", aliases: tuple[str, ...] = ()) -> Variable:
    """Declare a series that models read: its range is the one that they check."""
    allowed = RANGES[name]
    return Variable(name, unit, SERIES, allowed.least, allowed.most, standard, aliases)


VARIABLES = {
    v.name: v
    for v in (
        _weather(
            "precipitation",
            "mm day-1",
            "lwe_precipitation_rate",
            ("pr", "prcp", "precip"),
        ),
        Variable(
            "potential_evaporation",
            "mm day-1",
            SERIES,
            -20.0,
            60.0,
            "water_potential_evaporation_flux",
            ("pet", "evspsblpot", "eto"),
        ),
        _weather("transpiration", "mm day-1", "transpiration_flux"),
        Variable("evaporation", "mm day-1", SERIES, -20.0, 60.0, "water_evapotranspiration_flux"),
        Variable("runoff", "mm day-1", SERIES, 0.0, 2500.0, "runoff_flux"),
        Variable("soil_evaporation", "mm day-1", SERIES, -20.0, 60.0),
        Variable("drainage", "mm day-1", SERIES, -100.0, 2500.0),
        _weather("temperature", "degC", "air_temperature", ("tas", "t2m", "tmean")),
        _weather("temperature_max", "degC", "air_temperature", ("tasmax", "tmax", "tmmx")),
        _weather("temperature_min", "degC", "air_temperature", ("tasmin", "tmin", "tmmn")),
        Variable("dew_point", "degC", SERIES, -100.0, 50.0, "dew_point_temperature", ("d2m",)),
        Variable("surface_temperature", "degC", SERIES, -100.0, 90.0, "surface_temperature"),
        _weather(
            "shortwave",
            "W m-2",
            "surface_downwelling_shortwave_flux_in_air",
            ("rsds", "srad", "swdown"),
        ),
        Variable(
            "longwave",
            "W m-2",
            SERIES,
            0.0,
            700.0,
            "surface_downwelling_longwave_flux_in_air",
            ("rlds", "lwdown"),
        ),
        _weather("vapour_pressure", "Pa", "water_vapor_partial_pressure_in_air", ("vp", "ea")),
        Variable(
            "vapour_pressure_deficit",
            "Pa",
            SERIES,
            0.0,
            12_000.0,
            "water_vapor_saturation_deficit_in_air",
            ("vpd",),
        ),
        Variable("relative_humidity", "1", SERIES, 0.0, 1.1, "relative_humidity", ("hurs", "rh")),
        Variable("relative_humidity_max", "1", SERIES, 0.0, 1.1, "", ("hursmax", "rmax")),
        Variable("relative_humidity_min", "1", SERIES, 0.0, 1.1, "", ("hursmin", "rmin")),
        Variable("specific_humidity", "1", SERIES, 0.0, 0.06, "specific_humidity", ("huss",)),
        _weather("leaf_area", "m2 m-2", "leaf_area_index", ("lai",)),
        Variable("fpar", "1", SERIES, 0.0, 1.0, "", ("fapar",)),
        _weather("wind", "m s-1", "wind_speed", ("wind_2m", "u2")),
        Variable("wind_10m", "m s-1", SERIES, 0.0, 120.0, "wind_speed", ("sfcwind", "u10m")),
        _weather("pressure", "Pa", "surface_air_pressure", ("ps", "sp")),
        Variable("snow_water", "mm", SERIES, 0.0, 20_000.0, "lwe_thickness_of_surface_snow_amount"),
        Variable("snow_depth", "mm", SERIES, 0.0, 30_000.0, "surface_snow_thickness"),
        Variable(
            "soil_moisture",
            "m3 m-3",
            PROFILE,
            0.0,
            1.0,
            "volume_fraction_of_condensed_water_in_soil",
            ("sm", "swvl", "theta"),
        ),
        Variable("soil_temperature", "degC", PROFILE, -70.0, 80.0, "soil_temperature", ("st",)),
        Variable("soil_suction", "kPa", PROFILE, 0.0, 1e6),
        Variable("vegetation_water", "kg m-2", SERIES, 0.0, 40.0),
        Variable("brightness_h", "K", SERIES, 50.0, 400.0, "brightness_temperature"),
        Variable("brightness_v", "K", SERIES, 50.0, 400.0, "brightness_temperature"),
        Variable("vegetation_opacity", "1", SERIES, 0.0, 10.0),
        Variable("frozen_share", "1", SERIES, 0.0, 1.0),
        Variable("albedo", "1", SERIES, 0.0, 1.0, "surface_albedo"),
        Variable("roughness", "1", SERIES, 0.0, 5.0),
        Variable("latitude", "degree", FIXED, -90.0, 90.0, "latitude", ("lat",)),
        Variable("longitude", "degree", FIXED, -180.0, 360.0, "longitude", ("lon",)),
        Variable("elevation", "m", FIXED, -500.0, 9000.0, "surface_altitude", ("elev", "altitude")),
        Variable("slope", "degree", FIXED, 0.0, 90.0),
        Variable("aspect", "degree", FIXED, 0.0, 360.0),
        Variable("curvature", "1", FIXED, -1e4, 1e4),
        Variable("plan_curvature", "m-1", FIXED, -1e4, 1e4),
        Variable("profile_curvature", "m-1", FIXED, -1e4, 1e4),
        Variable("flow_accumulation", "1", FIXED, 0.0, 1e12),
        Variable("sand", "%", LAYERED, 0.0, 100.0, "", ("sand_percent",)),
        Variable("silt", "%", LAYERED, 0.0, 100.0, "", ("silt_percent",)),
        Variable("clay", "%", LAYERED, 0.0, 100.0, "", ("clay_percent",)),
        Variable("organic_matter", "%", LAYERED, 0.0, 100.0, "", ("om",)),
        Variable("organic_carbon", "%", LAYERED, 0.0, 100.0, "", ("oc", "soc")),
        Variable("bulk_density", "g cm-3", LAYERED, 0.02, 3.0, "", ("bd",)),
        Variable("theta_s", "m3 m-3", LAYERED, 0.05, 1.0, "", ("porosity", "saturation")),
        Variable("theta_r", "m3 m-3", LAYERED, 0.0, 0.5),
        Variable("field_capacity", "m3 m-3", LAYERED, 0.0, 1.0),
        Variable("wilting_point", "m3 m-3", LAYERED, 0.0, 1.0),
        Variable("available_water", "mm", LAYERED, 0.0, 5000.0),
        Variable("k_sat", "mm day-1", LAYERED, 0.0, 1e6, "", ("ksat",)),
        Variable("alpha", "mm-1", LAYERED, 0.0, 10.0),
        Variable("n", "1", LAYERED, 1.0, 15.0),
        Variable("land_cover", "1", FIXED, 0.0, 255.0, "", ("nlcd", "igbp"), "code"),
        Variable("climate", "1", FIXED, 1.0, 30.0, "", ("koppen",), "code"),
        Variable("map_unit", "1", FIXED, 0.0, 2.0**32, "", ("mukey",), "code"),
        Variable("water_share", "1", FIXED, 0.0, 1.0),
        Variable("is_wetland", "1", FIXED, 0.0, 1.0, "", ("wetland", "land_type")),
    )
}
