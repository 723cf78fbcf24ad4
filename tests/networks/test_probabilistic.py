"""Distributions: densities that integrate to one, quantiles in order, slopes far out."""

from functools import partial
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.networks import FlaxHead, Mixture, MixtureLaw, Mlp, Normal, NormalLaw, QuantileLaw
from diffhydro.networks.distributions import Quantiles
from tests.networks.programs import assert_same, assert_slopes, quickly

KEY = jax.random.key(0)
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LAWS = {"normal": NormalLaw(), "mixture": MixtureLaw(3), "quantiles": QuantileLaw(LEVELS)}
DENSE = ["normal", "mixture"]
LINE = np.linspace(-60.0, 60.0, 60_001)
SHARES = jnp.array([0.02, 0.1, 0.4, 0.5, 0.8, 0.97])
every_law = pytest.mark.parametrize("name", LAWS)


def drawn(name, *shape, dtype=jnp.float64, spread=1.0):
    law = LAWS[name]
    return law, spread * jax.random.normal(KEY, (*shape, law.size), dtype)


@partial(quickly, static_argnums=0)
def density(law, outputs, x):
    """Give densities of many numbers for one set of outputs."""
    return jnp.exp(jax.vmap(law(outputs).log_prob)(x))


@partial(quickly, static_argnums=0)
def quantiles(law, outputs, shares):
    return jax.vmap(law(outputs).quantile)(shares)


@partial(quickly, static_argnums=0)
def loss_and_slopes(law, outputs, x):
    return jax.value_and_grad(lambda *given: jnp.sum(law(given[0]).loss(given[1])), (0, 1))(
        outputs, x
    )


@partial(quickly, static_argnums=0)
def slope_of_quantile(law, outputs):
    return jax.grad(lambda outputs: jnp.sum(law(outputs).quantile(0.999)))(outputs)


@pytest.mark.parametrize("name", DENSE)
def test_densities_integrate_to_one_and_to_their_means(name):
    law, outputs = drawn(name, 4)
    for each, mean in zip(outputs, law(outputs).mean, strict=True):
        found = np.asarray(density(law, each, jnp.asarray(LINE)))
        np.testing.assert_allclose(np.trapezoid(found, LINE), 1.0, rtol=1e-6)
        np.testing.assert_allclose(np.trapezoid(LINE * found, LINE), mean, rtol=1e-6)


@pytest.mark.parametrize("name", DENSE)
def test_below_a_quantile_lies_its_share(name):
    law, outputs = drawn(name, 3)
    shares = np.array([0.01, 0.3, 0.5, 0.99])
    where = np.asarray(quantiles(law, outputs, jnp.asarray(shares)))
    assert where.shape == (4, 3)
    for number, place in np.ndindex(where.shape):
        below = np.linspace(where[number, place] - 60.0, where[number, place], len(LINE))
        found = np.trapezoid(density(law, outputs[place], jnp.asarray(below)), below)
        np.testing.assert_allclose(found, shares[number], rtol=1e-5)


@every_law
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_quantiles_never_cross(name, dtype):
    """But for the rounding of what was asked for between two of them."""
    law, outputs = drawn(name, 200, dtype=dtype, spread=10.0)
    rising = np.asarray(quantiles(law, outputs, SHARES.astype(dtype)))
    assert rising.dtype == dtype
    rounding = (1e2 if name == "mixture" else 4.0) * jnp.finfo(dtype).eps
    assert (np.diff(rising, axis=0) >= -rounding * np.abs(rising).max()).all()


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_values_at_levels_never_cross(dtype):
    law, outputs = drawn("quantiles", 200, dtype=dtype, spread=30.0)
    assert (np.diff(law(outputs).values, axis=-1) >= 0).all()


@every_law
def test_outputs_of_nothing_are_near_the_standard_normal(name):
    law = LAWS[name]
    found = quantiles(law, jnp.zeros(law.size), jnp.asarray(LEVELS))
    expected = [NormalDist().inv_cdf(level) for level in LEVELS]
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert abs(float(law(jnp.zeros(law.size)).mean)) < 1e-6


def test_a_mixture_of_one_is_normal():
    outputs = jax.random.normal(KEY, (5, 2))
    x = jax.random.normal(jax.random.key(1), (5,))
    one = MixtureLaw(1)(jnp.concatenate([jnp.zeros((5, 1)), outputs], axis=-1))
    plain = NormalLaw()(outputs)
    for what in (lambda held: held.log_prob(x), lambda held: held.quantile(0.9)):
        assert_same(quickly(what)(one), quickly(what)(plain))
    assert_same(one.mean, plain.mean)


def test_log_densities_by_hand():
    found = Normal(jnp.float64(0.3), jnp.float64(0.2))
    expected = np.log(NormalDist(0.3, 0.2).pdf(0.55))
    np.testing.assert_allclose(found.log_prob(jnp.float64(0.55)), expected, rtol=1e-12)
    np.testing.assert_allclose(found.loss(jnp.float64(0.55)), -expected, rtol=1e-12)
    two = Mixture(jnp.log(jnp.array([0.3, 0.7])), jnp.array([-1.0, 2.0]), jnp.array([0.5, 1.5]))
    expected = 0.3 * NormalDist(-1.0, 0.5).pdf(0.4) + 0.7 * NormalDist(2.0, 1.5).pdf(0.4)
    np.testing.assert_allclose(two.log_prob(jnp.float64(0.4)), np.log(expected), rtol=1e-12)


def test_the_pinball_loss_is_least_at_the_quantiles():
    """Of constants, the empirical quantiles have the smallest mean loss."""
    x = np.sort(np.random.default_rng(0).normal(size=999))

    def loss(values):
        return float(jnp.mean(Quantiles(jnp.asarray(values)[None], LEVELS).loss(jnp.asarray(x))))

    best = np.quantile(x, LEVELS)
    for place, step in np.ndindex(len(LEVELS), 2):
        moved = best.copy()
        moved[place] += (-0.1, 0.1)[step]
        assert loss(best) < loss(moved)


def test_the_pinball_loss_by_hand():
    found = Quantiles(jnp.array([1.0, 2.0]), (0.1, 0.6))
    np.testing.assert_allclose(found.loss(jnp.float64(1.5)), 0.5 * (0.1 * 0.5 + 0.4 * 0.5))
    np.testing.assert_allclose(found.quantile(0.35), 1.5)
    np.testing.assert_allclose(found.quantile(0.99), 2.0)
    np.testing.assert_allclose(found.mean, 0.1 * 1.0 + 0.5 * 1.5 + 0.4 * 2.0)


@every_law
def test_gradients_agree_with_differences(name):
    law, outputs = drawn(name, 3)
    x = jnp.array([-0.4, 0.3, 1.7])

    def all_of_it(given):
        found = law(given[0])
        return jnp.sum(found.loss(given[1]) + found.quantile(0.3) ** 2 + jnp.sin(found.mean))

    assert_slopes(all_of_it, (outputs, x))


@every_law
@pytest.mark.parametrize("spread", [1.0, 100.0])
def test_far_out_gradients_are_finite_in_float32(name, spread):
    law, outputs = drawn(name, 50, dtype=jnp.float32, spread=spread)
    for x in (0.0, 1e4, -1e9):
        value, slopes = loss_and_slopes(law, outputs, jnp.full(50, x, jnp.float32))
        assert all(np.isfinite(part).all() for part in (value, *slopes))
        assert all((part != 0).any() for part in slopes)
    assert np.isfinite(slope_of_quantile(law, outputs)).all()


def test_a_standard_deviation_has_a_floor():
    found = NormalLaw(least=0.01)(jnp.array([0.0, -1e6], jnp.float32))
    assert found.scale == jnp.float32(0.01)
    assert np.isfinite(found.log_prob(jnp.float32(0.0)))


@every_law
def test_outputs_of_another_number_are_refused(name):
    law = LAWS[name]
    with pytest.raises(InputError, match=rf"reads {law.size} outputs"):
        law(jnp.zeros((3, law.size + 1)))


@pytest.mark.parametrize("levels", [(), (0.5, 0.5), (0.7, 0.3), (0.0, 0.5), (0.5, 1.0)])
def test_levels_rise_between_zero_and_one(levels):
    with pytest.raises(InputError, match="rise between 0 and 1"):
        QuantileLaw(levels)


@every_law
def test_any_network_can_carry_a_law(name):
    law = LAWS[name]
    head = FlaxHead.create(Mlp(hidden=(8,), out=law.size), jnp.zeros(3), key=KEY)
    x = jax.random.normal(KEY, (6, 4, 3))
    found = jax.jit(lambda x: law(head(x)))(x)
    assert found.mean.shape == found.loss(jnp.zeros((6, 4))).shape == (6, 4)
