"""The losses of DeepSoil: worked examples, and gradients that are finite wherever pixels go."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.training.physics_losses import (
    beyond_bounds,
    log_suction_misfit,
    mean_where,
    suction,
    suction_misfit,
)
from tests.examples import assert_agrees, examples

PER_CM = 10.0


def loam(dtype=jnp.float64, **changed):
    numbers = {"theta_r": 0.084, "theta_s": 0.4, "alpha": 0.00073, "n": 1.421, "k_sat": 120.0}
    return VanGenuchten(**{k: jnp.asarray(v, dtype) for k, v in (numbers | changed).items()})


@examples("physics_loss_terms")
def test_worked_examples(example, expected, dtype):
    soil = loam(
        dtype,
        theta_r=example["theta_r"],
        theta_s=example["theta_s"],
        alpha=example["alpha_per_cm"] / PER_CM,
        n=example["n"],
    )
    theta, target = (jnp.asarray(example[x], dtype) for x in ("theta_pred", "theta_target"))
    assert_agrees(beyond_bounds(theta, soil), expected["L_bound"], dtype, scale=0.1)
    assert_agrees(suction(theta, soil) / dtype.type(PER_CM), expected["psi_pred"], dtype, scale=1.0)
    unit = PER_CM * example["psi_max_cm"]
    found = suction_misfit(theta, target, soil, unit)
    assert_agrees(found, expected["L_psi"], dtype, scale=expected["psi_pred"] * PER_CM / unit)
    assert_agrees(log_suction_misfit(theta, target, soil), expected["L_pF"], dtype, scale=1.0)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_gradients_are_finite_at_and_beyond_the_bounds(dtype):
    theta = jnp.asarray([-0.1, 0.0, 0.084, 0.0841, 0.2, 0.3999, 0.4, 0.6], dtype)

    def total(theta, soil):
        terms = (
            10.0 * beyond_bounds(theta, soil)
            + suction_misfit(theta, jnp.full_like(theta, 0.25), soil)
            + log_suction_misfit(theta, jnp.full_like(theta, 0.25), soil)
        )
        return mean_where(terms, jnp.ones_like(theta, bool))

    slopes = jax.grad(total, argnums=(0, 1))(theta, loam(dtype))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(slopes))
    assert (np.asarray(slopes[0])[:2] < 0).all()  # too dry: a rise helps
    assert float(slopes[0][-1]) > 0


def test_the_gradient_is_that_of_differences():
    soil, target = loam(), jnp.asarray(0.22)
    for theta in (0.12, 0.2, 0.35):
        for term in (suction_misfit, log_suction_misfit):
            x, h = jnp.asarray(theta), 1e-6
            slope = float(jax.grad(lambda x, term=term: term(x, target, soil))(x))
            near = (float(term(x + h, target, soil)) - float(term(x - h, target, soil))) / (2 * h)
            assert slope == pytest.approx(near, rel=1e-5)


def test_what_is_unknown_does_not_count():
    values = jnp.asarray([1.0, jnp.nan, 3.0])
    known = jnp.asarray([True, False, True])
    assert float(mean_where(values, known)) == 2.0
    slope = jax.grad(lambda x: mean_where(x, known))(values)
    np.testing.assert_allclose(slope, [0.5, 0.0, 0.5])
    assert float(mean_where(values, jnp.zeros(3, bool))) == 0.0
