"""Roots: found, flagged where there is none, and differentiated implicitly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.roots import root

BRACKET = {"lower": jnp.zeros(5), "upper": jnp.full(5, 10.0)}


def cubic(x, a):
    return x**3 + x - a


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_root_satisfies_its_equation_to_rounding(dtype):
    a = jnp.linspace(0.5, 900.0, 5, dtype=dtype)
    bracket = {k: v.astype(dtype) for k, v in BRACKET.items()}
    found = root(cubic, jnp.ones(5, dtype), a, **bracket)
    assert bool(found.converged.all())
    assert found.value.dtype == dtype
    residual = np.abs(np.asarray(cubic(found.value, a)))
    assert (residual <= 100 * jnp.finfo(dtype).eps * np.asarray(a)).all()


def test_derivative_is_implicit_in_both_modes():
    a = jnp.asarray([0.5, 2.0, 10.0, 100.0, 900.0])

    def solve(a):
        return root(cubic, jnp.ones(5), a, **BRACKET).value

    exact = 1.0 / (3.0 * solve(a) ** 2 + 1.0)
    np.testing.assert_allclose(jax.jvp(solve, (a,), (jnp.ones(5),))[1], exact, rtol=1e-12)
    np.testing.assert_allclose(jax.grad(lambda a: solve(a).sum())(a), exact, rtol=1e-12)


def test_newton_that_leaves_the_bracket_falls_back_to_bisection():
    def steep(x, a):
        return jnp.arctan(20.0 * (x - a))

    a = jnp.asarray([0.3, 5.0, 9.7])
    found = root(
        steep, jnp.full(3, 9.9), a, lower=jnp.zeros(3), upper=jnp.full(3, 10.0), iterations=60
    )
    np.testing.assert_allclose(found.value, a, rtol=1e-12)


def test_no_sign_change_is_not_converged():
    found = root(
        lambda x, a: x * x + a, jnp.ones(2), jnp.ones(2), lower=-jnp.ones(2), upper=jnp.ones(2)
    )
    assert not bool(found.converged.any())


def test_cap_on_iterations_is_reported():
    found = root(cubic, jnp.ones(5), jnp.full(5, 900.0), **BRACKET, iterations=1)
    assert not bool(found.converged.any())
    assert int(found.iterations) == 1


def test_vmap_equals_loop():
    a = jnp.asarray([0.5, 3.0, 50.0])

    def one(a):
        return root(cubic, jnp.ones(()), a, lower=jnp.zeros(()), upper=jnp.full((), 10.0)).value

    np.testing.assert_allclose(jax.vmap(one)(a), [float(one(x)) for x in a], rtol=1e-14)
