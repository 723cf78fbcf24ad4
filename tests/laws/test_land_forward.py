"""Forward mode through every land model: the transpose of reverse mode, and finite at the edges."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.core.parameters import values
from diffhydro.core.precision import astype
from diffhydro.core.timeloop import NESTED, PLAIN, REMAT, SOLVED
from diffhydro.land import Land, SoilColumn
from diffhydro.soil import SDIRK2, Adaptive, Atmosphere, Feddes, Fixed, LinearRoots, Uptake
from diffhydro.soil.pedotransfer import cosby
from tests.land.climates import Climate, weather
from tests.laws.test_land_gradients import EDGES, winter_and_summer
from tests.laws.test_land_gradients import MODELS as WITH_LAYERS

DAYS = 60
TO_ROUNDING = 1e-10
POLICIES = {
    "adaptive": Adaptive(),
    "fixed": Fixed(substeps=8, iterations=20),
    "two stages": Fixed(substeps=4, iterations=20, scheme=SDIRK2),
}


def column(policy):
    return Land(
        SoilColumn(
            grid=Column([20.0, 60.0, 150.0, 170.0, 250.0, 350.0], [0, 0, 0, 1, 1, 1]),
            soil=cosby(sand=np.asarray([43.0, 60.0]), clay=np.asarray([18.0, 10.0])),
            roots=Uptake(LinearRoots(depth=700.0), Feddes()),
            top=Atmosphere(pond_max=5.0),
            policy=policy,
        )
    )


MODELS = WITH_LAYERS | {
    f"column, {name}": lambda policy=policy: column(policy) for name, policy in POLICIES.items()
}
EVERY_DAY = ("upland", "wetland", "hbv", "column, fixed")


def marked(names):
    return [pytest.param(n, marks=[] if n in EVERY_DAY else pytest.mark.exhaustive) for n in names]


def of_parameters(model, forcing, memory=PLAIN):
    """The values of all parameters, and what is seen of a run as a function of them."""
    moving, rest = eqx.partition(model, eqx.is_inexact_array)

    def seen(moving):
        run = eqx.combine(moving, rest).run(forcing, memory=memory)
        return run.fluxes, run.stores_after

    return moving, seen


def direction(tree, seed, by_size=True):
    rng = np.random.default_rng(seed)

    def one(x):
        scale = 0.1 * (jnp.abs(x) + 0.01) if by_size else jnp.ones_like(x)
        return scale * jnp.asarray(rng.normal(size=x.shape), x.dtype)

    return jax.tree.map(one, tree)


def product(x, y):
    pairs = zip(*map(jax.tree.leaves, (x, y)), strict=True)
    return sum(float(jnp.vdot(a, b)) for a, b in pairs)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("name", marked(MODELS))
def test_forward_mode_is_the_transpose_of_reverse_mode(name):
    forcing = jax.tree.map(lambda x: x[:DAYS], winter_and_summer())
    parameters, seen = of_parameters(MODELS[name](), forcing)
    assert values(MODELS[name]())
    ahead = direction(parameters, 1)
    found, pushed = jax.jit(lambda x, v: jax.jvp(seen, (x,), (v,)))(parameters, ahead)
    back = direction(found, 2, by_size=False)
    pulled = jax.jit(lambda x, w: jax.vjp(seen, x)[1](w)[0])(parameters, back)
    size = np.sqrt(product(pushed, pushed) * product(back, back))
    assert size > 0
    assert product(pushed, back) == pytest.approx(product(ahead, pulled), abs=TO_ROUNDING * size)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("memory", [SOLVED, REMAT, NESTED], ids=lambda m: type(m).__name__.lower())
@pytest.mark.parametrize("name", ["upland", "column, fixed", "column, adaptive"])
def test_memory_does_not_change_a_tangent(name, memory):
    forcing = jax.tree.map(lambda x: x[:12], winter_and_summer())
    found = []
    for how in (PLAIN, memory):
        parameters, seen = of_parameters(MODELS[name](), forcing, how)
        ahead = direction(parameters, 1)
        found.append(jax.jit(lambda x, v, f=seen: jax.jvp(f, (x,), (v,))[1])(parameters, ahead))
    for x, y in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-14)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("name", marked(["upland", "wetland", "column, fixed", "column, adaptive"]))
def test_tangents_are_finite_at_the_edges(name):
    model = astype(MODELS[name](), "float32")
    forcing = weather(Climate(), 20)
    parameters, _ = of_parameters(model, forcing)
    ahead = direction(parameters, 1)

    @jax.jit
    def slope(parameters, forcing):
        _, seen = of_parameters(model, forcing)
        return jax.jvp(seen, (parameters,), (ahead,))[1]

    for edge, changed in EDGES.items():
        fixed = {k: jnp.full_like(getattr(forcing, k), v) for k, v in changed.items()}
        names, new = list(fixed), list(fixed.values())
        there = eqx.tree_at(lambda f, n=names: [getattr(f, k) for k in n], forcing, new)
        start = parameters
        if edge in ("dry soil", "full soil") and hasattr(model, "upland"):
            wet = jnp.asarray(0.05 if edge == "dry soil" else 1.0, "float32")
            start = eqx.tree_at(lambda m: m.upland.saturation, parameters, wet)
        for leaf in jax.tree.leaves(slope(start, astype(there, "float32"))):
            assert bool(jnp.isfinite(leaf).all()), edge


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_hessian_is_refused_in_words():
    forcing = jax.tree.map(lambda x: x[:2], winter_and_summer())
    parameters, seen = of_parameters(MODELS["upland"](), forcing)

    def loss(parameters):
        return sum(jnp.sum(x) for x in jax.tree.leaves(seen(parameters)))

    with pytest.raises(NotImplementedError, match="first derivatives only"):
        jax.jvp(jax.grad(loss), (parameters,), (direction(parameters, 1),))
