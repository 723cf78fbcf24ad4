"""Forward mode through both soil solvers: equal to reverse mode, differences and loops of columns.

⟨J v, w⟩ = ⟨v, Jᵀ w⟩ holds to rounding, whatever the solver does: one is the other's transpose.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.precision import astype
from diffhydro.soil.frost import Impeded
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.hydraulics.by_water import by_water, pull_back, push_ahead
from diffhydro.soil.pedotransfer import cosby
from diffhydro.soil.redistribution import Layers, Push, redistribute
from tests.soil.richards.test_gradients import POLICIES, SCENES, observer
from tests.soil.richards.test_gradients import layers as column

STEPS, LAYERS = 24, 6
THICKNESS = jnp.asarray([50.0, 100.0, 200.0, 300.0, 500.0, 850.0])
TO_ROUNDING = 1e-10
SOILS = {
    "clapp_hornberger": lambda: cosby(sand=43.0, clay=18.0),
    "van_genuchten": lambda: VanGenuchten(
        theta_r=0.07, theta_s=0.42, alpha=0.002, n=1.5, k_sat=150.0
    ),
}
# Of saturation; rain and uptake, mm/day.
STATES = {
    "moist": (0.6, 12.0, 0.4),
    "full": (1.0, 30.0, 0.1),
    "at θ_min": (0.024, 0.0, 0.5),
    "flooded": (0.9, 400.0, 0.0),
}


def soil_of(name):
    wide = jax.tree.map(lambda x: jnp.broadcast_to(x, (LAYERS,)), SOILS[name]())
    return Impeded(wide, jnp.linspace(0.2, 1.0, LAYERS)) if name == "clapp_hornberger" else wide


def day(soil_name, state):
    """Inputs and the results of a day, as functions of all that is differentiated."""
    wet, rain, uptake = STATES[state]
    soil = soil_of(soil_name)
    theta = jnp.maximum(wet * soil.theta_s * jnp.linspace(0.9, 1.0, LAYERS), 0.0101)
    push = Push(jnp.asarray(rain), jnp.full(LAYERS, uptake))

    def run(inputs):
        theta, soil, base, push = inputs
        theta, moved = redistribute(
            theta, Layers(soil, astype(THICKNESS, theta.dtype), base), push, 1.0, STEPS
        )
        return theta, *moved

    return (theta, soil, jnp.asarray(0.8), push), run


def directions(tree, seed, by_size=True):
    """A random direction, in which every input moves by its own size."""
    rng = np.random.default_rng(seed)

    def one(x):
        scale = jnp.abs(x) + 0.01 if by_size else jnp.ones_like(x)
        return scale * jnp.asarray(rng.normal(size=x.shape), x.dtype)

    return jax.tree.map(one, tree)


def product(x, y):
    return sum(float(jnp.vdot(a, b)) for a, b in zip(*map(jax.tree.leaves, (x, y)), strict=True))


def assert_transposed(run, inputs):
    ahead = directions(inputs, 1)
    found, pushed = jax.jit(lambda x, v: jax.jvp(run, (x,), (v,)))(inputs, ahead)
    back = directions(found, 2, by_size=False)
    pulled = jax.jit(lambda x, w: jax.vjp(run, x)[1](w)[0])(inputs, back)
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves((pushed, pulled)))
    size = np.sqrt(product(pushed, pushed) * product(back, back))
    assert size > 0
    assert product(pushed, back) == pytest.approx(product(ahead, pulled), abs=TO_ROUNDING * size)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("soil", SOILS)
def test_redistribution_forward_is_the_transpose_of_reverse(soil, state):
    inputs, run = day(soil, state)
    assert_transposed(run, inputs)


@pytest.mark.parametrize("soil", SOILS)
def test_redistribution_against_differences(soil):
    inputs, run = day(soil, "moist")
    ahead = directions(inputs, 1)

    def at(h):
        return run(jax.tree.map(lambda x, v: x + h * v, inputs, ahead))

    pushed = jax.jvp(run, (inputs,), (ahead,))[1]
    h = 1e-6  # truncation and rounding both near 1e-9 of the change
    for found, more, less in zip(pushed, at(h), at(-h), strict=True):
        wanted = (more - less) / (2.0 * h)
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7 * jnp.abs(wanted).max())


@pytest.mark.exhaustive
@pytest.mark.slow
def test_redistribution_jacobians_of_columns_agree():
    inputs, run = day("clapp_hornberger", "moist")
    many = jax.tree.map(lambda x: jnp.stack([0.97 * x, 0.99 * x, x]), inputs)

    def flat(x):
        return jnp.concatenate([jnp.ravel(y) for y in run(x)])

    forward, reverse = (jax.jit(jax.vmap(f(flat)))(many) for f in (jax.jacfwd, jax.jacrev))
    for i in range(3):
        alone = jax.jacfwd(flat)(jax.tree.map(lambda x, i=i: x[i], many))
        for x, y, z in zip(*map(jax.tree.leaves, (forward, reverse, alone)), strict=True):
            scale = jnp.abs(z).max()
            np.testing.assert_allclose(x[i], z, rtol=1e-10, atol=1e-11 * scale)
            np.testing.assert_allclose(y[i], z, rtol=1e-10, atol=1e-11 * scale)


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("soil", SOILS)
def test_redistribution_tangents_are_finite_in_single_precision(soil, state):
    inputs, run = day(soil, state)
    inputs = astype(inputs, "float32")
    pushed = jax.jit(lambda x, v: jax.jvp(run, (x,), (v,))[1])(inputs, directions(inputs, 3))
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(pushed))


def test_curves_by_water_pushed_by_hand_are_those_of_jax():
    soil = jax.tree.map(lambda x: jnp.broadcast_to(x, (7,)), SOILS["clapp_hornberger"]())
    # Below the driest and the tightest, between, at saturation and beyond it.
    theta = soil.theta_s * jnp.asarray([2e-4, 0.02, 0.1, 0.4, 0.8, 0.999, 1.05])
    dots = directions((soil, theta), 4)
    at, wanted = jax.jvp(by_water, (soil, theta), dots)
    found = push_ahead(soil, theta, at, *dots)
    for x, y in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)
    back = directions(at, 5, by_size=False)
    pulled = jax.jit(pull_back)(soil, theta, at, back)
    assert product(found, back) == pytest.approx(product(dots, pulled), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(name, marks=[] if name == "fixed" else pytest.mark.exhaustive)
        for name in POLICIES
    ],
)
@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            name, marks=[] if name in ("runoff", "dry_surface") else pytest.mark.exhaustive
        )
        for name in SCENES
    ],
)
def test_richards_forward_is_the_transpose_of_reverse(scene, policy):
    inputs, observe = observer(SCENES[scene], POLICIES[policy], column())

    def run(inputs):
        _, run = observe(inputs)
        return run.after.psi, run.after.stored, run.after.pond, run.amounts

    assert_transposed(run, inputs)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fixed", "adaptive"])
def test_richards_against_differences(policy):
    inputs, observe = observer(SCENES["jackson_roots"], POLICIES[policy], column())

    def value(inputs):
        return observe(inputs)[0]

    ahead = directions(inputs, 6)
    found = float(jax.jit(lambda x, v: jax.jvp(value, (x,), (v,))[1])(inputs, ahead))
    at = jax.jit(lambda h: value(jax.tree.map(lambda x, v: x + h * v, inputs, ahead)))
    h = 1e-7  # truncation 1e-8 of the change, rounding less
    assert found == pytest.approx(float(at(h) - at(-h)) / (2.0 * h), rel=1e-6)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["adaptive", "two_stages"])
def test_richards_jacobians_of_columns_agree(policy):
    """More columns than fit into a row, whose steps differ, so that rows are sorted."""
    inputs, observe = observer(SCENES["runoff"], POLICIES[policy], column())
    soil, top, uptake, *rest = inputs
    count, shown = 40, 3

    def seen(moves, wet):
        moved = jax.tree.map(lambda x: x * (1.0 + moves[0]), soil)
        drive = jax.tree.map(lambda x: x * wet * (1.0 + moves[1]), rest[1])
        run = observe((moved, top, uptake, rest[0], drive, *rest[2:]))[1]
        return jnp.concatenate([run.after.stored, run.amounts.runoff])

    still, wet = jnp.zeros(2), jnp.linspace(0.02, 1.5, count)
    maps = {
        "of each": jax.vmap(jax.jacfwd(seen), in_axes=(None, 0)),
        "of all": jax.jacfwd(jax.vmap(seen, in_axes=(None, 0))),
        "reverse": jax.vmap(jax.jacrev(seen), in_axes=(None, 0)),
    }
    found = {name: np.asarray(jax.jit(f)(still, wet)) for name, f in maps.items()}
    scale = np.abs(found["of each"]).max()
    np.testing.assert_allclose(found["of all"], found["of each"], atol=1e-12 * scale)
    np.testing.assert_allclose(found["reverse"], found["of each"], atol=1e-10 * scale)
    alone = jax.jit(jax.jacfwd(seen))
    for i in np.linspace(0, count - 1, shown).astype(int):
        # Alone a column goes through LAPACK: heads, and with them slopes, differ by the residual.
        np.testing.assert_allclose(alone(still, wet[i]), found["of each"][i], atol=1e-8 * scale)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fixed", "adaptive"])
@pytest.mark.exhaustive
def test_the_gradient_of_each_column_with_respect_to_a_soil_that_all_share(policy):
    inputs, observe = observer(SCENES["flux_top"], POLICIES[policy], column())
    soil, *rest = inputs

    def value(soil, share):
        return observe((soil, *rest[:3], jax.tree.map(lambda x: x * share, rest[3]), *rest[4:]))[0]

    shares = jnp.linspace(0.5, 1.0, 4)
    each = jax.jit(jax.vmap(jax.grad(value), in_axes=(None, 0)))(soil, shares)
    summed = jax.jit(jax.grad(lambda s: jnp.sum(jax.vmap(value, (None, 0))(s, shares))))(soil)
    for x, y in zip(*map(jax.tree.leaves, (each, summed)), strict=True):
        np.testing.assert_allclose(jnp.sum(x, axis=0), y, rtol=1e-10)
