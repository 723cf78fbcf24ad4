"""Runoff, soil, upland and wetland days against the worked examples."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.land.canopy import Canopy
from diffhydro.land.conductance import Jarvis
from diffhydro.land.forcing import Forcing
from diffhydro.land.interception import SharpInterception
from diffhydro.land.land import Land, LandState
from diffhydro.land.observe import layer_mean
from diffhydro.land.runoff import SaturationPower, sub_grid, sum_clipped
from diffhydro.land.snow import Snowpack
from diffhydro.land.soil_evaporation import BareSoil
from diffhydro.land.surface import Surface
from diffhydro.land.threshold import Sharp
from diffhydro.land.upland import Upland, UplandState
from diffhydro.land.wetland import Wetland, WetlandState
from diffhydro.soil.hydraulics import ClappHornberger
from diffhydro.soil.hydraulics.by_water import by_water
from diffhydro.soil.peat import Peat, coarse_pores
from diffhydro.soil.pedotransfer import cosby
from diffhydro.soil.redistribution import Layers, Push, redistribute
from diffhydro.soil.redistribution.bounds import keep_within
from diffhydro.soil.redistribution.step import assemble, solve
from diffhydro.soil.uptake import JacksonRoots
from tests.examples import assert_agrees, examples

DAY = 86400.0  # s, in which the examples give conductivities
LAYERS = (50.0, 50.0, 100.0, 300.0, 500.0, 1000.0)


def number(dtype):
    return lambda x: astype(x, dtype) if isinstance(x, eqx.Module) else jnp.asarray(x, dtype)


def soil_of(example, dtype, layers=6):
    n = number(dtype)
    numbers = (
        example["theta_sat"],
        example["k_sat_mm_s"] * DAY,
        example["psi_sat_mm"],
        example["b"],
    )
    return ClappHornberger(*(jnp.full(layers, n(x)) for x in numbers))


@examples("runoff_power")
def test_runoff_power(example, expected, dtype):
    n = number(dtype)
    runoff = SaturationPower(n(example["n"])).share(n(example["s_mean"])) * n(example["q_in_mm"])
    assert_agrees(runoff, expected["Q_sur"], dtype)
    assert_agrees(n(example["q_in_mm"]) - runoff, expected["I_F"], dtype, scale=example["q_in_mm"])


@examples("runoff_subgrid")
def test_runoff_subgrid(example, expected, dtype):
    n = number(dtype)
    steepness = example["b"] * example["psi_sat_mm"] / (0.5 * example["dz1_mm"])
    rain, melt = n(example["P_thru_mm"]), n(example["melt_mm"])
    parts = sub_grid(rain, melt, n(example["s_1"]), n(example["k_sat_mm_d"]), n(steepness))
    water = example["P_thru_mm"] + example["melt_mm"]
    assert_agrees(parts.saturated, expected["dunne"], dtype, scale=water)
    assert_agrees(parts.dry_storm, expected["horton1"], dtype, scale=water)
    assert_agrees(parts.wet_storm, expected["horton2"], dtype, scale=water)
    assert_agrees(sum_clipped(parts, rain, melt), expected["total"], dtype, scale=water)


@examples("clapp_hornberger")
def test_clapp_hornberger_by_water(example, expected, dtype):
    n = number(dtype)
    soil = ClappHornberger(
        n(example["theta_sat"]), n(example["k_sat_mm_s"] * DAY), n(example["psi_sat_mm"]),
        n(example["b"]),
    )  # fmt: skip
    found = by_water(soil, n(example["theta"]))
    # In float32 ψ ∝ s^(−b) has the relative error of s, b times.
    grain = example["b"] * float(np.finfo(dtype).eps) / 1e-6 if dtype == np.float32 else 0.0
    assert_agrees(found.psi, expected["psi_mm"], dtype, scale=grain)
    assert_agrees(found.conductivity / DAY, expected["K_mm_s"], dtype, scale=grain)


@examples("root_fraction")
def test_root_fraction(example, expected, dtype):
    n = number(dtype)
    grid = Column(n(example["dz_mm"]))
    assert_agrees(
        JacksonRoots(n(example["beta_J"])).share(grid.faces), expected["r"], dtype, scale=1e-3
    )


@examples("root_uptake")
def test_root_uptake(example, expected, dtype):
    n = number(dtype)
    soil = ClappHornberger(
        *(
            n(x)
            for x in (
                example["theta_sat"],
                example["k_sat_mm_s"] * DAY,
                example["psi_sat_mm"],
                example["b"],
            )
        )
    )
    upland = astype(
        Upland(
            soil=soil, grid=Column(n(example["dz_mm"])), roots=JacksonRoots(n(example["beta_J"]))
        ),
        dtype,
    )
    step, theta = upland.prepare(), n(example["theta"])
    assert_agrees(step.soil.psi(theta), expected["psi_mm"], dtype, scale=1.0)
    assert_agrees(step.upland.stress(step.soil.psi(theta)), expected["w"], dtype, scale=1.0)
    assert_agrees(step.stress(UplandState(theta, None, None)), expected["beta"], dtype, scale=1.0)
    assert_agrees(step._drawn(theta), expected["e"], dtype, scale=1.0)


@examples("richards_substep")
def test_richards_substep(example, expected, dtype):
    n = number(dtype)
    soil, thickness = soil_of(example, dtype), n(example["dz_mm"])[:, None]
    soil = astype(eqx.tree_at(lambda s: s, soil, soil), dtype)
    soil = type(soil)(*(x[:, None] for x in (soil.theta_s, soil.k_sat, soil.psi_sat, soil.b)))
    theta, dt = n(example["theta"])[:, None], example["dt_s"] / DAY
    at = by_water(soil, theta)
    layers = Layers(soil, thickness, n([1.0]))
    push = Push(n([example["q0_mm_s"] * DAY]), n(example["sink_mm_s"])[:, None] * DAY)
    step = assemble(at, layers, push, dt)
    solved = solve(step, layers, push, dt)
    wet = max(np.abs(expected["q_interfaces_mm_s"]))
    assert_agrees(at.psi[:, 0], expected["psi_mm"], dtype, scale=1.0)
    assert_agrees(at.conductivity[:, 0] / DAY, expected["K_mm_s"], dtype, scale=wet)
    assert_agrees(step.flux[:, 0] / DAY, expected["q_interfaces_mm_s"][1:], dtype, scale=wet)
    size = max(np.abs(expected["b_diag"]))
    assert_agrees(step.lower[:, 0] / DAY, expected["a"], dtype, scale=size)
    assert_agrees(step.diagonal[:, 0] / DAY, expected["b_diag"], dtype, scale=size)
    assert_agrees(step.upper[:, 0] / DAY, expected["c"], dtype, scale=size)
    assert_agrees(step.right[:, 0] / DAY, expected["rhs"], dtype, scale=wet)
    largest = max(np.abs(expected["dtheta"]))
    assert_agrees(solved.change[:, 0], expected["dtheta"], dtype, scale=largest)
    kept = keep_within(theta + solved.gain, soil.theta_s, thickness)
    assert_agrees((theta + solved.gain + kept.shift)[:, 0], expected["theta_new"], dtype)
    assert_agrees(kept.excess[0], expected["exfiltration_mm"], dtype, scale=1.0)
    drained = dt * solved.drainage[0] - kept.lack[0]
    assert_agrees(drained, expected["drainage_mm"], dtype, scale=1e-3)


@examples("upland_column_day")
def test_upland_column_day(example, expected, dtype):
    n = number(dtype)
    soil, thickness, theta = soil_of(example, dtype), n(example["dz_mm"]), n(example["theta"])
    wanted = np.asarray(example["uptake_fraction"]) * example["E_V_mm"]
    there = np.maximum(0.0, np.asarray(example["theta"]) - 0.01) * np.asarray(example["dz_mm"])
    push = Push(n(example["I_F_mm"] - example["E_S_mm"]), n(np.minimum(wanted, there)))
    steps = round(DAY / example["dt_s"])
    found, moved = redistribute(theta, Layers(soil, thickness, n(1.0)), push, 1.0, steps)
    assert_agrees(found, expected["theta_new"], dtype)
    assert_agrees(moved.drainage, expected["D_R_mm"], dtype, scale=0.1)
    assert_agrees(moved.exfiltration, expected["exfiltration_mm"], dtype, scale=1.0)


def surface_of(parameters, dtype):
    """The surface as the examples have it: sharp limits."""
    canopy = Canopy(
        extinction=parameters["E_R"],
        interception=SharpInterception(parameters["I_RMAX"]),
        conductance=Jarvis(g_max=parameters["g_max"]),
    )
    snow = Snowpack(rain_above=parameters["T_snow"], threshold=Sharp())
    return astype(Surface(canopy, snow, BareSoil()), dtype)


def weather_of(forcing, dtype):
    names = {
        "P": "precipitation",
        "T": "temperature",
        "SWD": "shortwave",
        "ea": "vapour_pressure",
        "LAI": "leaf_area",
        "p": "pressure",
    }
    n = number(dtype)
    series = {name: n([forcing[short]]) for short, name in names.items()}
    return Forcing(**series, daylight=n([forcing["N"] / 24.0]))


@examples("upland_full_day")
def test_upland_full_day(example, expected, dtype):
    n = number(dtype)
    parameters = example["parameters"]
    upland = Upland(
        soil=cosby(sand=43.0, clay=18.0),
        roots=JacksonRoots(example["beta_J"]),
        runoff=SaturationPower(parameters["n_r"]),
    )
    land = Land(astype(upland, dtype), surface_of(parameters, dtype))
    state = example["state"]
    start = LandState(n(state["swe"]), UplandState(n(state["theta"]), None, None))
    run = land.run(weather_of(example["forcing"], dtype), start)
    flux = run.fluxes
    day = 1.0  # mm: what the terms of a day are made of
    assert_agrees(flux.interception[0], expected["E_i"], dtype, scale=day)
    assert_agrees(flux.melt[0], expected["melt"], dtype, scale=day)
    assert_agrees(flux.sublimation[0], expected["sublimation"], dtype, scale=day)
    assert_agrees(flux.runoff[0], expected["runoff"], dtype, scale=day)
    assert_agrees((flux.infiltration + flux.evaporation)[0], expected["I_F"], dtype, scale=day)
    assert_agrees(flux.transpiration[0], expected["E_V"], dtype, scale=day)
    assert_agrees(flux.evaporation[0], expected["E_S"], dtype, scale=day)
    assert_agrees(flux.drainage[0], expected["D_R"], dtype, scale=day)
    assert_agrees(run.theta[0], expected["theta"], dtype)
    assert_agrees(layer_mean(run, 0.0, 100.0)[0], expected["SSM"], dtype)
    assert_agrees(run.final.snow, expected["swe"], dtype, scale=day)
    assert_agrees(land.prepare().ground.stress(start.ground), expected["beta"], dtype)


@examples("wetland_water_table")
def test_wetland_water_table(example, expected, dtype):
    n = number(dtype)
    names = ("phi", "theta_smin", "z_b_mm", "z_theta_mm")
    phi, least, bottom, influence = (n(example[name]) for name in names)
    peat = Peat(phi, least, influence, bottom)
    table = peat.water_table(n(example["V_mm"]))
    # D = φ z_b − V is a difference of large numbers, and z its root.
    assert_agrees(table, expected["z_wt_mm"], dtype, scale=1.0 if dtype == np.float32 else 0.0)
    assert_agrees(peat.at_surface(table), expected["theta_surface"], dtype)
    for z in (25, 50, 150):
        assert_agrees(peat.theta(table, n(z)), expected[f"theta_{z}mm"], dtype)
    for h in (50, 100):
        assert_agrees(phi - peat.missing(table, n(h)) / n(h), expected[f"SSM_0_{h}"], dtype)


@examples("wetland_day")
def test_wetland_day(example, expected, dtype):
    n = number(dtype)
    wetland = Wetland(
        porosity=example["phi"],
        driest=example["theta_smin"],
        depth=example["z_b_mm"],
        drainage=example["Q_DRMAX"],
        coarse=coarse_pores(*(np.float64(example[k]) for k in ("sand", "silt", "clay"))),
        standing=example["pond_max_mm"],
    )
    wetland = astype(wetland, dtype)
    start = WetlandState(n(example["V_mm"]), None)
    # The examples give the evaporation itself; the demand is what makes it so.
    table = wetland.peat.water_table(n(np.float64(example["V_mm"])))
    open_surface = 1.0 / (1.0 + np.exp((float(table) - 98.7) / 22.6))
    forcing = Forcing(
        n([example["water_in_mm"]]),
        n([example["E_S_mm"] / open_surface]),
        transpiration=n([example["E_V_mm"]]),
    )
    run = wetland.run(forcing, start)
    assert_agrees(run.final.stored, expected["V"], dtype)
    assert_agrees(run.fluxes.runoff[0], expected["runoff"], dtype, scale=10.0)
    assert_agrees(run.fluxes.drainage[0], expected["Q_DR"], dtype, scale=1.0)
    assert_agrees(run.fluxes.transpiration[0], expected["E_V"], dtype, scale=1.0)
    assert_agrees(run.fluxes.evaporation[0], expected["E_S"], dtype, scale=1.0)
    assert_agrees(
        wetland.peat.water_table(run.final.stored), expected["z_wt"], dtype,
        scale=1.0 if dtype == np.float32 else 1e-3,
    )  # fmt: skip
    assert_agrees(layer_mean(run, 0.0, 100.0)[0], expected["SSM"], dtype)


@examples("wetland_full_day")
def test_wetland_full_day(example, expected, dtype):
    n = number(dtype)
    parameters = example["parameters"]
    wetland = Wetland(
        porosity=parameters["phi"],
        driest=parameters["theta_smin"],
        drainage=parameters["Q_DRMAX"],
        coarse=coarse_pores(*(np.float64(parameters[k]) for k in ("sand", "silt", "clay"))),
    )
    land = Land(astype(wetland, dtype), surface_of(parameters, dtype))
    state = example["state"]
    start = LandState(n(state["swe"]), WetlandState(n(state["V"]), None))
    run = land.run(weather_of(example["forcing"], dtype), start)
    flux, day = run.fluxes, 1.0
    assert_agrees(flux.interception[0], expected["E_i"], dtype, scale=day)
    assert_agrees(flux.melt[0], expected["melt"], dtype, scale=day)
    assert_agrees(flux.sublimation[0], expected["sublimation"], dtype, scale=day)
    assert_agrees((flux.infiltration + flux.evaporation)[0], expected["I_F"], dtype, scale=day)
    assert_agrees(flux.transpiration[0], expected["E_V"], dtype, scale=day)
    assert_agrees(flux.evaporation[0], expected["E_S"], dtype, scale=day)
    assert_agrees(flux.drainage[0], expected["D_R"], dtype, scale=day)
    assert_agrees(flux.runoff[0], expected["runoff"], dtype, scale=day)
    assert_agrees(run.final.ground.stored, expected["V"], dtype)
    assert_agrees(run.final.snow, expected["swe"], dtype, scale=day)
    assert_agrees(layer_mean(run, 0.0, 100.0)[0], expected["SSM"], dtype)
    table = wetland.peat.water_table(run.final.ground.stored.astype(float))
    np.testing.assert_allclose(table, expected["z_wt"], rtol=1e-4 if dtype == np.float32 else 1e-6)
