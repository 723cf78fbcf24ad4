import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.core.timeloop import NESTED
from diffhydro.errors import InputError
from diffhydro.land.budget import budget
from diffhydro.land.forcing import Forcing
from diffhydro.land.soil_column import SoilColumn
from diffhydro.soil import (
    Adaptive,
    BrooksCorey,
    Fixed,
    FluxBottom,
    FluxTop,
    HeadBottom,
    HeadTop,
    Seepage,
    VanGenuchten,
)

# Share of the throughput. Rounding is all that is lost: single storms left 1e-15 in float64 and
# 5e-7 in float32; the rest is room for columns that take more steps or pass less water.
CLOSED = {"float64": 1e-12, "float32": 2e-5}
DAYS = 6
EXAMPLES = settings(max_examples=12, deadline=None, derandomize=True)

soils = st.fixed_dictionaries(
    {
        "theta_r": st.floats(0.02, 0.1),
        "theta_s": st.floats(0.35, 0.55),
        "alpha": st.floats(-3.3, -2.0).map(lambda x: 10.0**x),
        "n": st.floats(1.1, 3.0),
        "k_sat": st.floats(0.7, 4.0).map(lambda x: 10.0**x),
    }
)
storms = st.lists(
    st.one_of(st.just(0.0), st.floats(0.0, 20.0), st.floats(50.0, 500.0)),
    min_size=DAYS,
    max_size=DAYS,
)


def _loam(**rest):
    return VanGenuchten(
        **({"theta_r": 0.07, "theta_s": 0.43, "alpha": 0.002, "n": 1.4, "k_sat": 150.0} | rest)
    )


def _forcing(rain, **rest):
    rain = np.asarray(rain)
    return Forcing(rain, np.full_like(rain, 4.0), np.full_like(rain, 2.0), **rest)


def _same(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def _close(a, b, rtol):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@given(upper=soils, lower=soils, storm=storms, head=st.floats(-1e4, 0.0))
@EXAMPLES
def test_water_is_conserved(dtype, make, upper, lower, storm, head):
    soil = VanGenuchten(**{name: [upper[name], lower[name]] for name in upper})
    model = eqx.tree_at(lambda m: (m.soil, m.initial.head), make(), (soil, jnp.asarray(head)))
    run = astype(model, dtype).run(_forcing(storm))
    assert run.theta.dtype == dtype
    assert bool(jnp.isfinite(run.theta).all())
    book = budget(run)
    assert book.relative <= CLOSED[dtype], str(book)
    assert bool((run.fluxes.runoff >= 0).all())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bottom", "base"), [(FluxBottom(), 0.5), (HeadBottom(), -200.0), (Seepage(), 0.0)]
)
def test_water_is_conserved_over_every_foot(make, bottom, base):
    rain = [0.0, 30.0, 150.0, 0.0, 0.0, 0.0]
    model = make(bottom=bottom)
    book = budget(model.run(_forcing(rain, base=np.full(6, base))))
    assert book.relative <= CLOSED["float64"], str(book)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_horizons_may_be_of_different_kinds(make):
    soils = (_loam(), BrooksCorey(theta_r=0.05, theta_s=0.4, h_b=200.0, pore_index=0.4, k_sat=80.0))
    run = make(soil=soils).run(_forcing([0.0, 30.0, 0.0]))
    assert budget(run).relative <= CLOSED["float64"]
    assert float(run.effort.forced.sum()) == 0.0


@pytest.mark.slow
def test_the_surface_balance_is_that_of_the_definition(course):
    fluxes, pond = course.fluxes, course.states.pond
    before = jnp.concatenate([course.initial.pond[None], pond[:-1]])
    left = fluxes.precipitation - fluxes.infiltration - fluxes.runoff - fluxes.evaporation
    np.testing.assert_allclose(left, pond - before, atol=1e-10)
    assert float(fluxes.runoff.max()) > 1.0
    assert float(course.effort.forced.sum()) == 0.0


@pytest.mark.slow
def test_soil_evaporates_at_most_the_potential(course, weather):
    assert bool((course.fluxes.evaporation <= weather.potential_evaporation + 1e-9).all())
    assert float(course.fluxes.evaporation[0]) < 0.9 * float(weather.potential_evaporation[0])


@pytest.mark.slow
def test_plants_take_at_most_their_demand(course, weather):
    assert bool((course.fluxes.transpiration <= weather.transpiration).all())
    assert bool((course.fluxes.transpiration > 0).all())


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_halves_are_one_run_bit_for_bit(column, weather, dtype):
    model = astype(column, dtype)
    whole = model.run(weather)
    first = model.run(weather[:3])
    second = model.run(weather[3:], first.final)
    assert _same(whole.final, second.final)
    joined = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first.fluxes, second.fluxes)
    assert _same(whole.fluxes, joined)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_run_is_a_loop_of_steps(column, weather, course):
    state = column.init_state()
    for day in range(3):
        state, fluxes = jax.jit(lambda m, s, f: m.step(s, f))(column, state, weather[day])
        _close(fluxes, jax.tree.map(lambda x, day=day: x[day], course.fluxes), rtol=1e-9)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("columns", [None, 2])
def test_simulate_is_a_loop_of_runs(column, weather_of, columns):
    many = weather_of(sites=5)
    together = column.simulate(many, columns=columns)
    for site in range(5):
        alone = column.run(jax.tree.map(lambda x, site=site: x[site], many))
        mine = jax.tree.map(lambda x, site=site: x[site], together)
        _close(
            (mine.fluxes.drainage, mine.theta, mine.final.stored),
            (alone.fluxes.drainage, alone.theta, alone.final.stored),
            rtol=1e-9,
        )


@pytest.mark.exhaustive
@pytest.mark.slow
def test_sites_may_have_their_own_models_and_states(weather_of):
    grid = Column.geometric(depth=1000.0, layers=5)
    k_sat = jnp.asarray([20.0, 100.0, 800.0])
    models = eqx.filter_vmap(lambda k: SoilColumn(grid=grid, soil=_loam(k_sat=k)))(k_sat)
    shared = eqx.tree_at(lambda m: m.soil.k_sat, SoilColumn(grid=grid, soil=_loam()), k_sat)
    many = weather_of(sites=3)
    together = models.simulate(many)
    _close(together.theta, shared.simulate(many, by_site="soil.k_sat").theta, rtol=1e-9)
    third = SoilColumn(grid=grid, soil=_loam(k_sat=800.0))
    alone = third.run(jax.tree.map(lambda x: x[2], many))
    _close(together.theta[2], alone.theta, rtol=1e-9)
    first = models.simulate(many[:2])
    _close(models.simulate(many[2:], first.final).final.stored, together.final.stored, rtol=1e-9)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_padding_has_no_gradient(column, weather_of):
    """Five sites in batches of two leave one place to fill."""

    def moisture(k_sat, columns):
        model = eqx.tree_at(lambda m: m.soil.k_sat, column, k_sat)
        return jnp.sum(model.simulate(weather_of(sites=5), columns=columns, memory=NESTED).theta)

    grad = jax.jit(jax.grad(moisture), static_argnums=1)
    _close(grad(column.soil.k_sat, 2), grad(column.soil.k_sat, None), rtol=1e-9)


@pytest.mark.slow
def test_nothing_comes_and_nothing_goes_from_a_closed_dry_column():
    model = SoilColumn(
        grid=Column.uniform(500.0, 1), soil=_loam(), top=FluxTop(), bottom=FluxBottom()
    )
    run = model.run(Forcing(np.zeros(3), np.zeros(3)))
    np.testing.assert_array_equal(run.theta, jnp.broadcast_to(run.theta[:1], run.theta.shape))
    assert float(budget(run).throughput) == 0.0
    assert float(budget(run).relative) == 0.0


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"soil": _loam(k_sat=[1.0, 2.0])}, r"soil.k_sat has shape \(2,\); the grid has 1 horizon"),
        ({"soil": (_loam(), _loam())}, "2 soils are given for the 1 horizons"),
        ({"soil": (_loam(n=[1.4]),)}, "give scalars"),
        ({"policy": "adaptive"}, "give Adaptive"),
        ({"top": HeadTop()}, "use Atmosphere"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(InputError, match=message):
        SoilColumn(**({"grid": Column.uniform(1000.0, 4), "soil": _loam()} | parts))


def test_shapes_that_do_not_fit_are_refused(column, weather, weather_of):
    with pytest.raises(InputError, match=r"simulate takes series \[site, time\]"):
        column.simulate(weather)
    with pytest.raises(InputError, match="simulate takes many sites"):
        column.run(weather_of(sites=2))
    with pytest.raises(InputError, match="at least one site and one time step"):
        column.run(weather[:0])
    with pytest.raises(InputError, match="does not start with the 3 sites"):
        column.simulate(weather_of(sites=3), by_site="soil.k_sat")
    with pytest.raises(InputError, match=r"the arrays are grid\.thickness"):
        column.simulate(weather_of(sites=3), by_site="soil.ksat")
    wide = eqx.tree_at(lambda m: m.soil.k_sat, column, jnp.ones(5))
    with pytest.raises(InputError, match="many sites"):
        wide.run(weather)


def test_policies_are_part_of_the_structure(make):
    one, other = make(policy=Adaptive()), make(policy=Fixed(substeps=8, iterations=12))
    assert jax.tree.structure(one) != jax.tree.structure(other)
    assert jax.tree.structure(one) == jax.tree.structure(make(policy=Adaptive()))
