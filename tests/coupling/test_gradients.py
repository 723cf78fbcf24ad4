"""Gradients of every coupling, through physics and network, against differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.trainable import merge, split
from tests.coupling.cases import PREDICTORS, driven_by

STEP = 1e-6


DEAR = {"Richards", "tile", "water balance", "hybrid", "correction", "static", "guided, coupled"}


def _marked(name):
    dear = any(word in name for word in DEAR)
    return pytest.param(name, marks=pytest.mark.exhaustive if dear else ())


@pytest.mark.slow
@pytest.mark.parametrize("name", map(_marked, PREDICTORS))
def test_every_free_array_has_the_right_gradient(name):
    """Along one random direction in each array: parameters of physics, and weights of heads."""
    free, frozen = split(PREDICTORS[name](), train="*")
    inputs = driven_by(name)
    rng = np.random.default_rng(0)
    weights = None

    def misfit(free):
        nonlocal weights
        said = merge(free, frozen)(inputs)
        weights = rng.normal(size=said.shape) if weights is None else weights
        return jnp.sum(weights * said)

    value_of = jax.jit(misfit)
    slopes = jax.jit(jax.grad(misfit))(free)
    leaves, tree = jax.tree.flatten(free)
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(free)]
    found, expected = [], []
    for i, slope in enumerate(jax.tree.leaves(slopes)):
        way = rng.normal(size=slope.shape)

        def along(size, i=i, way=way):
            moved = [x + size * way if j == i else x for j, x in enumerate(leaves)]
            return value_of(jax.tree.unflatten(tree, moved))

        found.append(float(jnp.sum(slope * way)))
        expected.append(float((along(STEP) - along(-STEP)) / (2.0 * STEP)))
    found, expected = np.array(found), np.array(expected)
    # Differences of a sum of size v have v ε/h of noise.
    noise = 20.0 * abs(float(value_of(free))) * np.finfo(float).eps / STEP
    wrong = np.abs(found - expected) > 1e-5 * np.abs(expected) + noise + 1e-8
    assert not wrong.any(), [(names[i], found[i], expected[i]) for i in np.flatnonzero(wrong)]
    assert np.count_nonzero(np.abs(expected) > 1e-6) >= 4, "the test would see nothing"
