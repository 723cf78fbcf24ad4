"""Roots and their stress."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.core.parameters import check_bounds
from diffhydro.soil.uptake import ExponentialRoots, Feddes, JacksonRoots, LinearRoots, UniformRoots

ROOTS = {
    "linear": LinearRoots(depth=800.0),
    "uniform": UniformRoots(depth=800.0),
    "exponential": ExponentialRoots(depth=800.0, k=3.0),
    "jackson": JacksonRoots(beta=0.96),
}
DENSITIES = {
    "linear": lambda x: 2.0 * (1.0 - x),
    "uniform": lambda x: 1.0 + 0.0 * x,
    "exponential": lambda x: 3.0 * np.exp(-3.0 * x) / (1.0 - np.exp(-3.0)),
}
FACES = Column.geometric(1000.0, 30, top=5.0).faces


@pytest.mark.parametrize("name", ROOTS)
def test_shares_add_up_to_one(name):
    share = np.asarray(ROOTS[name].share(FACES))
    assert (share >= 0).all()
    assert share.sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("name", DENSITIES)
def test_shares_are_the_integral_of_the_density(name):
    x = (np.arange(800000) + 0.5) / 800000
    weight = DENSITIES[name](x) / 800000
    expected, _ = np.histogram(800.0 * x, bins=np.asarray(FACES), weights=weight)
    # The midpoint rule splits one of 800 000 points wrongly at a face: 4e-6 of the total.
    np.testing.assert_allclose(ROOTS[name].share(FACES), expected, atol=5e-6)


def test_jackson_as_published():
    """1 − β^d with d in centimetres (Jackson et al. 1996), of the part within the column."""
    share = ROOTS["jackson"].share(jnp.asarray([0.0, 300.0, 1000.0]))
    np.testing.assert_allclose(share[0], (1 - 0.96**30) / (1 - 0.96**100), rtol=1e-12)


@pytest.mark.parametrize("name", DENSITIES)
def test_roots_below_the_column_take_nothing_from_it(name):
    """A column of half the rooting depth holds the roots above its foot, no more."""
    share = ROOTS[name].share(jnp.linspace(0.0, 400.0, 9))
    x = (np.arange(10000) + 0.5) / 20000
    assert float(share.sum()) == pytest.approx((DENSITIES[name](x) / 20000).sum(), rel=1e-6)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("name", ROOTS)
def test_gradients_of_shares_are_finite(name, dtype):
    roots = jax.tree.map(lambda x: x.astype(dtype), ROOTS[name])
    faces = FACES.astype(dtype)
    grad = jax.jacobian(lambda r: r.share(faces))(roots)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(grad))


def test_stress_has_the_shape_of_feddes():
    stress = Feddes(psi_1=-100.0, psi_2=-250.0, psi_3=-5000.0, psi_4=-80000.0, rounding=0.0)
    psi = jnp.asarray(
        [100.0, 0.0, -100.0, -175.0, -250.0, -1000.0, -5000.0, -42500.0, -80000.0, -1e6]
    )
    np.testing.assert_allclose(stress(psi), [0, 0, 0, 0.5, 1, 1, 1, 0.5, 0, 0], atol=1e-14)


def test_stress_is_continuous():
    psi = -jnp.logspace(0, 6, 100001)
    assert float(jnp.abs(jnp.diff(Feddes()(psi))).max()) < 1e-3


def test_rounded_stress_has_a_slope_without_jumps():
    psi = -jnp.logspace(1.5, 5.5, 200001)
    hard, rounded = Feddes(rounding=0.0), Feddes()
    slopes = [jax.vmap(jax.grad(lambda p, s=s: s(jnp.exp(p) * -1.0)))(jnp.log(-psi))
              for s in (hard, rounded)]  # fmt: skip
    jumps = [float(jnp.abs(jnp.diff(slope)).max()) for slope in slopes]
    assert jumps[0] > 0.5
    assert jumps[1] < 0.01
    assert float(jnp.abs(hard(psi) - rounded(psi)).max()) < 0.1 * 0.1
    far = (psi > -80.0) | ((psi < -300.0) & (psi > -1000.0)) | (psi < -9e4)
    np.testing.assert_array_equal(hard(psi)[far], rounded(psi)[far])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_gradients_of_stress_are_finite_at_every_corner(dtype):
    stress = jax.tree.map(lambda x: x.astype(dtype), Feddes())
    for psi in (0.0, -100.0, -250.0, -1000.0, -5000.0, -80000.0, -1e7):
        grad = jax.grad(lambda s, p: s(p), (0, 1))(stress, jnp.asarray(psi, dtype))
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(grad))


def test_gradients_of_stress_are_finite_with_merged_points():
    """The case format allows h2 = h3: full uptake at one head only."""
    stress = Feddes(psi_1=-100.0, psi_2=-300.0, psi_3=-300.0, psi_4=-80000.0, rounding=0.0)
    assert float(stress(jnp.asarray(-300.0))) == pytest.approx(1.0)


def test_defaults_lie_within_their_bounds():
    check_bounds((*ROOTS.values(), Feddes()))
