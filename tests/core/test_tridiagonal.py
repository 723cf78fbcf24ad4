"""The batched tridiagonal solve against dense algebra, on both of its code paths."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from diffhydro.core import tridiagonal

SIZES = (1, 2, 3, 20, 300)
PATHS = {"thomas": tridiagonal._thomas, "lapack": tridiagonal._lapack}


def system(nodes: int, columns: tuple[int, ...] = (), seed: int = 0, dtype=np.float64):
    """A diagonally dominant system without symmetry; the unread corners hold garbage."""
    rng = np.random.default_rng(seed)
    lower, upper, right = rng.normal(size=(3, nodes, *columns))
    sign = np.where(rng.random((nodes, *columns)) < 0.5, -1.0, 1.0)
    diagonal = sign * (np.abs(lower) + np.abs(upper) + 0.5 + rng.random((nodes, *columns)))
    return tuple(jnp.asarray(x, dtype) for x in (lower, diagonal, upper, right))


def dense(lower, diagonal, upper):
    """The matrices of all columns, `[*column, node, node]`."""
    columns = [jnp.moveaxis(x, 0, -1) for x in (lower, diagonal, upper)]
    size = diagonal.shape[0]
    at = jnp.arange(size)
    matrix = jnp.zeros((*diagonal.shape[1:], size, size), diagonal.dtype)
    matrix = matrix.at[..., at, at].set(columns[1])
    matrix = matrix.at[..., at[1:], at[:-1]].set(columns[0][..., 1:])
    return matrix.at[..., at[:-1], at[1:]].set(columns[2][..., :-1])


def dense_solution(lower, diagonal, upper, right):
    moved = jnp.moveaxis(right, 0, -1)[..., None]
    return jnp.moveaxis(jnp.linalg.solve(dense(lower, diagonal, upper), moved)[..., 0], -1, 0)


@pytest.mark.parametrize("columns", [(), (1,), (8,), (9,), (3, 5)], ids=str)
@pytest.mark.parametrize("nodes", SIZES)
def test_solves_what_a_dense_solver_solves(nodes, columns):
    found = tridiagonal.solve(*system(nodes, columns))
    # A dominance of 0.5 over rows of size about 4 bounds the condition number by some tens.
    np.testing.assert_allclose(found, dense_solution(*system(nodes, columns)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("nodes", SIZES)
def test_both_paths_solve_the_same_systems(path, nodes):
    parts = system(nodes, (4,), seed=nodes)
    found = PATHS[path](*parts)
    np.testing.assert_allclose(found, dense_solution(*parts), rtol=0, atol=1e-13)


@pytest.mark.parametrize("path", PATHS)
def test_both_paths_hold_in_float32(path):
    parts = system(100, (12,), dtype=np.float32)
    found = PATHS[path](*parts)
    assert found.dtype == jnp.float32
    exact = dense_solution(*(x.astype(jnp.float64) for x in parts))
    # Ten rows' worth of rounding; a dominant system forgets rows farther away.
    np.testing.assert_allclose(found, exact, rtol=0, atol=100 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("columns", [(), (12,)], ids=str)
def test_the_corners_are_never_read(columns):
    lower, diagonal, upper, right = system(7, columns)
    spoilt = tridiagonal.solve(lower.at[0].set(jnp.nan), diagonal, upper.at[-1].set(jnp.nan), right)
    np.testing.assert_allclose(spoilt, tridiagonal.solve(lower, diagonal, upper, right), rtol=1e-14)


@pytest.mark.parametrize("columns", [(), (12,)], ids=str)
@pytest.mark.parametrize("nodes", [1, 2, 30])
def test_gradients_in_both_modes(nodes, columns):
    parts = system(nodes, columns)
    rng = np.random.default_rng(1)
    weight = jnp.asarray(rng.normal(size=(nodes, *columns)))
    towards = tuple(jnp.asarray(x) for x in rng.normal(size=(4, nodes, *columns)))
    towards = (towards[0].at[0].set(0.0), towards[1], towards[2].at[-1].set(0.0), towards[3])

    def loss(*parts):
        return jnp.sum(weight * tridiagonal.solve(*parts))

    size = 1e-6
    ahead = loss(*(x + size * t for x, t in zip(parts, towards, strict=True)))
    behind = loss(*(x - size * t for x, t in zip(parts, towards, strict=True)))
    expected = (ahead - behind) / (2 * size)
    forward = jax.jvp(loss, parts, towards)[1]
    back = jax.grad(loss, argnums=(0, 1, 2, 3))(*parts)
    reverse = sum(jnp.sum(g * t) for g, t in zip(back, towards, strict=True))
    # Rounding of a central difference: eps·|loss|/size, here 1e-9.
    np.testing.assert_allclose(forward, expected, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(reverse, forward, rtol=1e-11, atol=1e-12)


def test_reverse_mode_gives_nothing_to_the_corners():
    parts = system(6, (3,))
    lower, _, upper, _ = jax.grad(lambda *p: jnp.sum(tridiagonal.solve(*p) ** 2), (0, 1, 2, 3))(
        *parts
    )
    assert not lower[0].any()
    assert not upper[-1].any()


def test_second_derivatives_exist():
    parts = system(5)
    check_grads(tridiagonal.solve, parts, order=2, modes=("rev",), rtol=1e-5)


@pytest.mark.parametrize("nodes", SIZES)
def test_transpose_is_the_transposed_matrix(nodes):
    lower, diagonal, upper, _ = system(nodes, (2,))
    turned = dense(*tridiagonal.transpose(lower, diagonal, upper))
    np.testing.assert_array_equal(turned, jnp.swapaxes(dense(lower, diagonal, upper), -1, -2))


@pytest.mark.parametrize("nodes", SIZES)
def test_multiply_undoes_solve(nodes):
    parts = system(nodes, (9,))
    found = tridiagonal.multiply(*parts[:3], tridiagonal.solve(*parts))
    np.testing.assert_allclose(found, parts[3], rtol=0, atol=1e-13)


def test_vmap_equals_a_loop():
    parts = system(20, (5,))
    mapped = jax.vmap(tridiagonal.solve, in_axes=-1, out_axes=-1)(*parts)
    np.testing.assert_allclose(mapped, tridiagonal.solve(*parts), rtol=1e-12)


def test_shapes_that_differ_are_named():
    lower, diagonal, upper, right = system(5)
    with pytest.raises(ValueError, match=r"'upper': \(4,\)"):
        tridiagonal.solve(lower, diagonal, upper[1:], right)
