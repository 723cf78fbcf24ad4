"""Air, sun, radiation, potential evaporation and snow against the worked examples."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.core.precision import astype
from diffhydro.land import air, sun
from diffhydro.land.air import MEGAJOULES, Air
from diffhydro.land.canopy import Canopy
from diffhydro.land.conductance import Jarvis, cold
from diffhydro.land.forcing import Forcing
from diffhydro.land.interception import HelveyPatric, SharpInterception, SmoothInterception
from diffhydro.land.penman_monteith import from_wet_surface, through_leaves
from diffhydro.land.potential import (
    Grass,
    Hargreaves,
    JensenHaise,
    PenmanMonteith,
    PriestleyTaylor,
)
from diffhydro.land.radiation import clear_sky, intercepted
from diffhydro.land.snow import Snowpack
from diffhydro.land.soil_evaporation import BareSoil, days_since_rain_ratio, lee_pielke
from diffhydro.land.surface import LEAST_DAYLIGHT
from diffhydro.land.threshold import Sharp, Smooth
from diffhydro.soil.uptake import MM_PER_MPA, LinearStress
from tests.examples import assert_agrees, examples


def number(dtype):
    return lambda x: astype(x, dtype) if isinstance(x, eqx.Module) else jnp.asarray(x, dtype)


@examples("thermodynamics")
def test_thermodynamics(example, expected, dtype):
    n = number(dtype)
    t, vapour, p = n(example["T_C"]), n(example["e_a_Pa"]), air.pressure(n(example["elevation_m"]))
    found = Air.of(t, vapour, p)
    assert_agrees(found.saturation, expected["e_s_Pa"], dtype)
    assert_agrees(air.saturation(t), expected["e_s_Pa"], dtype)
    assert_agrees(air.saturation_over_ice(t), expected["e_s_ice_Pa"], dtype)
    assert_agrees(found.slope, expected["Delta_Pa_K"], dtype)
    assert_agrees(air.saturation_slope(t), expected["Delta_Pa_K"], dtype)
    assert_agrees(found.latent_heat, expected["lambda_J_kg"], dtype)
    assert_agrees(found.density, expected["rho_air"], dtype)
    assert_agrees(p, expected["p_Pa"], dtype)
    assert_agrees(found.psychrometric, expected["gamma_Pa_K"], dtype)
    assert_agrees(found.deficit, expected["vpd_Pa"], dtype, scale=expected["e_s_Pa"])


@examples("solar_geometry")
def test_solar_geometry(example, expected, dtype):
    latitude, day = example["lat_deg"], example["doy"]
    double = np.dtype("float64")  # these are data and always double
    assert_agrees(sun.inverse_distance(day), expected["dr"], double)
    assert_agrees(sun.declination(day), expected["decl"], double)
    assert_agrees(sun.sunset(latitude, day), expected["ws"], double)
    top = sun.extraterrestrial(latitude, day)
    assert_agrees(top * MEGAJOULES, expected["Ra"], double, scale=1.0)
    assert_agrees(sun.daylight(latitude, day) * 24.0, expected["N"], double)


@examples("net_radiation_and_pet")
def test_net_radiation_and_potential_evaporation(example, expected, dtype):
    n = number(dtype)
    if "case" in example:
        # FAO-56 Example 18 gives radiation above the air and the vapour pressure in kPa.
        vapour, shortwave = 1000.0 * example["e_a_kPa"], example["S_MJ"] / MEGAJOULES
        temperature = 0.5 * (example["T_max_C"] + example["T_min_C"])
    else:
        vapour, shortwave = example["e_a_Pa"], example["SWD_W_m2"]
        temperature = example["T_C"]
    top = sun.extraterrestrial(example["lat_deg"], example["doy"])
    elevation = n(example["elevation_m"])
    weather = Forcing(
        n(0.0),
        temperature=n(temperature),
        vapour_pressure=n(vapour),
        shortwave=n(shortwave),
        extraterrestrial=n(top),
        temperature_max=n(example["T_max_C"]),
        temperature_min=n(example["T_min_C"]),
        pressure=air.pressure(elevation),
        wind=n(example["u2_m_s"]),
    )
    clear = clear_sky(weather.extraterrestrial, elevation)
    grass = n(Grass(albedo=example.get("albedo", 0.23), elevation=elevation))
    mean = Forcing(  # without the extremes, as the examples have it
        weather.precipitation,
        temperature=weather.temperature,
        vapour_pressure=weather.vapour_pressure,
        shortwave=weather.shortwave,
        extraterrestrial=weather.extraterrestrial,
        pressure=weather.pressure,
        wind=weather.wind,
    )
    if "case" in example:
        mean = weather
    net = grass.net_radiation(mean)
    lost = (1.0 - grass.albedo) * weather.shortwave - net
    checks = {
        "Rso_MJ": MEGAJOULES * clear,
        "Rnl_MJ": MEGAJOULES * lost,
        "Rns_MJ": MEGAJOULES * (net + lost),
        "Rn_MJ": MEGAJOULES * net,
        "PET_PT_mm": n(PriestleyTaylor(surface=grass))(mean),
        "PET_Hargreaves_mm": Hargreaves()(weather),
        "PET_JensenHaise_mm": JensenHaise()(weather),
        "ET0_FAO56_mm": PenmanMonteith(grass)(mean),
    }
    assert_agrees(top * MEGAJOULES, expected["R_a_MJ"], np.dtype("float64"))
    assert len(checks.keys() & expected.keys()) >= 1
    for name, found in checks.items():
        if name in expected:
            assert_agrees(found, expected[name], dtype, scale=1.0 if name.startswith("R") else 0.0)


@examples("rain_snow_partition")
def test_rain_or_snow(example, expected, dtype):
    n = number(dtype)
    sharp = n(Snowpack(rain_above=example["T_snow_C"], threshold=Sharp()))
    smooth = n(Snowpack(rain_above=example["T_snow_C"], threshold=Smooth(example["width_C"])))
    assert_agrees(sharp.rain(n(example["T_C"])), expected["rain_fraction_hard"], dtype)
    assert_agrees(smooth.rain(n(example["T_C"])), expected["rain_fraction_smooth"], dtype)


@examples("snow")
def test_snow(example, expected, dtype):
    n = number(dtype)
    snow = n(Snowpack(threshold=Sharp()))
    radiation, warmth = n(example["S_g_MJ"]) / MEGAJOULES, n(example["T_C"])
    found = snow(n(example["SWE_mm"]), n(example["P_snow_mm"]), warmth, radiation)
    there = example["SWE_mm"] + example["P_snow_mm"]
    assert_agrees(found.pack, expected["swe"], dtype, scale=there)
    assert_agrees(found.melt, expected["melt"], dtype, scale=there)
    assert_agrees(found.sublimation, expected["sublimation"], dtype, scale=there)
    could = snow.melting(warmth, snow.absorption(warmth) * radiation)
    if example["T_C"] > 0:
        assert_agrees(could, expected["potential_melt"], dtype)


@examples("beer_radiation")
def test_beer(example, expected, dtype):
    n = number(dtype)
    cover = intercepted(n(example["LAI"]), n(example["E_R"]))
    light, ground = n(example["S_MJ"]), n(example["S_MJ"]) * (1.0 - cover)
    assert_agrees(cover, expected["fabs"], dtype)
    assert_agrees((1.0 - example["albedo_canopy"]) * light * cover, expected["A_c"], dtype)
    assert_agrees(ground, expected["S_g"], dtype)
    assert_agrees((1.0 - example["albedo_soil"]) * ground, expected["A_s"], dtype)


@examples("rain_interception")
def test_interception(example, expected, dtype):
    n = number(dtype)
    rain, leaves, most = n(example["P_mm"]), n(example["LAI"]), n(example["I_RMAX"])
    assert_agrees(SharpInterception(most)(rain, leaves), expected["min"], dtype)
    assert_agrees(SmoothInterception(most)(rain, leaves), expected["smooth"], dtype)
    assert_agrees(HelveyPatric()(rain, leaves), expected["helvey_patric"], dtype)


@examples("conductance_factors")
def test_conductance_factors(example, expected, dtype):
    n = number(dtype)
    law, stress = n(Jarvis()), n(LinearStress())
    assert_agrees(cold(n(example["T_C"])), expected["f_T"], dtype)
    assert_agrees(law.dry_air(n(example["VPD_Pa"])), expected["f_V"], dtype, scale=1.0)
    assert_agrees(stress(n(example["psi_MPa"] * MM_PER_MPA)), expected["f_psi"], dtype, scale=1.0)
    assert_agrees(law.dim(n(0.9 * example["SWD_W_m2"])), expected["f_Q"], dtype)


@examples("penman_monteith")
def test_penman_monteith(example, expected, dtype):
    n = number(dtype)
    t = n(example["T_C"])
    dry = n(example["D_Pa"])
    found = Air.of(t, air.saturation(t), n(example["p_Pa"]))._replace(deficit=dry)
    power, g = n(example["A_W_m2"]), n(example["g_a_m_s"])
    leaves = through_leaves(found, power, g, n(example["g_c_m_s"])) / found.latent_heat
    wet = from_wet_surface(found, power, g) / found.latent_heat
    assert_agrees(leaves, expected["E_kg_m2_s"], dtype)
    assert_agrees(leaves, expected["E_from_Omega"], dtype)
    assert_agrees(wet, expected["E_wet_kg_m2_s"], dtype)


@examples("canopy_day")
def test_canopy_day(example, expected, dtype):
    n = number(dtype)
    t, daylight = n(example["T_C"]), jnp.maximum(n(example["N_h"] / 24.0), LEAST_DAYLIGHT)
    canopy = n(
        Canopy(
            extinction=n(example["E_R"]),
            aerodynamic=n(example["g_a"]),
            interception=SharpInterception(n(example["I_RMAX"])),
            conductance=Jarvis(g_max=n(example["g_max"])),
        )
    )
    moist = Air.of(t, n(example["e_a_Pa"]), n(example["p_Pa"]))
    sunlight, leaves = n(example["SWD_W_m2"]), n(example["LAI"])
    rain = n(example["P_rain_mm"])
    found = canopy(rain, t, moist, sunlight, leaves, daylight, n(example["beta"]))
    assert_agrees(moist.deficit, expected["vpd"], dtype, scale=float(moist.saturation))
    assert_agrees(found.interception, expected["E_i"], dtype)
    assert_agrees(found.throughfall, expected["throughfall"], dtype, scale=float(rain))
    assert_agrees(found.transpiration, expected["transpiration"], dtype, scale=1.0)
    assert_agrees(found.sun, example["SWD_W_m2"] * (1.0 - expected["f_abs"]), dtype)


@examples("soil_evaporation")
def test_soil_evaporation(example, expected, dtype):
    n = number(dtype)
    t, daylight = n(example["T_C"]), n(example["N_h"] / 24.0)
    moist = Air.of(t, n(example["e_a_Pa"]), n(example["p_Pa"]))
    ground = n(example["SWD_W_m2"]) * (1.0 - intercepted(n(example["LAI"]), n(example["E_R"])))
    soil = n(BareSoil(conductance=example["g_soil"]))
    potential = soil.potential(moist, ground, daylight)
    ratio = lee_pielke(n(example["theta_1"]), n(example["theta_fc"]))
    assert_agrees((1.0 - soil.albedo) * ground * MEGAJOULES, expected["A_s_MJ"], dtype)
    assert_agrees(potential, expected["E_pot"], dtype)
    assert_agrees(ratio, expected["beta"], dtype, scale=1e-3)
    assert_agrees(ratio * potential, expected["E_s"], dtype, scale=1e-3)


@examples("days_since_rain_ratio")
def test_days_since_rain(example, expected, dtype):
    n = number(dtype)
    found = days_since_rain_ratio(n(example["days_since_rain"]), n(example["minimum"]))
    assert_agrees(found, expected["ratio"], dtype)
