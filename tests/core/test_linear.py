"""A linear map and its transpose: every order of maps and derivatives equals plain JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.lanes import columns_last, full_width
from diffhydro.core.linear import at_first_only, linear_map
from diffhydro.core.timeloop import NESTED, PLAIN, REMAT, SOLVED, keep, timeloop

NODES = 4
MEMORIES = {"plain": PLAIN, "solved": SOLVED, "remat": REMAT, "nested": NESTED}


def _solved(theta, k, rain):
    """Something nonlinear, one column or many: what a solver would solve."""
    return jnp.tanh(k[None] * theta + rain[None]), jnp.sum(theta * k[None], axis=0) + rain


def _ahead(saved, dots):
    (theta, k, after), (theta_dot, k_dot, rain_dot) = full_width((saved, dots))
    slope = 1.0 - after**2
    total = jnp.sum(theta_dot * k[None] + theta * k_dot[None], axis=0) + rain_dot
    return slope * (k[None] * theta_dot + theta * k_dot[None] + rain_dot[None]), total


def _back(saved, bars):
    (theta, k, after), (after_bar, total_bar) = full_width((saved, bars))
    pulled = (1.0 - after**2) * after_bar + total_bar[None]
    at_rain = jnp.sum(pulled, axis=0) - (NODES - 1) * total_bar
    return pulled * k[None], jnp.sum(pulled * theta, axis=0), at_rain


def _back_summed(saved, bars):
    """The same, but a `k` that all columns share gets one sum."""
    theta_bar, k_bar, rain_bar = _back(saved, bars)
    if saved[1].shape[-1] == 1:
        k_bar = jnp.sum(k_bar, axis=-1, keepdims=True)
    return theta_bar, k_bar, rain_bar


def _solver(back):
    lanes = columns_last(lambda theta, k, rain: _solved(*full_width((theta, k, rain))))
    recorded = at_first_only(lanes)

    @jax.custom_jvp
    def solve(theta, k, rain):
        return lanes(theta, k, rain)

    @solve.defjvp
    def _(inputs, dots):
        found = keep(recorded(*inputs))
        theta, k, _ = inputs
        return found, linear_map(_ahead, back, (theta, k, found[0]), dots)

    return solve


SOLVERS = {"full": _solver(_back), "summed": _solver(_back_summed)}


def run(solve, theta, k, rain, memory=PLAIN):
    """Five steps; `solve` is one of the two above, or plain JAX."""

    def step(theta, rain):
        theta, total = solve(theta, k, rain)
        return theta, jnp.sin(total)

    theta, totals = timeloop(step, theta, rain, memory=memory)
    return jnp.concatenate([theta, totals])


def inputs(*sites):
    rng = np.random.default_rng(3)
    return tuple(jnp.asarray(rng.normal(size=(*sites, *shape))) for shape in ((NODES,), (), (5,)))


def alike(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def every(function, *axes):
    """Map over sites, one map for each tuple of axes, the innermost first."""
    for axis in axes:
        function = jax.vmap(function, in_axes=axis)
    return function


SHARED = (0, None, 0)
MAPS = {
    "one column": (),
    "sites": ((0, 0, 0),),
    "sites that share": (SHARED,),
    "sites of members": ((0, 0, 0), (0, 0, 0)),
    "one inside shares": (SHARED, (0, 0, 0)),
    "one outside shares": ((0, 0, 0), SHARED),
    "both share": (SHARED, SHARED),
    "members of one rain": ((0, 0, 0), (0, 0, None)),
}


def given(axes):
    """Inputs that have the axes of a map, the outermost first."""
    counts = (3, 2)[: len(axes)]
    found = []
    for number, full in enumerate(inputs(*counts)):
        for place, axis in enumerate(reversed(axes)):
            if axis[number] is None:
                full = jnp.take(full, jnp.asarray([0]), axis=place)
        mapped = [place for place, axis in enumerate(reversed(axes)) if axis[number] is None]
        found.append(jnp.squeeze(full, axis=tuple(mapped)))
    return tuple(found)


FIRST = ("one column", "sites that share", "sites of members")
CASES = [
    pytest.param(name, derivative, kind, marks=() if name in FIRST else pytest.mark.slow)
    for name in MAPS
    for derivative, kind in (("jacfwd", "full"), ("jacrev", "full"), ("jacrev", "summed"))
    if kind == "full" or SHARED in MAPS[name]
]


@pytest.mark.parametrize(("name", "derivative", "kind"), CASES)
def test_derivatives_inside_maps(name, derivative, kind):
    def of(solve):
        one = getattr(jax, derivative)(lambda *x: run(solve, *x), argnums=(0, 1, 2))
        return jax.jit(every(one, *MAPS[name]))(*given(MAPS[name]))

    alike(of(SOLVERS[kind]), of(_solved))


@pytest.mark.parametrize(("name", "derivative", "kind"), CASES)
def test_derivatives_outside_maps(name, derivative, kind):
    def of(solve):
        mapped = every(lambda *x: run(solve, *x), *MAPS[name])
        return jax.jit(getattr(jax, derivative)(mapped, argnums=(0, 1, 2)))(*given(MAPS[name]))

    alike(of(SOLVERS[kind]), of(_solved))


@pytest.mark.parametrize("derivative", [jax.jacfwd, jax.jacrev])
def test_derivatives_between_maps(derivative):
    def of(solve):
        sites = every(lambda *x: run(solve, *x), SHARED)
        members = jax.vmap(derivative(sites, argnums=(0, 1)))
        theta, k, rain = inputs(3, 2)
        return members(theta, k[:, 0], rain)

    alike(of(SOLVERS["summed"]), of(_solved))


@pytest.mark.slow
@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("derivative", [jax.jacfwd, jax.jacrev])
def test_memory_changes_nothing(derivative, memory):
    def of(memory):
        one = derivative(lambda *x: run(SOLVERS["full"], *x, memory=memory), argnums=(0, 1, 2))
        return jax.jit(jax.vmap(one))(*inputs(3))

    alike(of(MEMORIES[memory]), of(PLAIN))


def test_outside_jit_and_inside_are_the_same():
    solve = SOLVERS["full"]
    theta, k, rain = inputs()

    def slope(theta):
        return jax.jvp(lambda x: solve(x, k, rain[0]), (theta,), (jnp.ones(NODES),))[1]

    alike(slope(theta), jax.jit(slope)(theta))


def test_an_unused_result_has_a_zero_cotangent():
    theta, k, rain = inputs()

    def of(solve):
        return jax.grad(lambda x: solve(x, k, rain[0])[1])(theta)

    alike(of(SOLVERS["full"]), of(_solved))


def test_what_depends_on_the_residuals_alone_is_computed_once_for_all_tangents():
    many, sites = 7, 3

    def dear(saved, dots):
        return jnp.exp(saved) * dots

    def slopes(r, x):
        return jax.vmap(lambda r: jax.vmap(lambda x: linear_map(dear, dear, r, x))(x))(r)

    program = jax.jit(slopes).lower(jnp.ones((sites, NODES)), jnp.ones((many, NODES))).as_text()
    exponentials = [line for line in program.splitlines() if "exponential" in line]
    assert exponentials
    assert all(f"tensor<{NODES}x{sites}xf64>" in line for line in exponentials)


def test_a_second_derivative_is_refused():
    theta, k, rain = inputs()
    value = SOLVERS["full"]
    with pytest.raises(NotImplementedError, match="first derivatives only"):
        jax.hessian(lambda x: value(x, k, rain[0])[1] ** 2)(theta)
