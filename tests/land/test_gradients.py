"""Gradients against differences, for every declared parameter, the forcing and the state.

Differences are those of fourth order, with h = 1e-4 of the value: their own error is near 1e-9 with
Newton converged.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import specs, values
from diffhydro.core.precision import astype
from diffhydro.core.timeloop import NESTED, REMAT, SOLVED
from diffhydro.land.initial import UniformHead
from diffhydro.land.observe import layer_mean, probe, root_zone, skin
from diffhydro.land.soil_column import SoilColumn
from diffhydro.soil import SDIRK2, Adaptive, Fixed, VanGenuchten

RTOL = 1e-6
POLICIES = {
    "adaptive": Adaptive(),
    "fixed": Fixed(substeps=8, iterations=40, tolerance=1e-13),
    "fixed, second order": Fixed(substeps=6, iterations=40, tolerance=1e-13, scheme=SDIRK2),
}


def _seen(model: SoilColumn, forcing, state=None, **rest):
    """Everything that is observed, with weights that keep it from cancelling."""
    run = model.run(forcing, state, **rest)
    fluxes = run.fluxes
    days = jnp.arange(1.0, forcing.length + 1.0, dtype=fluxes.runoff.dtype)
    moistures = probe(run, 100.0) + skin(run) + 2.0 * root_zone(run) + layer_mean(run, 90.0, 800.0)
    amounts = fluxes.runoff + 2.0 * fluxes.evaporation + 3.0 * fluxes.transpiration
    amounts = amounts + 50.0 * fluxes.drainage + run.states.pond
    return jnp.sum(days * (moistures + 0.01 * amounts)), run.effort.forced.sum()


def _get(model, path):
    for name in path.split("."):
        model = getattr(model, name)
    return model


def _differences(function, x):
    """Differentiate for each entry of `x` by five points."""
    x = np.asarray(x)
    found = np.zeros(x.size)
    for i in range(x.size):
        h = 1e-4 * (abs(x.flat[i]) or 1.0)

        def at(step, i=i, h=h):
            moved = x.copy()
            moved.flat[i] += step * h
            return float(function(jnp.asarray(moved)))

        found[i] = (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * h)
    return found.reshape(x.shape)


# Of the policies one is walked at once; the others are long, and alike.
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if name == "adaptive" else pytest.mark.exhaustive)
        for name in POLICIES
    ],
)
def case(request, make, weather):
    model = make(policy=POLICIES[request.param])
    state = model.init_state()
    seen = eqx.filter_jit(_seen)
    assert float(seen(model, weather, state)[1]) == 0.0

    def value(inputs):
        return _seen(*inputs)[0]

    grad = eqx.filter_jit(eqx.filter_grad(value))((model, weather, state))
    from_start = eqx.filter_jit(eqx.filter_grad(lambda m: _seen(m, weather)[0]))(model)
    return model, weather, state, seen, grad, from_start


def _assert_alike(found, expected, may_vanish=False):
    scale = np.abs(expected).max()
    assert may_vanish or scale > 0
    np.testing.assert_allclose(found, expected, rtol=RTOL, atol=1e-7 * scale + 1e-12)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_every_declared_parameter(case):
    model, weather, _, seen, _, grad = case
    assert len(specs(model)) == 15
    problems = []
    for path, value in values(model).items():
        expected = _differences(
            lambda x, path=path: seen(eqx.tree_at(lambda m: _get(m, path), model, x), weather)[0],
            value,
        )
        try:
            _assert_alike(_get(grad, path), expected)
        except AssertionError:
            problems.append((path, np.asarray(_get(grad, path)), expected))
    assert problems == []


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("name", ["precipitation", "potential_evaporation", "transpiration"])
def test_forcing(case, name):
    model, weather, state, seen, grad, _ = case

    def value(x):
        return seen(model, eqx.tree_at(lambda f: getattr(f, name), weather, x), state)[0]

    _assert_alike(getattr(grad[1], name), _differences(value, getattr(weather, name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stored", "pond"])
def test_initial_state(case, name):
    model, weather, state, seen, grad, _ = case

    def value(x):
        return seen(model, weather, eqx.tree_at(lambda s: getattr(s, name), state, x))[0]

    expected = _differences(value, getattr(state, name))
    found = np.asarray(getattr(grad[2], name))
    if name == "stored":
        has_volume = np.asarray(model.prepare().mesh.volume) > 0
        found, expected = found[has_volume], expected[has_volume]
    _assert_alike(found, expected)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_water_at_the_start_in_soils_with_a_steep_end(make, weather):
    soil = VanGenuchten(
        theta_r=[0.06, 0.09],
        theta_s=[0.42, 0.39],
        alpha=[0.003, 0.0012],
        n=[1.5, 1.35],
        k_sat=[120.0, 40.0],
    )
    # To the end, and never let pass as close enough: differences see what was let pass.
    model = make(soil=soil, policy=Adaptive(sweeps=1, iterations=20, tolerance=1e-13))
    state = model.init_state()
    seen = eqx.filter_jit(lambda x: _seen(model, weather, _with_stored(state, x))[0])
    grad = eqx.filter_jit(eqx.filter_grad(seen))(state.stored)
    layers = np.asarray([0, 1, 2, 4, 5, 6])
    _assert_alike(grad[layers], _differences(seen, state.stored)[layers])


def _with_stored(state, x):
    return eqx.tree_at(lambda s: s.stored, state, x)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_gradients_do_not_depend_on_memory(column, weather):
    def grad(memory):
        return eqx.filter_jit(eqx.filter_grad(lambda m: _seen(m, weather, memory=memory)[0]))(
            column
        )

    first = jax.tree.leaves(grad(REMAT))
    for memory in (SOLVED, NESTED):
        for x, y in zip(first, jax.tree.leaves(grad(memory)), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-14)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("policy", [Adaptive(), Fixed(substeps=8, iterations=12)])
def test_float32_gradients_are_finite_where_it_is_hard(policy, make, weather):
    model = astype(make(policy=policy, initial=UniformHead(head=-1.0)), "float32")
    weather = astype(weather, "float32")
    grad = eqx.filter_jit(eqx.filter_grad(lambda inputs: _seen(*inputs)[0]))

    def at(head, rain, pond):
        start = eqx.tree_at(lambda m: m.initial.head, model, jnp.float32(head)).init_state()
        start = eqx.tree_at(lambda s: s.pond, start, jnp.float32(pond))
        wet = eqx.tree_at(lambda f: f.precipitation, weather, rain * weather.precipitation)
        return jax.tree.leaves(grad((model, wet, start)))

    full, none = jnp.float32(1.0), jnp.float32(0.0)
    cases = {
        "saturated": (0.0, full, 0.0),
        "under a head": (200.0, full, 5.0),
        "air-dry": (-1.4e5, none, 0.0),
        "air-dry, then a storm": (-1.4e5, full, 0.0),
        "no rain": (-3000.0, none, 0.0),
        "ponded": (-100.0, full, 5.0),
    }
    wrong = [
        name
        for name, given in cases.items()
        if not all(bool(jnp.isfinite(x).all()) for x in at(*given))
    ]
    assert wrong == []
