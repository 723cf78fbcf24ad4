"""One number of a run against weather and start."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.core.timeloop import NESTED, PLAIN, SOLVED
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import adjoint
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv
from diffhydro.land.observe import probe
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.threshold import Smooth
from diffhydro.land.upland import Upland
from diffhydro.soil import Fixed, VanGenuchten
from diffhydro.soil.pedotransfer import cosby
from tests.land.climates import Climate, weather

DAYS, WHEN = 30, 24
H = 1e-4  # mm; a central difference errs by its square


def soil_water(run):
    return run.states.soil[WHEN]


@pytest.fixture(scope="module")
def bucket():
    model = Hbv(threshold=Smooth(), field_capacity=90.0)
    state = model.init_state()._replace(soil=jnp.asarray(40.0), snow=jnp.asarray(5.0))
    forcing = weather(Climate(warmth=2.0, swing=0.0, wetness=0.5, storm=10.0), DAYS, seed=4)
    return model, forcing, state, adjoint(model, forcing, soil_water, state)


def _difference(function, x, index, h=H):
    up, down = (function(jnp.asarray(x).at[index].add(s)) for s in (h, -h))
    return float(up - down) / (2.0 * h)


@pytest.mark.parametrize("name", ["precipitation", "potential_evaporation", "temperature"])
def test_a_day_of_weather_against_differences(bucket, name):
    model, forcing, state, found = bucket

    @eqx.filter_jit
    def value(x):
        moved = eqx.tree_at(lambda f: getattr(f, name), forcing, x)
        return soil_water(model.run(moved, state))

    # A dry day lies on the edge of what rain can be, where differences to both sides are none.
    days = np.flatnonzero(np.asarray(forcing.precipitation) > 0)
    assert days.size > 5
    wanted = [_difference(value, getattr(forcing, name), day) for day in days]
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(found.forcing[name][days], wanted, rtol=1e-6, atol=1e-8)


def test_nothing_comes_from_the_future(bucket):
    *_, found = bucket
    for slope in found.forcing.values():
        np.testing.assert_array_equal(slope[WHEN + 1 :], 0.0)
    assert found.forcing["precipitation"][WHEN] != 0.0


def test_the_state_at_the_start_against_differences(bucket):
    model, forcing, state, found = bucket
    assert set(found.state) == set(state._fields) - {"routing"}
    run = eqx.filter_jit(lambda state: soil_water(model.run(forcing, state)))
    for name in found.state:

        def value(x, name=name):
            return run(state._replace(**{name: x}))

        wanted = _difference(value, getattr(state, name), ...)
        np.testing.assert_allclose(found.state[name], wanted, rtol=1e-6, atol=1e-8, err_msg=name)


def test_stores_are_told_by_their_own_names(bucket):
    _, _, state, found = bucket
    assert list(found.stores) == ["snow", "liquid in snow", "soil", "upper", "lower"]
    np.testing.assert_allclose(found.stores["liquid in snow"], found.state["liquid"], rtol=1e-12)
    np.testing.assert_allclose(found.stores["soil"], found.state["soil"], rtol=1e-12)
    assert found.water["soil"] == state.soil
    assert found.stores["lower"] == 0.0


def test_the_number_and_the_share_of_each_day(bucket):
    model, forcing, state, found = bucket
    np.testing.assert_allclose(found.value, soil_water(model.run(forcing, state)), rtol=1e-12)
    wanted = found.forcing["precipitation"] * np.asarray(forcing.precipitation)
    np.testing.assert_array_equal(found.share(), wanted)
    with pytest.raises(InputError, match="no 'rain'; the weather has precipitation"):
        found.share("rain")


@pytest.mark.parametrize("memory", [PLAIN, NESTED])
def test_memory_does_not_change_it(bucket, memory):
    model, forcing, state, found = bucket
    other = adjoint(model, forcing, soil_water, state, memory=memory)
    for name, slope in found.forcing.items():
        np.testing.assert_allclose(other.forcing[name], slope, rtol=1e-10, atol=1e-14)


def test_dry_weather_is_finite():
    dry = Forcing(np.zeros(5), np.full(5, 4.0), temperature=np.full(5, 20.0))
    found = adjoint(Hbv(), dry, lambda run: run.states.soil[-1])
    arrays = [*found.forcing.values(), *found.state.values(), *found.stores.values()]
    assert all(np.isfinite(x).all() for x in arrays)
    np.testing.assert_array_equal(found.share(), 0.0)


@pytest.mark.slow
def test_a_store_of_layers_counts_in_millimetres():
    model = Upland(soil=cosby(sand=43.0, clay=18.0))
    forcing = Forcing([8.0, 0.0, 3.0], [2.0, 4.0, 1.0], transpiration=[1.0, 3.0, 1.0])
    found = adjoint(model, forcing, lambda run: run.theta[-1, 1])
    thickness = np.asarray(model.grid.thickness)
    np.testing.assert_allclose(found.stores["soil"], found.state["theta"] / thickness, rtol=1e-10)
    assert found.stores["soil"][1] > 0


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("memory", [SOLVED, NESTED])
def test_rain_and_start_of_a_richards_column_against_differences(memory):
    soil = VanGenuchten(theta_r=0.07, theta_s=0.43, alpha=0.002, n=1.5, k_sat=150.0)
    policy = Fixed(substeps=6, iterations=40, tolerance=1e-13)
    model = SoilColumn(grid=Column([40.0, 60.0, 150.0, 250.0]), soil=soil, policy=policy)
    forcing = Forcing([0.0, 18.0, 2.0, 0.0, 6.0, 0.0], [4.0, 1.0, 1.0, 4.0, 2.0, 4.0])
    state = model.init_state()

    def of(run):
        return probe(run, 50.0)[4]

    found = adjoint(model, forcing, of, state, memory=memory)

    @eqx.filter_jit
    def by_rain(x):
        return of(model.run(eqx.tree_at(lambda f: f.precipitation, forcing, x), state))

    wanted = [_difference(by_rain, forcing.precipitation, day) for day in (1, 2, 4)]
    np.testing.assert_allclose(found.forcing["precipitation"][[1, 2, 4]], wanted, rtol=1e-5)

    @eqx.filter_jit
    def by_water(x):
        return of(model.run(forcing, eqx.tree_at(lambda s: s.stored, state, x)))

    wanted = [_difference(by_water, state.stored, layer) for layer in range(4)]
    np.testing.assert_allclose(found.stores["soil"], wanted, rtol=1e-5)
    assert jax.tree.all(jax.tree.map(lambda x: bool(np.isfinite(x).all()), found.state))


def test_refused():
    forcing = Forcing([1.0, 2.0], [1.0, 1.0], temperature=[5.0, 6.0])
    with pytest.raises(InputError, match=r"of one number, got shape \(2,\)"):
        adjoint(Hbv(), forcing, lambda run: run.states.soil)
