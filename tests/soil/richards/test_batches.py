"""Equivalence: columns mapped together give what each gives alone, in one row or several."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.soil.boundary import FreeDrainage
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.stage import SDIRK2
from tests.soil.richards.columns import air, drives, filled, lay, march, roots, storms

# Alone a column may stop iterating earlier than in a batch, and one column goes through LAPACK
# where many go through Thomas. Both differ by residuals and rounding far below this, in m³/m³.
SAME = 1e-9
EXACT = 1e-12  # residual asked for, as a water content
ROWS = 130  # columns: more than fit into a row


def many(count: int) -> tuple[VanGenuchten, np.ndarray]:
    """Sands to clays, each under its own storms."""
    rng = np.random.default_rng(11)

    def between(low, high):
        return jnp.asarray(np.exp(rng.uniform(np.log(low), np.log(high), count)))

    soil = VanGenuchten(
        theta_r=between(0.03, 0.1),
        theta_s=between(0.36, 0.5),
        alpha=between(5e-4, 1.5e-2),
        n=1.0 + between(0.2, 1.7),
        k_sat=between(10.0, 8000.0),
        l=jnp.full(count, 0.5),
    )
    return soil, np.stack([storms(seed, 4) for seed in range(count)])


def run(policy):
    def one(soil, supply):
        mesh, problem = lay(soil, air(pond_max=5.0), FreeDrainage(), uptake=roots(400.0))
        drive = drives(mesh, supply, transpiration=2.0)
        out = march(mesh, problem, filled(mesh, problem, -1000.0), drive, policy)
        return out.after.stored / mesh.volume, out.after.pond, out.amounts, out.effort

    return one


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "count"),
    [
        (Fixed(8, 30, EXACT), 10),
        (Fixed(4, 30, EXACT, SDIRK2), 10),
        (Adaptive(tolerance=EXACT, sweeps=1, most=10**5), 10),
        (Adaptive(tolerance=EXACT, sweeps=2, most=10**5), ROWS),
    ],
    ids=["fixed", "two_stages", "adaptive", "adaptive_rows"],
)
def test_mapped_columns_equal_single_ones(policy, count):
    soil, supply = many(count)
    theta, pond, amounts, effort = jax.jit(jax.vmap(run(policy)))(soil, jnp.asarray(supply))
    alone = jax.jit(run(policy))
    for i in range(count):
        one = alone(jax.tree.map(lambda x, i=i: x[i], soil), jnp.asarray(supply[i]))
        np.testing.assert_allclose(theta[i], one[0], rtol=0, atol=SAME)
        np.testing.assert_allclose(pond[i], one[1], rtol=0, atol=1e3 * SAME)
        for mapped, single in zip(jax.tree.leaves(amounts), jax.tree.leaves(one[2]), strict=True):
            np.testing.assert_allclose(mapped[i], single, rtol=1e-8, atol=1e3 * SAME)
        if isinstance(policy, Adaptive):
            np.testing.assert_array_equal(effort.substeps[i], one[3].substeps)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_nested_maps_and_shared_arguments_equal_a_flat_map():
    soil, supply = many(6)
    policy = Adaptive(tolerance=EXACT)
    flat = jax.jit(jax.vmap(run(policy), in_axes=(0, None)))(soil, jnp.asarray(supply[0]))
    folded = jax.tree.map(lambda x: x.reshape(2, 3), soil)
    nested = jax.jit(jax.vmap(jax.vmap(run(policy), in_axes=(0, None)), in_axes=(0, None)))
    found = nested(folded, jnp.asarray(supply[0]))
    for a, b in zip(jax.tree.leaves(flat), jax.tree.leaves(found), strict=True):
        np.testing.assert_allclose(b.reshape(a.shape), a, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("policy", [Fixed(4, 8), Adaptive(sweeps=1)], ids=["fixed", "adaptive"])
@pytest.mark.exhaustive
def test_gradient_of_a_map_equals_a_map_of_gradients(policy):
    soil, supply = many(5)

    def wetness(soil, supply):
        theta, _, amounts, _ = run(policy)(soil, supply)
        return jnp.sum(theta**2) + jnp.sum(amounts.drainage)

    each = jax.jit(jax.vmap(jax.grad(wetness)))(soil, jnp.asarray(supply))
    whole = eqx.filter_jit(jax.grad(lambda s: jnp.sum(jax.vmap(wetness)(s, jnp.asarray(supply)))))(
        soil
    )
    for a, b in zip(jax.tree.leaves(each), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_run_in_two_halves_equals_one_run():
    soil, supply = many(1)
    soil = jax.tree.map(lambda x: x[0], soil)
    mesh, problem = lay(soil, air(pond_max=5.0), FreeDrainage())
    go = eqx.filter_jit(march)
    water = filled(mesh, problem, -1000.0)
    whole = go(mesh, problem, water, drives(mesh, supply[0]), Adaptive())
    half = go(mesh, problem, water, drives(mesh, supply[0][:2]), Adaptive())
    rest = go(mesh, problem, half.after, drives(mesh, supply[0][2:]), Adaptive())
    for a, b in zip(jax.tree.leaves(whole.after), jax.tree.leaves(rest.after), strict=True):
        np.testing.assert_array_equal(a, b)
