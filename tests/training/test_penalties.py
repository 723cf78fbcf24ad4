"""Penalties of soil physics: the worked examples, sources in their order, soils of every shape."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.training.penalties import BeyondBounds, SuctionConsistency
from diffhydro.training.physics_losses import WILTING, log_suction_misfit, suction
from diffhydro.training.sample import Sample
from tests.examples import assert_agrees, examples
from tests.training.catalogue import batch, quick, value

PER_CM = 10.0


@examples("physics_loss_terms")
def test_worked_examples_in_a_batch_with_filling(example, expected, dtype):
    """Two windows of two times; one place is the example, and the others are nonsense."""
    numbers = {
        "theta_r": example["theta_r"],
        "theta_s": example["theta_s"],
        "alpha": example["alpha_per_cm"] / PER_CM,
        "n": example["n"],
        "k_sat": 100.0,
    }
    good = VanGenuchten(**{name: jnp.asarray(x, dtype) for name, x in numbers.items()})
    soil = jax.tree.map(lambda x: jnp.stack([x, jnp.full_like(x, jnp.nan)]), good)
    assert PER_CM * example["psi_max_cm"] == WILTING

    def only(x):
        return jnp.asarray([[x, jnp.nan], [1e30, jnp.inf]], dtype)

    there = jnp.asarray([[1.0, 0.0], [0.0, 0.0]], dtype)
    sample = Sample(
        Inputs({}), {"labels": only(example["theta_target"])}, {"labels": there, "real": there},
        {"soil": soil},
    )  # fmt: skip
    theta = only(example["theta_pred"])
    unit = WILTING / PER_CM
    assert_agrees(quick(BeyondBounds())(theta, sample), expected["L_bound"], dtype, scale=0.1)
    raw = quick(SuctionConsistency(("labels",)))(theta, sample)
    assert_agrees(raw, expected["L_psi"], dtype, scale=expected["psi_pred"] / unit)
    pf = SuctionConsistency(("labels",), misfit=log_suction_misfit)
    pf = quick(pf)(theta, sample)
    assert_agrees(pf, expected["L_pF"], dtype, scale=1.0)


def test_bounds_are_a_mean_over_all_that_is_real():
    prediction, sample = batch(8)
    soil = sample.extra["soil"]
    theta, is_real = prediction["theta"], sample.weights["real"] > 0
    low, high = np.asarray(soil.theta_r)[:, None], np.asarray(soil.theta_s)[:, None]
    each = np.maximum(low - theta, 0.0) + np.maximum(theta - high, 0.0)
    np.testing.assert_allclose(
        value("bounds", prediction, sample), each[is_real].mean(), rtol=1e-12
    )


def test_suction_is_that_of_stations_first_and_of_the_product_else():
    prediction, sample = batch(8)
    soil, theta = sample.extra["soil"], prediction["theta"]
    column = VanGenuchten(
        **{
            name: jnp.asarray(getattr(soil, name))[:, None]
            for name in ("theta_r", "theta_s", "alpha", "n", "k_sat", "l")
        }
    )
    first, then = (sample.weights[name] for name in ("stations", "satellite"))
    assert ((first == 0) & (then > 0)).any()
    target = np.where(first > 0, sample.observed["stations"], sample.observed["satellite"])
    weight = np.where(first > 0, first, then)
    off = np.abs(suction(jnp.asarray(theta), column) - suction(jnp.asarray(target), column))
    expected = np.average(off / WILTING, weights=weight)
    np.testing.assert_allclose(value("suction", prediction, sample), expected, rtol=1e-12)


def test_soils_may_be_one_or_of_windows_or_of_pixels_or_of_all():
    theta = jnp.asarray(np.random.default_rng(0).uniform(0.0, 0.5, (2, 3, 4, 5)))
    real = {"real": jnp.ones(2)}

    def bounds(shape):
        numbers = {"theta_r": 0.1, "theta_s": 0.4, "alpha": 1e-3, "n": 1.5, "k_sat": 9.0, "l": 0.5}
        soil = VanGenuchten(**{k: jnp.full(shape, v) for k, v in numbers.items()})
        return float(quick(BeyondBounds())(theta, Sample(Inputs({}), {}, real, {"soil": soil})))

    shapes = ((), (2,), (2, 4, 5), (2, 3, 4, 5))
    one, *others = (bounds(shape) for shape in shapes)
    assert others == pytest.approx([one] * 3, rel=1e-14)
    with pytest.raises(InputError, match=r"'soil' holds numbers of shape \(3,\).*\(2, 4, 5\)"):
        bounds((3,))


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match=r"for the soil, the extra 'soil'.*there is none"):
        BeyondBounds()(jnp.ones((1, 2)), Sample(Inputs({}), {}, {"real": jnp.ones(1)}))
    for sources in ((), "stations"):
        with pytest.raises(InputError, match="a tuple of names"):
            SuctionConsistency(sources)
