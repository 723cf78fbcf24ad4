"""Names, order and bounds of free numbers."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.coordinates import EDGE, choose, on_bound, position
from diffhydro.core.bijections import LOG
from diffhydro.core.parameters import parameter, weights
from diffhydro.errors import InputError
from diffhydro.land.hbv import Hbv
from diffhydro.training.likelihood import Gaussian
from tests.calibration.models import Line, Shares

ERRORS = {"errors": {"runoff": Gaussian()}}


def chosen(train, model=None):
    return choose((Shares() if model is None else model, ERRORS), train)


def test_the_order_is_that_asked_for():
    found = chosen(["idle", "errors.runoff.sigma", "rain", "later"])
    assert found.names == ("idle", "errors.runoff.sigma", "rain", "later[0]", "later[1]")
    assert len(found) == 5
    assert [spec.unit for spec in found.specs] == ["mm", "-", "-", "-", "-"]


def test_a_pattern_takes_what_is_not_fixed_and_nothing_twice():
    assert chosen(["air", "*"]).paths == ("air", "rain", "later", "idle")
    assert chosen("base").paths == ("base",)
    assert chosen("errors.*").paths == ("errors.runoff.sigma",)
    assert chosen(["errors.runoff.memory"]).paths == ("errors.runoff.memory",)


def test_a_part_of_a_model_is_all_that_lies_below_it():
    assert chosen("errors").paths == ("errors.runoff.sigma",)
    assert chosen("errors.runoff").paths == ("errors.runoff.sigma",)


def test_unknown_names_offer_the_nearest():
    with pytest.raises(InputError, match="nothing is called 'rian'; did you mean rain"):
        chosen("rian")
    with pytest.raises(InputError, match=r"did you mean errors\.runoff\.sigma"):
        chosen("errors.runoff.sigm")
    with pytest.raises(InputError, match="selects only what a pattern does not train"):
        chosen("bas*")
    with pytest.raises(InputError, match="name at least one parameter"):
        chosen([])


def test_a_value_outside_its_bounds_is_refused():
    with pytest.raises(InputError, match=r"rain = 2 is outside \[0, 1\]"):
        chosen("rain", Shares(rain=2.0))


def test_values_go_there_and_back():
    found = chosen(["later", "air", "idle"])
    values = {"later": np.array([0.3, 0.7]), "air": 2.0, "idle": 5.5}
    z = found.free(values)
    back = found.values(z)
    assert list(back) == ["later", "air", "idle"]
    for path, value in values.items():
        np.testing.assert_allclose(back[path], value, rtol=1e-12)
    np.testing.assert_allclose(found.table(np.asarray(z)), [0.3, 0.7, 2.0, 5.5], rtol=1e-12)


def test_every_parameter_of_a_model_goes_there_and_back():
    found = chosen("*", Hbv())
    z = np.random.default_rng(0).uniform(-4.0, 4.0, (3, len(found)))
    for one in z:
        np.testing.assert_allclose(found.free(found.values(jnp.asarray(one))), one, rtol=1e-9)
    table = found.table(z)
    assert table.shape == z.shape
    for column, spec in zip(table.T, found.specs, strict=True):
        low, high = spec.bounds
        assert ((column > low) & (column < high)).all()


def test_a_value_on_its_bound_starts_at_the_edge():
    found = chosen(["rain", "air"])
    np.testing.assert_array_equal(found.free({"rain": 0.0, "air": 10.0}), [-EDGE, EDGE])


def test_slopes_are_those_of_values():
    found = chosen(["rain", "air", "later"])
    z, step = np.array([[-2.0, 1.0, 0.0, 3.0]]), 1e-6
    differences = (found.table(z + step) - found.table(z - step)) / (2.0 * step)
    np.testing.assert_allclose(found.slope(z), differences, rtol=1e-7)


def test_numbers_without_two_bounds_are_known():
    assert chosen(["rain", "air"]).is_bounded.tolist() == [True, True]
    assert chosen(["rain"], Line()).is_bounded.tolist() == [False]


def test_a_position_is_a_share_of_the_range():
    np.testing.assert_allclose(
        position(np.array([0.0, np.log(3.0), -EDGE])), [0.5, 0.75, 1.234e-4], rtol=1e-3
    )
    assert on_bound(np.array([-EDGE, -5.0, 0.0, 5.2, 5.4])).tolist() == [-1, 0, 0, 0, 1]


def test_a_network_is_not_calibrated():
    class Hybrid(eqx.Module):
        share: object = parameter(
            unit="-", bounds=(0.1, 1.0), scale=LOG, default=0.5, description="a share"
        )
        head: object = weights(default=None)

    with pytest.raises(InputError, match="a network is trained"):
        chosen("head", Hybrid(head=jnp.ones(3)))
